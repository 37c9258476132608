/**
 * One run of a chat turn inside a Generation object: the stages of open-turn.ts, then the engine's stream into the journal, in rounds where
 * its model calls the service's own tools. It settles, appends and caches nothing itself: that leaves with the turn's end as
 * effects, once.
 */
import type { ChargeId, RequestId } from "../../contracts/ids.ts";
import type { Refusal } from "../../contracts/refusal.ts";
import { ok, type Result } from "../../contracts/result.ts";
import type { Ground } from "../../grounding/ground.ts";
import { freeOfCharge } from "../../limits/cost.ts";
import { modelRecord } from "../../routing/fleet/fleet-index.ts";
import type { RequestRecord, Stage } from "../../telemetry/request-record.ts";
import type { ToolBox } from "../../tools/tool-box.ts";
import { openTurn, type LiveTurn, type OpenedTurn } from "../open-turn.ts";
import { keepsTools } from "../offers-tools.ts";
import type { Recalled, TurnDeps } from "../ports.ts";
import { AnswerRounds } from "./answer-rounds.ts";
import { asOneAnswer } from "./chat-rounds.ts";
import { journalEvents } from "./gathered.ts";
import { goneEngine, settledAtEnd, type BegunAnswer } from "./chat-resume.ts";
import type { TurnEnd, TurnIo, TurnOutcome } from "./ports.ts";
import { finishedStatus, formOf, refused, type ChatTurnRequest } from "./chat-turn-end.ts";
import { owedByThen } from "./owed-by-then.ts";
import { tokenBound } from "./round-request.ts";
import { KeptNote } from "./kept-note.ts";
import { ToolRounds } from "./tool-rounds.ts";
import type { TurnForm } from "./turn-form.ts";
import type { EnteredConversation } from "./run-note.ts";
import { sealInterrupted, type SealDeps } from "./seal-end.ts";
import { revivePrincipal } from "./turn-request.ts";

export interface ChatRunDeps extends SealDeps {
  /** What the stages need; resolved at the start of each run. `null`: the configuration can't be read. */
  turnDeps(): Promise<TurnDeps | null>;
  /** The tools that the turn was offered. Called only for turns that were offered some. */
  openTools(request: ChatTurnRequest): Promise<ToolBox>;
  /**
   * The conversation's latest messages, and where in it the turn stands then.
   *
   * @param behind where a resumed turn stood when it began
   */
  recall(
    request: ChatTurnRequest,
    behind: string | null,
  ): Promise<{ readonly recalled: Recalled; readonly entered: EnteredConversation | null }>;
  /** Has a guard model judge the answer, if the tenant wants that; returns at once. */
  judge?(turn: LiveTurn, said: string): void;
  /** Finds passages for the turn; `null`: it asks for none. */
  ground(request: ChatTurnRequest): Ground | null;
  /** Takes the turn's record when it has ended. */
  record(record: RequestRecord): void;
  readonly now: () => number;
}

export const noFleet: Refusal = {
  kind: "dependency-unavailable",
  component: "configuration",
  retryAfterMs: 1000,
  detail: "no fleet",
};

export class ChatRun {
  readonly #request: ChatTurnRequest;
  readonly #form: TurnForm;
  readonly #deps: ChatRunDeps;
  readonly #io: TurnIo;
  readonly #signal: AbortSignal;
  readonly #stages: Partial<Record<Stage, number>> = {};
  readonly #onRecall: (entered: EnteredConversation | null) => void;
  /** The usage of an earlier run. */
  readonly #begun: BegunAnswer | null;
  #markedMs: number;
  #entered: EnteredConversation | null = null;
  #recalled: Promise<Recalled> | null = null;
  /** `null`: the turn has no server tools. */
  #tools: ToolRounds | null = null;
  readonly #note: KeptNote;
  #isRestored = false;

