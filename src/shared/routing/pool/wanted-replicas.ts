/**
 * How many replicas should one model have at one cluster? For autoscalers. Load is counted in requests per slot, since slots are what a
 * replica runs out of; queued tokens say how much work is waiting.
 */

/** Share of its places that a replica should have in use: above it queues form at every burst. */
const targetUse = 0.75;
/** At most so many times as many as there are: the next look will ask for more. */
const mostGrowth = 3;

export interface ScalingFacts {
  /** Replicas that may be asked, and their places together. */
  readonly replicas: number;
  readonly places: number;
  /** Requests at them, running and waiting, and those in the queue. */
  readonly there: number;
  readonly queued: number;
  /** Places of one, where there is none to ask. */
  readonly placesOfOne: number;
}

/** Requests there and in the queue over places; above 1, some wait. With nobody to ask and somebody to serve: 1 a request. */
export function saturation({ places, there, queued }: ScalingFacts): number {
  return places === 0 ? queued + there : (there + queued) / places;
}

/** At least 1: scaling to zero must go by traffic, which a replica that does not run can't see. */
export function wantedReplicas(facts: ScalingFacts): number {
  const { replicas, places, there, queued } = facts;
  const ofOne = replicas === 0 ? facts.placesOfOne : places / replicas;
  const wanted = Math.ceil((there + queued) / Math.max(1, ofOne * targetUse) - 1e-9);
  return Math.max(1, Math.min(wanted, Math.max(1, replicas) * mostGrowth));
}
