/**
 * The rounds of one answer: makes the calls that a round ended with, gives their results to readers and to the model, and says what
 * the model is asked next. It knows neither engines nor reservations (chat-run.ts) nor what a tool does (tool-box.ts).
 *
 * The journal holds what is needed after a lost run: a call and its arguments before it is made, its result once it is there. So a call that
 * ended is not made again, and one whose end was lost only if its tool may be called twice. If the form's events do not show
 * calls, a round is stored when all its calls have ended.
 */
import type { Result } from "../../contracts/result.ts";
import type { Usage } from "../../contracts/usage.ts";
import type { WebSource } from "../../grounding/citable.ts";
import type { ServerCall, ServerCallEnd } from "../../responses/server-items.ts";
import type { AnswerCollector } from "../../stream/answer-collector.ts";
import type { FinishReason } from "../../stream/engine-event.ts";
import type { OfferedTools } from "../../tools/offered-tools.ts";
import type { ServerTool, ToolFault, ToolOutput } from "../../tools/server-tool.ts";
import type { ToolBox } from "../../tools/tool-box.ts";
import type { ChatMessage } from "../../wire/chat-messages.ts";
import type { ChatRequest } from "../../wire/chat-request.ts";
import { journalEvents } from "./gathered.ts";
import type { TurnIo } from "./ports.ts";
import type { KeptNote } from "./kept-note.ts";
import {
  messagesOfRounds,
  noUsage,
  plus,
  type AnsweredCall,
  type Round,
  type RoundsNote,
} from "./round-history.ts";
import { failed, type Made, noRoom, ToldRoom, toldOf } from "./tool-result.ts";
import type { FormRounds } from "./turn-form.ts";

export interface BegunRounds {
  readonly rounds: readonly Round[];
  readonly note: RoundsNote;
}

export interface RoundsOptions {
  readonly offered: OfferedTools;
  readonly maxRounds: number;
  /** Tokens that all rounds together may generate (round-request.ts); `null`: the client set no bound. */
  readonly maxTokens: number | null;
  readonly form: FormRounds;
  readonly box: ToolBox;
  readonly io: Pick<TurnIo, "emit" | "write" | "progress">;
  readonly note: KeptNote;
  readonly begun: BegunRounds | null;
}

/** More than any call may have (run-call.ts), so that a cut one is refused. */
const mostShownArguments = 40_000;

/** A shorter result would be of no use to the model. */
const leastTold = 200;

/** Calls under way at the same time. */
const atOnce = 4;

export class ToolRounds {
  readonly #options: RoundsOptions;
  readonly #names: ReadonlySet<string>;
  readonly #rounds: Round[];
  readonly #told: Record<string, string>;
  readonly #sources: WebSource[];
  readonly #known: Record<string, number>;
  /** Passages of files that the model was given: web results are numbered after them. */
  passages = 0;
  #prior: Usage;
  /** The rounds that a resumed run would find. */
  #kept: Usage;
  #mostTold: number | undefined;
  /** Calls that were made or will be. */
  #made: number;
  /** Room for arguments and results. */
  readonly #room = new ToldRoom();

