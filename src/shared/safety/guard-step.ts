import type { Span } from "./span.ts";

/** What a guard returns after each piece of one text. */
export interface GuardStep {
  /** What may go on now: shorter than what came in, longer, or empty. */
  readonly release: string;
  /** Found since the last step. */
  readonly spans: readonly Span[];
  /** Nothing goes on any more. */
  readonly blocked: boolean;
}
