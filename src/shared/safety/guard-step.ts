import type { Span } from "./span.ts";

/** What a guard returns after each piece of a text. */
export interface GuardStep {
  /** The text to send now: maybe shorter or longer than the input, or empty. */
  readonly release: string;
  /** Found since the last step. */
  readonly spans: readonly Span[];
  /** No more text may be sent. */
  readonly blocked: boolean;
}
