/**
 * The part of the pass over an answer (answer-pass.ts) that ends it: choice by choice, each with a reason, and then the whole, well or not.
 * It returns the bytes that the client gets for it.
 */
import type { AnswerCollector } from "./answer-collector.ts";
import type { AnswerEncoder } from "./answer-encoder.ts";
import type { AnswerPassOptions } from "./answer-options.ts";
import type { EngineDelta, FinishReason } from "./engine-event.ts";
import type { FilteredLanes } from "./filtered-lanes.ts";
import { inPieces } from "./long-delta.ts";
import { streamFailureError, type StreamEnd, type StreamFailure } from "./stream-failure.ts";
import type { UsageMeter } from "./usage-meter.ts";
import { toWireUsage, type Price } from "./wire-usage.ts";

export class AnswerEnding {
  readonly #encoder: AnswerEncoder;
  readonly #lanes: FilteredLanes | null;
  readonly #collector: AnswerCollector | undefined;
  readonly #meter: UsageMeter;
  readonly #price: Price | undefined;
  /** By choice; `null`: none yet. */
  readonly finishReasons: (FinishReason | null)[];
  /** Choices without a reason. */
  unfinished: number;
  /** How the whole ended; `null`: not yet. */
  ended: StreamEnd | null = null;
  /** For the log, never for the wire. */
  failureDetail: string | undefined;

  constructor(
    options: AnswerPassOptions,
    encoder: AnswerEncoder,
    lanes: FilteredLanes | null,
    meter: UsageMeter,
  ) {
    this.#encoder = encoder;
    this.#lanes = lanes;
    this.#collector = options.collect;
    this.#meter = meter;
    this.#price = options.price;
    this.finishReasons = Array.from({ length: options.choices }, () => null);
    this.unfinished = options.choices;
  }

  deliver(delta: EngineDelta): string {
    if (Object.keys(delta).length === 1) return "";
    let text = "";
    for (const piece of inPieces(delta)) {
      this.#collector?.delta(piece);
      text += this.#encoder.delta(piece);
    }
    return text;
  }

  finishChoice(choice: number, reason: FinishReason, release: boolean): string {
    if (this.finishReasons[choice] !== null) return "";
    let text = "";
    if (release && this.#lanes !== null) {
      const held = this.#lanes.flush(choice);
      if (held === null) return this.conclude("blocked", "content_filter");
      for (const delta of held) text += this.deliver(delta);
    }
    this.finishReasons[choice] = reason;
    this.unfinished--;
    this.#collector?.finish(choice, reason);
    return text + this.#encoder.finish(choice, reason);
  }

  /** The only choice is complete, though its engine did not say so. */
  stop(reason: FinishReason): string {
    const text = this.finishChoice(0, reason, true);
    return this.ended === null ? text + this.end("done") : text;
  }

  /** Ends the answer ourselves: whatever the engine would still say is not wanted. */
  conclude(end: "budget-spent" | "blocked", reason: FinishReason): string {
    let text = "";
    for (let choice = 0; choice < this.finishReasons.length; choice++) {
      text += this.finishChoice(choice, reason, end === "budget-spent");
      // The guard may block what the budget's end would have released.
      if (this.ended !== null) return text;
    }
    return text + this.end(end);
  }

  end(end: "done" | "budget-spent" | "blocked"): string {
    this.ended = end;
    return this.#encoder.end(
      toWireUsage(this.#meter.totals().usage, this.#price),
      this.finishReasons[0] ?? "stop",
    );
  }

  fail(end: StreamFailure, detail: string): string {
    this.ended = end;
    this.failureDetail = detail;
    return this.#encoder.failure(streamFailureError(end));
  }
}
