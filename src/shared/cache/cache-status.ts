import type { CacheDecision } from "./cache-policy.ts";
import type { CacheLookup } from "./ports.ts";

/**
 * What does `Cache-Status` (RFC 9211) say of this request? Headers leave before the answer is known to be complete, so
 * `stored` is never claimed. The key is never shown.
 */
export function cacheStatus(decision: CacheDecision, lookup: CacheLookup | null, isTooOld: boolean): string {
  if (lookup !== null && lookup.result === "hit" && !isTooOld)
    return `edgewise; hit; ttl=${lookup.ttlSeconds}; detail=exact`;
  // `request`: the client's Cache-Control asked for a new answer. `bypass`: requests like this one are not cached.
  if (isTooOld || decision.reason === "client-no-cache" || decision.reason === "client-no-store")
    return "edgewise; fwd=request";
  if (!decision.lookup) return `edgewise; fwd=bypass; detail=${decision.reason}`;
  return lookup !== null && lookup.result === "slow"
    ? "edgewise; fwd=miss; detail=slow"
    : "edgewise; fwd=miss";
}

/** @param ttlSeconds of the answer that was found; `null`: the look-up was too slow */
export function semanticStatus(ttlSeconds: number | null): string {
  return ttlSeconds === null
    ? "edgewise; fwd=miss; detail=slow"
    : `edgewise; hit; ttl=${ttlSeconds}; detail=semantic`;
}
