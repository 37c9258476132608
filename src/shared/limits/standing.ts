import type { BucketLane } from "./bucket-lane.ts";
import type { LimitStanding } from "./ports.ts";

const unlimited = { limit: Infinity, remaining: Infinity, resetMs: 0, name: "" } as const;

/**
 * For each unit, the limit nearest to refusal among all buckets that a request is charged to. Tokens on loan to this isolate count as
 * unused.
 */
export function standingOf(lanes: readonly BucketLane[]): LimitStanding {
  return { requests: nearest(lanes, "requests"), tokens: nearest(lanes, "tokens") };
}

function nearest(lanes: readonly BucketLane[], unit: "requests" | "tokens"): LimitStanding["requests"] {
  let found: LimitStanding["requests"] = unlimited;
  let foundShare = Infinity;
  for (const lane of lanes) {
    const standing = lane.standing?.[unit];
    if (standing === undefined || standing === null) continue;
    const remaining = Math.min(standing.limit, standing.remaining + (lane.loan?.left[unit] ?? 0));
    const share = remaining / standing.limit;
    if (share >= foundShare) continue;
    foundShare = share;
    const name = `${standing.of ?? lane.scope}/${standing.name}`;
    found = { limit: standing.limit, remaining, resetMs: standing.resetMs, name };
  }
  return found;
}