  constructor(options: RoundsOptions) {
    const { begun } = options;
    this.#options = options;
    this.#names = new Set(options.offered.names);
    this.#rounds = [...(begun?.rounds ?? [])];
    this.#told = { ...begun?.note.told };
    this.#sources = [...(begun?.note.sources ?? [])];
    this.#known = { ...begun?.note.known };
    this.#prior = begun?.note.prior ?? noUsage;
    this.#kept = this.#prior;
    this.#mostTold = begun?.note.mostTold;
    this.#made = this.#rounds.reduce((sum, { calls }) => sum + calls.length, 0);
    for (const { calls } of this.#rounds)
      for (const called of calls) {
        called.told = this.#told[called.id] ?? called.told;
        this.#room.add(called.call.arguments);
        this.#room.add(called.told ?? "");
      }
    options.form.cites(this.#sources);
  }

  readonly isOurs = (name: string): boolean => this.#names.has(name);

  /** The usage of earlier rounds. */
  get prior(): Usage {
    return this.#prior;
  }

  get rounds(): readonly Round[] {
    return this.#rounds;
  }

  get note(): RoundsNote {
    const mostTold = this.#mostTold;
    return {
      prior: this.#kept,
      told: this.#told,
      sources: this.#sources,
      known: this.#known,
      ...(mostTold === undefined ? {} : { mostTold }),
    };
  }

  /**
   * How the answer ends after its last round; `null`: it does not, and its model is asked again. It ends when its client has calls of its own
   * to answer, when all rounds are used up, and when the client's bound on tokens is reached.
   */
  get ending(): FinishReason | null {
    const { maxRounds, maxTokens } = this.#options;
    const last = this.#rounds.at(-1);
    if ((last?.said.choices[0]?.toolCalls.length ?? 0) > 0) return "tool_calls";
    if (this.#rounds.length > maxRounds) return "stop";
    return maxTokens !== null && this.#prior.completionTokens >= maxTokens ? "length" : null;
  }

  /** As the model reads them now. */
  messages(): readonly ChatMessage[] {
    const most = this.#mostTold;
    if (most === undefined) return messagesOfRounds(this.#rounds);
    const { box } = this.#options;
    return messagesOfRounds(
      this.#rounds.map(({ said, calls }) => ({
        said,
        calls: calls.map((called) => ({
          ...called,
          told: called.told === null ? null : box.cut(called.told, most),
        })),
      })),
    );
  }

  /** The results no longer fit the model's window: from now on each is cut to half as much. `false`: they are short already. */
  shorten(): boolean {
    const longest = Math.max(
      0,
      ...this.#rounds.flatMap(({ calls }) => calls.map(({ told }) => told?.length ?? 0)),
    );
    const half = Math.floor(Math.min(longest, this.#mostTold ?? longest) / 2);
    if (half < leastTold) return false;
    this.#mostTold = half;
    this.#keepNote();
    return true;
  }

  /** Drops our calls from an answer that did not end in whole calls of ours: readers must neither see nor answer them. */
  withoutOurs(said: AnswerCollector): void {
    const all = said.choices[0]?.toolCalls ?? [];
    all.splice(0, all.length, ...all.filter(({ name }) => !this.isOurs(name)));
  }

  /** The tools that may be called next: none of ours once all rounds or calls are used up. */
  tools(asked: ChatRequest["tools"]): ChatRequest["tools"] {
    const isSpent =
      this.#rounds.length >= this.#options.maxRounds || this.#made >= this.#options.offered.maxCalls;
    if (!isSpent) return asked;
    const theirs = asked?.filter((tool) => !this.isOurs(tool.function.name)) ?? [];
    return theirs.length === 0 ? undefined : theirs;
  }

  /**
   * A round has ended with calls of ours: makes them.
   *
   * @param said the round's text and calls; only the client's calls stay in it
   * @param closing SSE text that closes what the round left open: in one row with the calls
   */
  async answer(said: AnswerCollector, usage: Usage, closing: string, signal: AbortSignal): Promise<void> {
    const round: Round = { said, calls: [] };
    let text = closing;
    for (const call of this.#takeCalls(said)) {
      const { id, said: opened } = this.#options.form.opened(call);
      text += opened;
      round.calls.push({ id, call, told: null });
    }
    // A model may call a tool that it is no longer offered.
    const isOver = this.#rounds.length >= this.#options.maxRounds;
    const allowed = isOver ? 0 : this.#options.offered.maxCalls - this.#made;
    this.#made += round.calls.length;
    this.#known[this.#rounds.length] = this.#sources.length;
    this.#rounds.push(round);
    this.#prior = plus(this.#prior, usage);
    const { io, form } = this.#options;
    if (!form.isSilent) this.#kept = this.#prior;
    this.#keepNote();
    io.progress(this.#prior);
    this.#say(text);
    // The journal knows of a call before it is made: whatever leaves the object waits for what was written.
    io.write();
    await this.#makeAll(round.calls, (call, at) =>
      at < allowed ? this.#make(call, signal) : Promise.resolve(failed({ kind: "too-many-calls" })),
    );
    signal.throwIfAborted();
    if (!form.isSilent) return;
    // Stored after the events, so that it never holds more than the journal.
    this.#options.note.keepRounds(this.#rounds, this.#prior);
    this.#kept = this.#prior;
    this.#keepNote();
  }

  /** For a resumed run: the calls that the lost one had begun and not ended. */
  async answerOpen(signal: AbortSignal): Promise<void> {
    const open = this.#rounds.at(-1)?.calls.filter(({ told }) => told === null) ?? [];
    if (open.length === 0) return;
    await this.#makeAll(open, async (called) => {
      const mayRepeat = this.#options.box.tools.get(called.call.name)?.isRepeatable === true;
      return mayRepeat ? this.#make(called, signal) : failed({ kind: "outcome-unknown" });
    });
    signal.throwIfAborted();
  }

  async #makeAll(
    calls: readonly AnsweredCall[],
    make: (called: AnsweredCall, at: number) => Promise<Made>,
  ): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let at = next++; at < calls.length; at = next++) {
        const called = calls[at];
        if (called !== undefined) this.#ended(called, await make(called, at));
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, calls.length) }, worker));
    this.#options.io.write();
  }

  async #make({ call }: AnsweredCall, signal: AbortSignal): Promise<Made> {
    // The others of its round may have taken long.
    signal.throwIfAborted();
    const { box } = this.#options;
    const tool: ServerTool | undefined = box.tools.get(call.name);
    if (tool === undefined) return failed({ kind: "refused", detail: "there is no such tool any more" });
    if (this.#room.left === 0) return failed(noRoom);
    const outcome: Result<ToolOutput, ToolFault> = await box.call(tool, call.arguments, signal);
    if (!outcome.ok) return failed(outcome.error);
    return toldOf(outcome.value, box, this.#room, { passages: this.passages, sources: this.#sources });
  }

  #ended(called: AnsweredCall, { isGood, text }: Made): void {
    called.told = text;
    const { box, form } = this.#options;
    const shown = isGood && !form.isSilent ? box.shown(text) : text;
    const end: ServerCallEnd = isGood
      ? { status: "completed", output: shown, error: null }
      : { status: "failed", output: null, error: text };
    // A search's item does not show what was found, and another tool's may show less than the model reads.
    if (called.call.type === "web_search_call" || shown !== text) {
      this.#told[called.id] = text;
      form.cites(this.#sources);
      this.#keepNote();
    }
    this.#say(form.ended(called.id, end));
  }

  #takeCalls(said: AnswerCollector): readonly ServerCall[] {
    const ours = (said.choices[0]?.toolCalls ?? []).filter(({ name }) => this.isOurs(name));
    this.withoutOurs(said);
    return ours.map(({ name, arguments: text }) => {
      const shown = text.slice(0, Math.min(mostShownArguments, this.#room.left));
      this.#room.add(shown);
      return {
        type: this.#options.box.tools.get(name)?.shown ?? ("mcp_call" as const),
        name,
        arguments: shown,
      };
    });
  }

  /** Noted before the event that shows the change, so that no row lacks it. */
  #keepNote(): void {
    this.#options.note.rounds = this.note;
    this.#options.note.keep();
  }

  #say(text: string): void {
    for (const event of journalEvents(text)) this.#options.io.emit(event);
  }
}
