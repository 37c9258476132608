/**
 * One pass over an engine's stream: every event is read once, counted, guarded, rewritten into what the client asked for,
 * and gathered where someone needs the whole. Nothing else between the engine and the client looks at the bytes.
 *
 *   bytes ▸ events ▸ count (budget) ▸ filter (guard) ▸ collect ▸ encode ▸ bytes
 *
 * An answer ends well only with a finish reason for each of its choices; everything else goes on with another engine
 * (going-on.ts), or is one error event without `[DONE]` (answer-ending.ts). See docs/decisions/0003-one-pass-stream.md.
 */
import type { AnswerCollector } from "./answer-collector.ts";
import type { AnswerEncoder } from "./answer-encoder.ts";
import { AnswerEnding } from "./answer-ending.ts";
import type { AnswerPassOptions, AnswerTotals } from "./answer-options.ts";
import { readEngineEvent, type EngineDelta } from "./engine-event.ts";
import { CallsInOrder, finishOf } from "./calls-in-order.ts";
import { encoderFor } from "./encoder-for.ts";
import { EventGate, noRoomYet } from "./event-gate.ts";
import { EventWriter } from "./event-writer.ts";
import { FilteredLanes } from "./filtered-lanes.ts";
import { GoingOn } from "./going-on.ts";
import { hasEntries } from "./logprobs.ts";
import { PlainPath } from "./plain-path.ts";
import { SseEvents } from "./sse-events.ts";
import type { StreamEnd, StreamFailure } from "./stream-failure.ts";
import type { SourceEnd, StreamPass } from "./stream-pass.ts";

const utf8 = new TextEncoder();

function encoded(text: string): Uint8Array | undefined {
  return text === "" ? undefined : utf8.encode(text);
}

export class AnswerPass implements StreamPass {
  readonly #options: AnswerPassOptions;
  readonly #goingOn: GoingOn | null;
  #events = new SseEvents();
  readonly #plain: PlainPath;
  readonly #writer = new EventWriter();
  readonly #encoder: AnswerEncoder;
  readonly #gate: EventGate;
  readonly #lanes: FilteredLanes | null;
  readonly #collector: AnswerCollector | undefined;
  readonly #ending: AnswerEnding;
  readonly #calls = new CallsInOrder();
  #createdSeconds: number | null = null;
  #nextSource: ReadableStream<Uint8Array> | null = null;

