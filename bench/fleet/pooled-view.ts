/** A replica's view as a pool's snapshot brings it, for simulations: only its load differs. */
import type { PooledView } from "../../src/shared/routing/pool/pooled-view.ts";
import type { Counts } from "./world.ts";

export function pooledView(
  id: string,
  there: Readonly<Counts>,
  kvUsage: number | null,
  atMs: number,
  counted: Readonly<Counts> = { requests: 0, tokens: 0 },
  slots = 64,
  throughput: number | null = null,
): PooledView {
  return {
    atMs,
    ownRequests: counted.requests,
    ownTokens: counted.tokens,
    view: {
      id,
      state: "active",
      slots,
      running: Math.min(slots, there.requests),
      waiting: Math.max(0, there.requests - slots),
      polledAtMs: atMs,
      leases: there.requests,
      queuedTokens: there.tokens,
      throughput,
      kvUsage,
      breaker: "closed",
      weight: 1,
      startedAtMs: 0,
      zone: null,
      latencyMs: new Map(),
      url: null,
    },
  };
}