  constructor(
    request: ChatTurnRequest,
    deps: ChatRunDeps,
    io: TurnIo,
    signal: AbortSignal,
    onRecall: (entered: EnteredConversation | null) => void,
    begun: BegunAnswer | null = null,
  ) {
    this.#begun = begun;
    this.#onRecall = onRecall;
    this.#request = request;
    this.#form = formOf(request, deps.now);
    this.#deps = deps;
    this.#io = io;
    this.#signal = signal;
    this.#markedMs = deps.now();
    this.#note = new KeptNote(io);
    this.#note.grounding = begun?.grounding ?? null;
  }

  /** @param earlyTold readers already have the events that are written before admission */
  async run(earlyTold = false): Promise<TurnOutcome> {
    if (this.#begun === null) {
      const early = this.#form.early();
      if (!earlyTold) this.#say(early, true);
    }
    const turnDeps = await this.#deps.turnDeps();
    if (turnDeps === null) return this.#refused(noFleet);
    const request = this.#request;
    const begun = this.#begun;
    if (
      request.tools !== undefined &&
      // If readers saw the model's calls, the turn continues with their results, whatever the fleet can do by now.
      ((begun?.rounds?.rounds.length ?? 0) > 0 ||
        keepsTools(turnDeps.fleet, request.tenant, request.chat, request.tools))
    ) {
      const ended = await this.#openTools(request.tools, turnDeps);
      if (ended !== null) return ended;
    }
    let opened = await this.#open(turnDeps);
    // As in the run before, which had shortened results of tools.
    while (!opened.ok && opened.error.kind === "context-too-long" && this.#tools?.shorten() === true)
      opened = await this.#open(turnDeps);
    if (!opened.ok) return this.#refused(opened.error);
    if (opened.value.kind === "cached")
      return this.#refused({ kind: "internal", detail: "a durable turn came from the cache" });
    if (begun !== null) this.#restore();
    return new AnswerRounds({
      request,
      form: this.#form,
      deps: this.#deps,
      turnDeps,
      io: this.#io,
      signal: this.#signal,
      stages: this.#stages,
      mark: (stage) => this.#mark(stage),
      asked: () => this.#asked(),
      entered: this.#entered,
      begun: this.#isBetweenRounds() ? null : begun,
      isBegun: begun !== null,
      tools: this.#tools,
      note: this.#note,
      grounding: begun?.grounding ?? opened.value.grounding,
    }).run(opened.value);
  }

  #open(turnDeps: TurnDeps): Promise<Result<OpenedTurn, Refusal>> {
    const request = this.#request;
    const begun = this.#begun;
    return openTurn(
      {
        principal: revivePrincipal(request.principal),
        tenant: request.tenant,
        asked: this.#asked(),
        recall: () => (this.#recalled ??= this.#recall()),
        ground: this.#ground(),
        responseId: request.responseId,
        chargeId: request.turnId as ChargeId,
        requestId: request.requestId as RequestId,
        traceparent: request.traceparent,
        place: request.place,
        // A cached answer would have no engine's events to journal.
        cacheControl: "no-store",
        createdMs: request.createdMs,
        ...(request.yields === true && begun === null ? { yields: true } : {}),
        mark: (stage) => this.#mark(stage),
      },
      begun === null
        ? turnDeps
        : {
            ...turnDeps,
            admission: settledAtEnd(turnDeps.admission),
            origin: this.#isBetweenRounds() ? turnDeps.origin : goneEngine(turnDeps.origin, begun.note),
          },
      this.#signal,
    );
  }

  /** The turn's end, if the journal already has it: the client has calls of its own to answer. */
  async #openTools(
    offered: NonNullable<ChatTurnRequest["tools"]>,
    turnDeps: TurnDeps,
  ): Promise<TurnOutcome | null> {
    const begun = this.#begun;
    if (this.#form.rounds === null) return null;
    this.#tools = new ToolRounds({
      offered,
      maxRounds: this.#request.tenant.tools?.max_rounds ?? 0,
      maxTokens: tokenBound(this.#request.chat),
      form: this.#form.rounds,
      box: await this.#deps.openTools(this.#request),
      io: this.#io,
      note: this.#note,
      begun: begun?.rounds ?? null,
    });
    if (begun !== null) {
      this.#note.who = begun.note;
      this.#tools.passages = begun.grounding?.passages.length ?? 0;
    }
    if (begun === null || !this.#isBetweenRounds()) return null;
    this.#restore();
    await this.#tools.answerOpen(this.#signal);
    const { ending } = this.#tools;
    if (ending === null) return null;
    const { note, usage, collected, createdSeconds, grounding } = begun;
    const price = note.price ?? modelRecord(turnDeps.fleet, note.cluster, note.model)?.price ?? freeOfCharge;
    const { last } = this.#form.rounds.concluded(usage, price, ending);
    const status = finishedStatus(this.#request, ending);
    collected.finish(0, ending);
    const end: TurnEnd = {
      status,
      events: journalEvents(last),
      response: this.#form.final({
        status,
        model: note.model,
        createdSeconds: createdSeconds ?? Math.floor(this.#request.createdMs / 1000),
        collected: asOneAnswer(this.#tools.rounds, collected),
        usage,
        price,
        grounding,
      }),
      ...owedByThen(this.#request, begun, this.#tools, status),
    };
    return sealInterrupted(end, this.#request, note.price ?? null, this.#deps.now(), this.#deps.archives);
  }

  /** A run that continues after the calls of a round were made, or begun, and nothing was said since. */
  #isBetweenRounds(): boolean {
    const { rounds, collected } = this.#begun ?? {};
    return (rounds?.rounds.length ?? 0) > 0 && collected?.choices.length === 0;
  }

  #asked(): TurnForm["asked"] {
    const tools = this.#tools;
    const { rounds } = this.#form;
    if (rounds === null || this.#request.tools === undefined) return this.#form.asked;
    if (tools === null) return rounds.asked([], undefined, 0);
    if (tools.rounds.length === 0) return this.#form.asked;
    const mayCall = tools.tools(this.#request.chat.tools);
    return rounds.asked(tools.messages(), mayCall, tools.prior.completionTokens);
  }

  #restore(): void {
    if (this.#begun === null || this.#isRestored) return;
    this.#isRestored = true;
    const { events, grounding, rounds, collected } = this.#begun;
    this.#form.restore(events(), grounding, { rounds: rounds?.rounds ?? [], collected });
  }

  async #recall(): Promise<Recalled> {
    const began = this.#begun?.note.entered ?? null;
    const { recalled, entered } = await this.#deps.recall(this.#request, began?.behind ?? null);
    // The answer belongs to the incarnation and the branch in which it began.
    this.#entered = began ?? entered;
    this.#onRecall(this.#entered);
    return recalled;
  }

  /** The passages of an earlier run stay, whatever the files say by now: its answer cites them by number. */
  #ground(): Ground | null {
    if (this.#begun === null) return this.#deps.ground(this.#request);
    const { grounding } = this.#begun;
    return grounding === null ? null : () => Promise.resolve(ok(grounding));
  }

  #refused(refusal: Refusal): TurnOutcome {
    this.#restore();
    const begun = this.#begun;
    if (begun !== null) this.#form.encoder?.counting(() => begun.usage, begun.note.price);
    const end = this.#form.refused(refusal);
    if (end === null) return refused(refusal, []);
    const failed: TurnEnd = {
      status: "failed",
      events: journalEvents(end.last),
      response: end.response,
      ...owedByThen(this.#request, begun, this.#tools, "failed"),
    };
    // What an earlier run delivered is paid, so it belongs into the archive.
    return begun === null
      ? failed
      : sealInterrupted(
          failed,
          this.#request,
          begun.note.price ?? null,
          this.#deps.now(),
          this.#deps.archives,
        );
  }

  /** Events into the journal; `false`: the turn has ended. */
  #say(text: string, urgent: boolean): boolean {
    return journalEvents(text).every((event) => this.#io.emit(event, urgent));
  }

  #mark(stage: Stage): void {
    const now = this.#deps.now();
    this.#stages[stage] = now - this.#markedMs;
    this.#markedMs = now;
  }
}
