import type { Span } from "./span.ts";

/**
 * What stands between an answer's text and whoever reads it. One filter for each text that is read on its own: each
 * choice's content, its reasoning, each tool call's arguments.
 */
export interface TextFilter {
  /** Text that came in; returns what may go on now. */
  push(text: string): FilterStep;
  /** The text is at its end: what was kept back is decided. */
  flush(): FilterStep;
}

export interface FilterStep {
  /** May be shorter than what came in, longer, or empty. */
  readonly release: string;
  /** Found since the last step. */
  readonly spans: readonly Span[];
  /** Nothing goes on any more: end with `finish_reason: "content_filter"` after `release`, and abort the origin. */
  readonly blocked: boolean;
}
