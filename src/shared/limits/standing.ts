import type { BucketLane } from "./bucket-lane.ts";
import type { LimitSet } from "./defaults.ts";
import type { LimitStanding } from "./ports.ts";

const unlimited = { limit: Infinity, remaining: Infinity, resetMs: 0, name: "" } as const;

/** One of a request's buckets, and what limits it there. */
interface Charged {
  readonly lane: BucketLane;
  readonly limits: LimitSet;
}

/**
 * For each unit, the limit nearest to refusal among all buckets that a request is charged to. Tokens on loan to this isolate count as
 * unused.
 */
export function standingOf(shares: readonly Charged[]): LimitStanding {
  return { requests: nearest(shares, "requests"), tokens: nearest(shares, "tokens") };
}

function nearest(shares: readonly Charged[], unit: "requests" | "tokens"): LimitStanding["requests"] {
  let found: LimitStanding["requests"] = unlimited;
  let foundShare = Infinity;
  for (const { lane, limits } of shares) {
    const standing = lane.standingUnder(limits)?.[unit];
    if (standing === undefined || standing === null) continue;
    const remaining = Math.min(
      standing.limit,
      standing.remaining + (lane.loanUnder(limits)?.left[unit] ?? 0),
    );
    const share = remaining / standing.limit;
    if (share >= foundShare) continue;
    foundShare = share;
    const name = `${standing.of ?? lane.scope}/${standing.name}`;
    found = { limit: standing.limit, remaining, resetMs: standing.resetMs, name };
  }
  return found;
}
