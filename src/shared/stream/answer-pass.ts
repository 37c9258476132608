/**
 * One pass over an engine's stream: every event is read once, counted, guarded, rewritten into what the client asked for,
 * and gathered where someone needs the whole. Nothing else between the engine and the client looks at the bytes.
 *
 *   bytes ▸ events ▸ count (budget) ▸ filter (guard) ▸ collect ▸ encode ▸ bytes
 *
 * An answer ends well only with a finish reason for each of its choices; everything else goes on with another engine
 * (going-on.ts), or is one error event without `[DONE]`. See docs/decisions/0003-one-pass-stream.md.
 */
import type { AnswerCollector } from "./answer-collector.ts";
import { createEncoder, type AnswerEncoder } from "./answer-encoder.ts";
import type { AnswerPassOptions, AnswerTotals } from "./answer-options.ts";
import { readEngineEvent, type EngineDelta, type FinishReason } from "./engine-event.ts";
import { EventGate, noRoomYet } from "./event-gate.ts";
import { EventTemplate } from "./event-template.ts";
import { EventWriter } from "./event-writer.ts";
import { FilteredLanes } from "./filtered-lanes.ts";
import { GoingOn } from "./going-on.ts";
import { textOf, type EventFrame, type PlainEvent } from "./plain-event.ts";
import { SseEvents } from "./sse-events.ts";
import { streamFailureError, type StreamEnd, type StreamFailure } from "./stream-failure.ts";
import type { SourceEnd, StreamPass } from "./stream-pass.ts";
import { toWireUsage } from "./wire-usage.ts";

const utf8 = new TextEncoder();

function encoded(text: string): Uint8Array | undefined {
  return text === "" ? undefined : utf8.encode(text);
}

export class AnswerPass implements StreamPass {
  readonly #options: AnswerPassOptions;
  readonly #goingOn: GoingOn | null;
  #events = new SseEvents();
  #template: EventTemplate;
  readonly #writer = new EventWriter();
  readonly #encoder: AnswerEncoder;
  readonly #gate: EventGate;
  readonly #lanes: FilteredLanes | null;
  readonly #collector: AnswerCollector | undefined;
  readonly #finishReasons: (FinishReason | null)[];
  #unfinished: number;
  #createdSeconds: number | null = null;
  #failureDetail: string | undefined;
  #ended: StreamEnd | null = null;
  #nextSource: ReadableStream<Uint8Array> | null = null;

  constructor(options: AnswerPassOptions) {
    this.#options = options;
    this.#goingOn = options.continuer === undefined ? null : new GoingOn(options.continuer);
    this.#template = new EventTemplate(options.engineApi);
    const encoder =
      options.encoder ??
      createEncoder(options.format, {
        id: options.id,
        model: options.model,
        createdSeconds: options.begun?.createdSeconds ?? Math.floor(options.createdMs / 1000),
        includeUsage: options.includeUsage,
      });
    this.#encoder = options.around === undefined ? encoder : options.around(encoder);
    this.#gate = new EventGate(options);
    this.#lanes = options.filter === undefined ? null : new FilteredLanes(options.filter);
    this.#collector = options.collect;
    this.#finishReasons = Array.from({ length: options.choices }, () => null);
    this.#unfinished = options.choices;
    if (options.begun !== undefined) {
      this.#createdSeconds = options.begun.createdSeconds;
      this.#gate.meter.resume(options.begun.usage);
      // Its role was told then.
      this.#encoder.delta({ index: 0, role: "assistant" });
    }
  }

  get begun(): boolean {
    return this.#gate.firstTokenAtMs !== undefined;
  }

  get ended(): StreamEnd | null {
    return this.#ended;
  }

  /** Seconds since 1970: the engine's, once it has said. */
  get createdSeconds(): number {
    return this.#createdSeconds ?? Math.floor(this.#options.createdMs / 1000);
  }

