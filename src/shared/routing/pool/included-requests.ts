import type { InFlight, Occupancy } from "../in-flight.ts";
import type { ClusterState } from "../router-state.ts";
import type { PoolSnapshot } from "./snapshot.ts";

/**
 * Which of this isolate's requests does a pool's snapshot hold, at each replica? Those that the pool was told of before, and those that a
 * poll met. They are taken off what the snapshot says: an isolate counts its own by itself.
 */
export function includedRequests(
  inFlight: InFlight,
  snapshot: PoolSnapshot,
  cluster: ClusterState,
): ReadonlyMap<Occupancy, Occupancy> {
  const polledAtMs = new Map(snapshot.replicas.map((view) => [view.id, view.polledAtMs]));
  const polled = new Map<Occupancy, number>();
  for (const { id, known } of cluster.replicas)
    polled.set(known.occupancy, polledAtMs.get(id) ?? Number.NEGATIVE_INFINITY);
  const included = new Map<Occupancy, Occupancy>();
  for (const { occupancy, tokens, takenAtMs, knownAtMs } of inFlight.held()) {
    const atMs = polled.get(occupancy);
    if (atMs === undefined || (takenAtMs > atMs && knownAtMs > snapshot.atMs)) continue;
    const own = included.get(occupancy) ?? { requests: 0, tokens: 0 };
    included.set(occupancy, own);
    own.requests += 1;
    own.tokens += tokens;
  }
  return included;
}
