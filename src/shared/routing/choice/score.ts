/**
 * What would it cost to go to this replica? One number, in milliseconds until the first token: the way there, the work before
 * ours, the batch and the key-value cache that ours must find room in, and what dearer tokens are worth in time.
 */
import { distanceKm, type Coordinates } from "./distance.ts";
import type { ReplicaLoad } from "./replica-load.ts";

/** Light in fibre goes 200 km a millisecond; there and back, on routes half again as long as the great circle. */
const msPerKm = 0.015;
/** A full batch slows the first token by about this much. */
const fullBatchMs = 100;
/** The time that waiting for a whole batch of requests to end takes. */
const queueMs = 2000;
/** An engine's first byte takes at least so long; what was learned of a replica has it in it already. */
const leastFirstByteMs = 30;
/** A tenth of a cent a request is worth this many milliseconds of its first token's time. */
const msPerDollar = 100_000;
/** A snapshot's backlog is worked off while it travels; half of that is made up for by what arrives. */
const drained = 0.5;

/** What load costs: little while there are slots, much when there are none. Rises with load everywhere. */
export function loadCostMs(load: number): number {
  return load <= 1 ? fullBatchMs * load * load : fullBatchMs + queueMs * (load - 1);
}

/** What distance costs; nothing where the client's place is unknown. */
export function distanceCostMs(from: Coordinates | null, to: Coordinates): number {
  return from === null ? 0 : distanceKm(from, to) * msPerKm;
}

/** The way there: as learned for that client region, else by distance. */
export function wayMs(distanceMs: number, learnedMs: number | undefined): number {
  return learnedMs ?? distanceMs + leastFirstByteMs;
}

/** The time that the work at a replica takes before ours is looked at. */
export function backlogMs({ tokens, throughput, ageMs }: ReplicaLoad): number {
  const worked = ageMs === Number.POSITIVE_INFINITY ? 0 : drained * ageMs;
  return Math.max(0, (1000 * tokens) / throughput - worked);
}

/** Room in the batch and in the key-value cache: one that is nearly full preempts requests, so it is full before its slots are. */
export function roomCostMs({ requests, cacheUsage }: ReplicaLoad, slots: number): number {
  return loadCostMs(requests / slots + Math.max(0, cacheUsage - 0.9) * 5);
}

/** What a request's price is worth in time. `dollarsPerMillion`: of a token at this cluster. */
export function priceCostMs(tokens: number, dollarsPerMillion: number): number {
  return ((tokens * dollarsPerMillion) / 1_000_000) * msPerDollar;
}
