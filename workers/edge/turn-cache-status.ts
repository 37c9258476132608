import type { TurnClaim } from "../../src/shared/turn/durable/turn-claim.ts";

const details = { key: "idempotency-key", body: "retry", dedup: "dedup", line: "batch" } as const;

/**
 * What does `Cache-Status` (RFC 9211) say of a durable turn? The answer cache is never asked for one: its answer is its own. Only
 * a claim leads to what was there before.
 *
 * @param attached the claim's turn ran already, or had ended: nothing was forwarded
 */
export function turnCacheStatus(claim: TurnClaim | null, attached: boolean): string {
  if (claim === null) return "edgewise; fwd=bypass; detail=durable";
  return `edgewise; ${attached ? "hit" : "fwd=miss"}; detail=${details[claim.by]}`;
}