  constructor(options: AnswerPassOptions) {
    this.#options = options;
    this.#goingOn = options.continuer === undefined ? null : new GoingOn(options.continuer);
    this.#encoder = encoderFor(options);
    this.#gate = new EventGate(options);
    this.#lanes = options.filter === undefined ? null : new FilteredLanes(options.filter);
    this.#collector = options.collect;
    this.#ending = new AnswerEnding(options, this.#encoder, this.#lanes, this.#gate.meter);
    this.#plain = new PlainPath(options.engineApi, {
      encoder: this.#encoder,
      gate: this.#gate,
      lanes: this.#lanes,
      collector: this.#collector,
      ending: this.#ending,
      goingOn: this.#goingOn,
      writer: this.#writer,
    });
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
    return this.#ending.ended;
  }

  /**
   * Of the tokens of `totals`, those that an engine which goes on behind what the client has need not make again. `null`: all of them, or
   * the answer does not go on.
   */
  get keptTokens(): number | null {
    return this.#goingOn?.keptTokens(this.#lanes?.held ?? 0) ?? null;
  }

  /** Seconds since 1970: the engine's, once it has said. */
  get createdSeconds(): number {
    return this.#createdSeconds ?? Math.floor(this.#options.createdMs / 1000);
  }

  totals(): AnswerTotals {
    const { meter, firstTokenAtMs } = this.#gate;
    const { finishReasons, failureDetail } = this.#ending;
    return {
      ...meter.totals(),
      finishReasons,
      ...(firstTokenAtMs === undefined ? {} : { firstTokenAtMs }),
      ...(failureDetail === undefined ? {} : { failureDetail }),
    };
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#ending.ended !== null) return undefined;
    const read = this.#events.idle ? this.#plain.takeBytes(bytes) : 0;
    if (read < bytes.length && this.#ending.ended === null) {
      const rest = this.#events.feed(read === 0 ? bytes : bytes.subarray(read))
        ? this.resume()
        : encoded(this.#fail("origin-error", "an event is too long"));
      if (read === 0) return rest;
      if (rest !== undefined) this.#writer.append(rest);
    }
    return this.#writer.take();
  }

  get resuming(): boolean {
    return this.#goingOn !== null && this.#goingOn.pending !== null && this.#ending.ended === null;
  }

  takeSource(): ReadableStream<Uint8Array> | null {
    const source = this.#nextSource;
    this.#nextSource = null;
    return source;
  }

  resume(): Uint8Array | undefined {
    let text = this.resuming ? this.#resumed() : "";
    while (this.#ending.ended === null && !this.resuming && !this.#gate.mustWait) {
      const data = this.#gate.takeHeld() ?? this.#events.next();
      if (data === undefined) break;
      text += this.#plain.matches(data) ? this.#plain.take(data) : this.#parsed(data);
    }
    if (this.#collector?.mustBeWhole === true && this.#collector.overflowed && this.#ending.ended === null)
      text += this.#ending.fail("origin-error", "the answer is over the cap for answers that are assembled");
    return encoded(text);
  }

  get pending(): Promise<void> | null {
    if (this.resuming) return this.#goingOn?.pending ?? null;
    return this.#gate.pending;
  }

  finish(cause: SourceEnd): Uint8Array | undefined {
    if (this.#ending.ended !== null) return undefined;
    if (cause === "client-gone") {
      this.#ending.ended = "client-gone";
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
    if ("end" in found) return this.#ending.fail(found.end, found.detail);
    if (found.kind === "complete") return this.#ending.stop("length");
    const taken = this.#goingOn?.takeOver(found);
    if (taken !== undefined) this.#gate.meter.goOn(taken.kept, taken.delivered);
    this.#events = new SseEvents();
    this.#gate.takeHeld();
    this.#plain.forget();
    this.#nextSource = found.body;
    if (found.firstChunk !== null && !this.#events.feed(found.firstChunk))
      return this.#fail("origin-error", "an event is too long");
    return "";
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
    if (only !== undefined && this.#goingOn?.seamIsOpen !== true) this.#plain.learn(data, only);
    let text = "";
    for (const delta of deltas) {
      if (this.#ending.ended === null && !this.resuming)
        text += this.#delta(delta, said, only === undefined ? null : data);
    }
    // Some servers put the final usage on the finish chunk in place of a chunk of its own.
    const isFinal =
      deltas.length === 0 || (this.#options.choices === 1 && deltas[0]?.finishReason !== undefined);
    // It counts the event that it came with: where that waits for the budget, or ended the answer, that was not delivered.
    if (usage !== null && isFinal && this.#ending.ended === null && !this.#gate.isHolding)
      this.#gate.meter.final(usage);
    return text;
  }

  /** @param alone the event, where this is all that it holds */
  #delta(event: EngineDelta, said: number, alone: string | null): string {
    const choice = event.index;
    if (choice >= this.#ending.finishReasons.length)
      return this.#fail("origin-error", "a choice that was not asked for");
    // A second finish reason (SGLang's), or text behind the first: its readers have stopped, and the guard has let go of what it held.
    if (this.#ending.finishReasons[choice] !== null) return "";
    const hasText = event.content !== undefined && event.content !== "";
    const thinks = event.reasoning !== undefined;
    const carries = hasText || thinks || event.toolCalls !== undefined || event.refusal !== undefined;
    const tokens = this.#gate.count(choice, said, carries, thinks && !hasText);
    if (tokens === noRoomYet && alone !== null) {
      // The engine has just counted more of the prompt than was reserved: nothing was asked ahead for even one token.
      this.#gate.hold(alone, this.#gate.meter.added(choice, said, carries));
      return "";
    }
    if (tokens < 0) return this.#ending.conclude("budget-spent", "length");
    const raw = this.#calls.read(event);
    const fresh = this.#goingOn === null ? { delta: raw, stopped: false } : this.#goingOn.read(raw, tokens);
    if (fresh === null) return this.#ending.fail("origin-error", "the engine that went on began to think");
    const { delta } = fresh;
    let text = "";
    if (carries || delta.role !== undefined || hasEntries(delta.logprobs)) {
      const passed = this.#lanes === null ? delta : this.#lanes.pass(delta);
      if (passed === null) return this.#ending.conclude("blocked", "content_filter");
      text = this.#ending.deliver(passed);
    }
    if (fresh.stopped) return text + this.#ending.stop("stop");
    if (delta.finishReason === undefined) return text;
    if (choice === 0) this.#plain.forget();
    const finish = finishOf(delta.finishReason, this.#calls.hasCalls(choice), this.#options.namesTool);
    return text + this.#ending.finishChoice(choice, finish, true);
  }

  #sourceEnded(): string {
    if (this.#ending.unfinished > 0)
      return this.#fail("origin-error", "the stream ended without a finish reason");
    return this.#ending.end("done");
  }

  #broken(cause: "source-failed" | "stalled" | "deadline"): string {
    return cause === "source-failed"
      ? this.#fail("origin-error", "the connection to the engine broke")
      : this.#fail(cause, cause);
  }

  #fail(end: StreamFailure, detail: string): string {
    const mayGoOn = end !== "deadline" && this.#ending.unfinished > 0;
    if (mayGoOn && this.#goingOn !== null && this.#goingOn.tries({ end, detail })) return "";
    return this.#ending.fail(end, detail);
  }
}
