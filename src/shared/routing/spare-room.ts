/**
 * Has a replica room for work that nobody waits for (copies for shadows, lines of batches), without delaying interactive requests that may
 * come now?
 */
import { estimateLoad } from "./choice/load.ts";
import { isOffered, othersThere } from "./pool/pooled-view.ts";
import type { ClusterState, ReplicaState } from "./router-state.ts";

/** @param mostLoad the share of its slots above which there is none */
export function hasSpareRoom({ known, slots }: ReplicaState, mostLoad: number, nowMs: number): boolean {
  const { breaker, occupancy, polled, pooled } = known;
  if (breaker.state(nowMs) !== "closed" || breaker.waitMs(nowMs) > 0) return false;
  if (pooled === null) return estimateLoad(occupancy.requests, slots, polled, nowMs) < mostLoad;
  // Whole requests: what is believed a little less with every second is there or is not.
  const there = occupancy.requests + Math.ceil(othersThere(pooled, nowMs));
  return isOffered(pooled, nowMs) && there / slots < mostLoad;
}

/** A quarter of every replica's slots is left to people: they come at once, and lines of batches end after seconds. */
const mostLoadOfBatches = 0.75;
/** When whoever found no room may look again. */
export const spareRoomRetryMs = 1000;

/** The same clusters with those of their replicas alone that have room for lines of batches. */
export function withSpareRoom(clusters: readonly ClusterState[], nowMs: number): readonly ClusterState[] {
  return clusters.map((cluster) => ({
    ...cluster,
    replicas: cluster.replicas.filter((replica) => hasSpareRoom(replica, mostLoadOfBatches, nowMs)),
  }));
}
