/** What the plumbing of a stream (relay.ts) knows of the pass that bytes go through (answer-pass.ts): ports only. */
import type { StreamEnd } from "./stream-failure.ts";

/** Why no more bytes come from the engine. */
export type SourceEnd = "source-ended" | "source-failed" | "stalled" | "deadline" | "client-gone";

export interface StreamPass {
  /** A token was seen: what follows is a gap between tokens, no longer the wait for the first. */
  readonly begun: boolean;
  /** Set once the pass has said its last: nothing more is pushed, and the source is let go. */
  readonly ended: StreamEnd | null;
  /** One read's bytes in; what the client gets for them, in one write, or nothing yet. */
  push(bytes: Uint8Array): Uint8Array | undefined;
  /**
   * Set while the pass must wait with its input (the token budget is being raised): nothing more is pushed until
   * it resolves, then `resume` is called. Never rejects.
   */
  readonly pending: Promise<void> | null;
  /** As `push`, for what was held while `pending`. */
  resume(): Uint8Array | undefined;
  /** The source failed and another is looked for: `pending` until it is found or given up, then `resume`. */
  readonly resuming: boolean;
  /** After `resume`: the source to read from instead, once; `null`: the same as before. */
  takeSource(): ReadableStream<Uint8Array> | null;
  /** Sets `ended`, and gives the last bytes; or `resuming`. Called only while `ended` is null. */
  finish(cause: SourceEnd): Uint8Array | undefined;
}
