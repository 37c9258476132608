/**
 * Which replica shall be asked next? filter (health, what was tried) ▸ score (load, distance) ▸ pick (power of two among
 * near-equals). Pure but for the randomness and the time given.
 */
import { distanceKm, type Coordinates } from "./distance.ts";
import { estimateLoad } from "./load.ts";
import { isOffered, isWanted, pooledLoad } from "./pool/pooled-view.ts";
import type { ClusterState, ReplicaState } from "./router-state.ts";

interface Scored {
  readonly replica: ReplicaState;
  /** Milliseconds that going there is expected to cost before the first token, above an idle replica next door. */
  readonly costMs: number;
}

/** Light in fibre goes 200 km a millisecond; there and back, on routes half again as long as the great circle. */
const msPerKm = 0.015;
/** A full batch slows the first token by about this much. */
const fullBatchMs = 100;
/** Waiting for a whole batch's worth of requests to leave. */
const queueMs = 2000;
/** Within this of the best, or a tenth, is as good as the best: measurement is no finer, and herds are avoided. */
const nearEqualMs = 20;

/** What load costs: little while there are slots, much when there are none. Rises with load everywhere. */
export function loadCostMs(load: number): number {
  return load <= 1 ? fullBatchMs * load * load : fullBatchMs + queueMs * (load - 1);
}

/** What distance costs; nothing where the client's place is unknown. */
export function distanceCostMs(from: Coordinates | null, to: Coordinates): number {
  return from === null ? 0 : distanceKm(from, to) * msPerKm;
}

function score(replica: ReplicaState, distanceMs: number, nowMs: number): Scored {
  const { occupancy, polled, pooled } = replica.known;
  const load =
    pooled === null
      ? estimateLoad(occupancy.requests, replica.slots, polled, nowMs)
      : pooledLoad(occupancy.requests, replica.slots, pooled, nowMs);
  return { replica, costMs: distanceMs + loadCostMs(load) };
}

/**
 * Two at random of those near the best, and the cheaper of the two; of equals, the one with less token work of ours. A single
 * best would draw every isolate to the same replica until the next poll.
 */
function pick(scored: readonly Scored[], random: () => number): ReplicaState | null {
  let bestMs = Number.POSITIVE_INFINITY;
  for (const { costMs } of scored) bestMs = Math.min(bestMs, costMs);
  const limitMs = bestMs + Math.max(nearEqualMs, bestMs / 10);
  const near = scored.filter(({ costMs }) => costMs <= limitMs);
  const at = Math.floor(random() * near.length);
  const one = near[at];
  if (one === undefined) return null;
  if (near.length === 1) return one.replica;
  const other = near[(at + 1 + Math.floor(random() * (near.length - 1))) % near.length] ?? one;
  if (one.costMs !== other.costMs) return one.costMs < other.costMs ? one.replica : other.replica;
  const less = one.replica.known.occupancy.tokens <= other.replica.known.occupancy.tokens;
  return less ? one.replica : other.replica;
}

/**
 * The next replica for a request, or null when none is left that may be asked. Replicas that are open are a last resort,
 * soonest to close first: a wrong breaker must not refuse what a replica could still answer.
 */
export function choose(
  clusters: readonly ClusterState[],
  tried: readonly ReplicaState[],
  from: Coordinates | null,
  nowMs: number,
  random: () => number,
): ReplicaState | null {
  const scored: Scored[] = [];
  let lastResort: ReplicaState | null = null;
  for (const { cluster, replicas } of clusters) {
    const distanceMs = distanceCostMs(from, cluster);
    for (const replica of replicas) {
      if (tried.includes(replica)) continue;
      const { breaker, pooled } = replica.known;
      // An admin's word holds where a breaker's would give way.
      if (pooled !== null && !isWanted(pooled)) continue;
      if (breaker.admits(nowMs) && (pooled === null || isOffered(pooled, nowMs)))
        scored.push(score(replica, distanceMs, nowMs));
      else if (
        breaker.admitsLastResort(nowMs) &&
        (lastResort === null || breaker.waitMs(nowMs) < lastResort.known.breaker.waitMs(nowMs))
      )
        lastResort = replica;
    }
  }
  return pick(scored, random) ?? lastResort;
}
