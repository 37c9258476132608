/**
 * How does an answer continue whose engine failed after its first byte? The port between the pass (answer-pass.ts), which sees the failure
 * and the seam, and the code that finds another engine (turn/answering-engine.ts).
 */
import type { Seam } from "./seam.ts";
import type { Cut, Transcript } from "./transcript.ts";

export type Resumption =
  /** Another engine says the rest. */
  | {
      readonly kind: "source";
      readonly cut: Cut;
      readonly seam: Seam;
      /** The part of its answer that was read already; `null`: none. */
      readonly firstChunk: Uint8Array | null;
      readonly body: ReadableStream<Uint8Array>;
    }
  /** All tokens that were asked for are there. */
  | { readonly kind: "complete" };

export interface SourceFailure {
  readonly end: "origin-error" | "stalled";
  /** What the engine said. For the log, never for the wire. */
  readonly detail: string;
}

export interface AnswerContinuer {
  /** Takes what the engine says, before the guard. */
  readonly transcript: Transcript;
  /**
   * Tokens that an engine continuing after the sent text need not make again, if the last `held` characters were not sent. `null`: all
   * that were counted.
   */
  keptTokens(held: number): number | null;
  /** `null`: the answer must not continue. Never rejects; resolves with `null` if no engine continues it. */
  goOn(failure: SourceFailure): Promise<Resumption | null> | null;
}