  totals(): AnswerTotals {
    const { meter, firstTokenAtMs } = this.#gate;
    return {
      ...meter.totals(),
      finishReasons: this.#finishReasons,
      ...(firstTokenAtMs === undefined ? {} : { firstTokenAtMs }),
      ...(this.#failureDetail === undefined ? {} : { failureDetail: this.#failureDetail }),
    };
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#ended !== null) return undefined;
    const read = this.#events.idle ? this.#plainEvents(bytes) : 0;
    if (read < bytes.length && this.#ended === null) {
      const rest = this.#events.feed(read === 0 ? bytes : bytes.subarray(read))
        ? this.resume()
        : encoded(this.#fail("origin-error", "an event is too long"));
      if (read === 0) return rest;
      if (rest !== undefined) this.#writer.append(rest);
    }
    return this.#writer.take();
  }

  /** Takes the plain events that `bytes` begins with, as long as there is room for them; returns where the next begins. */
  #plainEvents(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#ended === null && !this.#gate.mustWait) {
      const event = this.#template.bytes?.match(bytes, at) ?? null;
      const frame = event === null ? null : this.#encoder.frame();
      if (event === null || frame === null) break;
      if (!this.#gate.isUsual(event.completionTokens - this.#gate.meter.completionTokens)) break;
      if (!this.#plainBytes(bytes, event, frame)) break;
      at = event.end;
    }
    return at;
  }

  get resuming(): boolean {
    return this.#goingOn !== null && this.#goingOn.pending !== null && this.#ended === null;
  }

  takeSource(): ReadableStream<Uint8Array> | null {
    const source = this.#nextSource;
    this.#nextSource = null;
    return source;
  }

  resume(): Uint8Array | undefined {
    let text = this.resuming ? this.#resumed() : "";
    while (this.#ended === null && !this.resuming && !this.#gate.mustWait) {
      const data = this.#gate.takeHeld() ?? this.#events.next();
      if (data === undefined) break;
      text += this.#template.matches(data) ? this.#plain(data) : this.#parsed(data);
    }
    if (this.#collector?.mustBeWhole === true && this.#collector.overflowed && this.#ended === null)
      text += this.#failForGood("origin-error", "the answer is over the cap for answers that are assembled");
    return encoded(text);
  }

  get pending(): Promise<void> | null {
    if (this.resuming) return this.#goingOn?.pending ?? null;
    return this.#gate.pending;
  }

  finish(cause: SourceEnd): Uint8Array | undefined {
    if (this.#ended !== null) return undefined;
    if (cause === "client-gone") {
      this.#ended = "client-gone";
      return undefined;
    }
    // Nobody was found in time.
    if (this.resuming && cause !== "deadline") return encoded(this.#resumed());
    return encoded(cause === "source-ended" ? this.#sourceEnded() : this.#broken(cause));
  }

  /** The search for another engine is over. */
  #resumed(): string {
    const found = this.#goingOn?.outcome();
    if (found === undefined) throw new Error("nobody was looked for");
    if ("end" in found) return this.#failForGood(found.end, found.detail);
    if (found.kind === "complete") return this.#stop("length");
    const taken = this.#goingOn?.takeOver(found);
    if (taken !== undefined) this.#gate.meter.goOn(taken.kept, taken.delivered);
    this.#events = new SseEvents();
    this.#gate.takeHeld();
    this.#template = new EventTemplate(this.#options.engineApi);
    this.#nextSource = found.body;
    if (found.firstChunk !== null && !this.#events.feed(found.firstChunk))
      return this.#fail("origin-error", "an event is too long");
    return "";
  }

  /**
   * One event that only adds text to choice 0, seen in its bytes: no string is made of it unless someone reads it. False: it must wait
   * for the budget, and was not taken.
   */
  #plainBytes(bytes: Uint8Array, event: PlainEvent, frame: EventFrame): boolean {
    const isEmpty = event.from === event.to;
    const tokens = this.#gate.count(0, event.completionTokens, !isEmpty, false);
    if (tokens === noRoomYet) return false;
    if (tokens < 0) {
      this.#write(this.#conclude("budget-spent", "length"));
      return true;
    }
    if (this.#goingOn !== null) this.#goingOn.heardBytes(bytes, event, tokens);
    if (isEmpty) return true;
    if (this.#lanes === null && this.#collector === undefined) this.#writer.event(bytes, event, frame);
    else this.#write(this.#written(textOf(bytes, event)));
    return true;
  }

  #write(text: string): void {
    if (text !== "") this.#writer.append(utf8.encode(text));
  }

  /** An event that only adds text to choice 0, and needs no parsing. */
  #plain(data: string): string {
    const text = this.#template.text(data);
    const said = this.#template.completionTokens(data);
    const added = this.#gate.meter.added(0, said, text !== "");
    if (this.#gate.holds(data, added)) return "";
    const tokens = this.#gate.count(0, said, text !== "", false);
    if (tokens === noRoomYet) {
      this.#gate.hold(data, added);
      return "";
    }
    if (tokens < 0) return this.#conclude("budget-spent", "length");
    if (this.#goingOn !== null) this.#goingOn.heard(text, tokens);
    return text === "" ? "" : this.#written(text);
  }

  /** What the client gets for a text of choice 0 that was counted. */
  #written(text: string): string {
    let released = text;
    if (this.#lanes !== null) {
      const passed = this.#lanes.push("0/content", text);
      if (passed === null) return this.#conclude("blocked", "content_filter");
      if (passed === "") return "";
      released = passed;
    }
    this.#collector?.content(0, released);
    return this.#encoder.content(0, released === text ? `"${text}"` : JSON.stringify(released));
  }

  #parsed(data: string): string {
    if (data === "[DONE]") return this.#sourceEnded();
    const event = readEngineEvent(data, this.#options.engineApi);
    if (event.kind === "failure") return this.#fail("origin-error", event.detail);
    const { deltas, usage } = event;
    const only = deltas.length === 1 ? deltas[0] : undefined;
    const said = only === undefined || usage === null ? -1 : usage.completionTokens;
    if (only !== undefined && this.#gate.holds(data, this.#gate.meter.added(only.index, said, true)))
      return "";
    if (this.#createdSeconds === null && event.created !== null) {
      this.#createdSeconds = event.created;
      this.#encoder.begin(event.created);
    }
    if (usage !== null) {
      this.#gate.meter.prompt(usage);
      if (this.#goingOn?.moved !== true) this.#gate.promptCounted(usage.promptTokens);
    }
    if (deltas.length > 1 && this.#gate.holdsTogether(data, deltas.length)) return "";
    if (only !== undefined && this.#goingOn?.seamIsOpen !== true) this.#template.learn(data, only);
    let text = "";
    for (const delta of deltas) {
      if (this.#ended === null && !this.resuming)
        text += this.#delta(delta, said, only === undefined ? null : data);
    }
    // Some servers put the final usage on the finish chunk in place of a chunk of its own.
    const isFinal =
      deltas.length === 0 || (this.#options.choices === 1 && deltas[0]?.finishReason !== undefined);
    // It counts the event that it came with: where that waits for the budget, or ended the answer, that was not delivered.
    if (usage !== null && isFinal && this.#ended === null && !this.#gate.isHolding)
      this.#gate.meter.final(usage);
    return text;
  }

  /** @param alone the event, where this is all that it holds */
  #delta(raw: EngineDelta, said: number, alone: string | null): string {
    const choice = raw.index;
    if (choice >= this.#finishReasons.length)
      return this.#fail("origin-error", "a choice that was not asked for");
    const hasText = raw.content !== undefined && raw.content !== "";
    const thinks = raw.reasoning !== undefined;
    const carries = hasText || thinks || raw.toolCalls !== undefined || raw.refusal !== undefined;
    const tokens = this.#gate.count(choice, said, carries, thinks && !hasText);
    if (tokens === noRoomYet && alone !== null) {
      // The engine has just counted more of the prompt than was reserved: nothing was asked ahead for even one token.
      this.#gate.hold(alone, this.#gate.meter.added(choice, said, carries));
      return "";
    }
    if (tokens < 0) return this.#conclude("budget-spent", "length");
    const fresh = this.#goingOn === null ? { delta: raw, stopped: false } : this.#goingOn.read(raw, tokens);
    if (fresh === null) return this.#failForGood("origin-error", "the engine that went on began to think");
    const { delta } = fresh;
    let text = "";
    if (carries || delta.role !== undefined) {
      const passed = this.#lanes === null ? delta : this.#lanes.pass(delta);
      if (passed === null) return this.#conclude("blocked", "content_filter");
      text = this.#deliver(passed);
    }
    if (fresh.stopped) return text + this.#stop("stop");
    if (delta.finishReason === undefined) return text;
    return text + this.#finishChoice(choice, delta.finishReason, true);
  }

  #deliver(delta: EngineDelta): string {
    if (Object.keys(delta).length === 1) return "";
    this.#collector?.delta(delta);
    return this.#encoder.delta(delta);
  }

  #finishChoice(choice: number, reason: FinishReason, release: boolean): string {
    if (this.#finishReasons[choice] !== null) return "";
    let text = "";
    if (release && this.#lanes !== null) {
      const held = this.#lanes.flush(choice);
      if (held === null) return this.#conclude("blocked", "content_filter");
      for (const delta of held) text += this.#deliver(delta);
    }
    this.#finishReasons[choice] = reason;
    this.#unfinished--;
    this.#collector?.finish(choice, reason);
    return text + this.#encoder.finish(choice, reason);
  }

  /** The only choice is complete, though its engine did not say so. */
  #stop(reason: FinishReason): string {
    const text = this.#finishChoice(0, reason, true);
    return this.#ended === null ? text + this.#end("done") : text;
  }

  /** Ends the answer ourselves: whatever the engine would still say is not wanted. */
  #conclude(end: "budget-spent" | "blocked", reason: FinishReason): string {
    let text = "";
    for (let choice = 0; choice < this.#finishReasons.length; choice++) {
      text += this.#finishChoice(choice, reason, end === "budget-spent");
      // The guard may block what the budget's end would have released.
      if (this.#ended !== null) return text;
    }
    return text + this.#end(end);
  }

  #sourceEnded(): string {
    if (this.#unfinished > 0) return this.#fail("origin-error", "the stream ended without a finish reason");
    return this.#end("done");
  }

  #end(end: "done" | "budget-spent" | "blocked"): string {
    this.#ended = end;
    return this.#encoder.end(
      toWireUsage(this.#gate.meter.totals().usage, this.#options.price),
      this.#finishReasons[0] ?? "stop",
    );
  }

  #broken(cause: "source-failed" | "stalled" | "deadline"): string {
    return cause === "source-failed"
      ? this.#fail("origin-error", "the connection to the engine broke")
      : this.#fail(cause, cause);
  }

  #fail(end: StreamFailure, detail: string): string {
    const mayGoOn = end !== "deadline" && this.#unfinished > 0;
    if (mayGoOn && this.#goingOn !== null && this.#goingOn.tries({ end, detail })) return "";
    return this.#failForGood(end, detail);
  }

  #failForGood(end: StreamFailure, detail: string): string {
    this.#ended = end;
    this.#failureDetail = detail;
    return this.#encoder.failure(streamFailureError(end));
  }
}
