/** What does a run say of how far its answer has come, for whoever ends it or goes on with it in its place? */
import type { Usage } from "../../contracts/usage.ts";

/** What was delivered so far, all told. */
export interface Progress extends Usage {
  /**
   * Of the present round: tokens that an engine which goes on behind the journal's text need not make again. Absent: all that the round
   * counted, or older code wrote it.
   */
  readonly keptTokens?: number;
}

/** The bill of a turn that ends there. */
export function usageOf({ keptTokens: _kept, ...usage }: Progress): Usage {
  return usage;
}
