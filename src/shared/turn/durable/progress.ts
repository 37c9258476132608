/** How far a run's answer has come, for the code that ends the turn or continues it in the run's place. */
import type { Usage } from "../../contracts/usage.ts";

/** Everything that was delivered so far. */
export interface Progress extends Usage {
  /**
   * Tokens of the present round that an engine continuing after the journal's text need not make again. Absent: all that the round
   * counted, or older code wrote it.
   */
  readonly keptTokens?: number;
}

/** The bill of a turn that ends at this point. */
export function usageOf({ keptTokens: _kept, ...usage }: Progress): Usage {
  return usage;
}
