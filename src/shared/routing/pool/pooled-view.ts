/**
 * What does this isolate add to its pool's picture of a replica? The picture holds some of the isolate's own requests already; those that
 * it does not hold yet are the isolate's credit: what keeps it from sending everything to the replica that looked idle a
 * second ago.
 */
import { confidence } from "../choice/load.ts";
import type { ReplicaView } from "./snapshot.ts";

/** A view as one isolate adopted it. */
export interface PooledView {
  readonly view: ReplicaView;
  /** When the snapshot was made. */
  readonly atMs: number;
  /** Requests in flight of this isolate, and their tokens, that `view` counts already. */
  readonly ownRequests: number;
  readonly ownTokens: number;
}

/** What runs and waits there beside this isolate's own requests, believed less with age: 0 from 30 s on. */
export function othersThere({ view, atMs, ownRequests }: PooledView, nowMs: number): number {
  return Math.max(0, view.running + view.waiting - ownRequests) * confidence(nowMs - atMs);
}

/** May it have requests at all? An admin's state, which does not age. */
export function isWanted({ view }: PooledView): boolean {
  return view.state === "active" && view.weight > 0;
}

/** May new requests go there, as far as its pool knows? A breaker's state counts as long as the snapshot does. */
export function isOffered(pooled: PooledView, nowMs: number): boolean {
  if (!isWanted(pooled)) return false;
  return pooled.view.breaker !== "open" || confidence(nowMs - pooled.atMs) === 0;
}
