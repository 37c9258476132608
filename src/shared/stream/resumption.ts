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
      /** What was read of its answer already; `null`: nothing. */
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
   * Tokens that an engine which goes on behind what was told need not make again, where the last `held` characters were not told. `null`: all
   * that were counted.
   */
  keptTokens(held: number): number | null;
  /** `null`: the answer must not go on. Never rejects; resolves with `null` where nobody goes on. */
  goOn(failure: SourceFailure): Promise<Resumption | null> | null;
}
