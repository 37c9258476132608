/**
 * Is a whole zone failing? Replicas of one zone share power, network and often the tunnel: when several of them fail within moments,
 * the rest will, and finding that out one request at a time costs more than asking elsewhere first. A breaker over the
 * replicas' breakers: passive, without timers, a function of the time given.
 */
import { hasPassed, leftUntil } from "../elapsed.ts";
import type { ReplicaState } from "../router-state.ts";

/** Failures this close together count as one event. */
const windowMs = 5000;
/** At least so many replicas of the zone, and at least half of those known. */
const leastReplicas = 2;
const leastShare = 0.5;
/** First time open; doubles with every trip in a row, up to the most. */
const openMs = 3000;
const maxOpenMs = 15_000;
/** A trip this long after the last one is a new event, and opens for the shortest time again. */
const calmMs = 60_000;
/** While half-open, one request is let in each time this has passed, until one succeeds. */
const trialMs = 1000;

interface Zone {
  /** When each replica failed last, with no success since. */
  readonly failedAtMs: Map<string, number>;
  openUntilMs: number;
  trialAtMs: number;
  trips: number;
  trippedAtMs: number;
}

export class ZoneHealth {
  readonly #zones = new Map<string, Zone>();

  /** Replicas without a zone are not watched: they need not fail together. */
  failed(replica: ReplicaState, nowMs: number): void {
    const name = nameOf(replica);
    if (name === null) return;
    const zone = this.#zones.get(name) ?? blank();
    this.#zones.set(name, zone);
    zone.failedAtMs.set(replica.id, nowMs);
    const isOpen = leftUntil(zone.openUntilMs, nowMs, maxOpenMs) > 0;
    const halfOpen = zone.openUntilMs > 0 && !isOpen;
    let failing = 0;
    for (const atMs of zone.failedAtMs.values()) if (nowMs - atMs < windowMs) failing += 1;
    const correlated = failing >= leastReplicas && failing >= leastShare * replica.zonePeers;
    if (isOpen || !(halfOpen || correlated)) return;
    // A replica that never comes back is no reason to doubt its zone for good.
    if (nowMs - zone.trippedAtMs >= calmMs) zone.trips = 0;
    zone.trippedAtMs = nowMs;
    zone.openUntilMs = nowMs + Math.min(maxOpenMs, openMs * 2 ** zone.trips);
    zone.trips = Math.min(zone.trips + 1, 8);
    zone.trialAtMs = Number.NEGATIVE_INFINITY;
  }

  /** A first byte came from it: the zone is there again. */
  succeeded(replica: ReplicaState): void {
    if (this.#zones.size === 0) return;
    const name = nameOf(replica);
    const zone = name === null ? undefined : this.#zones.get(name);
    if (zone === undefined) return;
    zone.failedAtMs.delete(replica.id);
    zone.openUntilMs = 0;
    if (zone.failedAtMs.size === 0) zone.trips = 0;
  }

  /** May a request go to this replica's zone now? Asking takes nothing: `begins` takes the trial of a half-open zone. */
  admits(replica: ReplicaState, nowMs: number): boolean {
    const zone = this.#open(replica);
    if (zone === null) return true;
    return leftUntil(zone.openUntilMs, nowMs, maxOpenMs) === 0 && hasPassed(zone.trialAtMs, nowMs, trialMs);
  }

  begins(replica: ReplicaState, nowMs: number): void {
    const zone = this.#open(replica);
    if (zone !== null && leftUntil(zone.openUntilMs, nowMs, maxOpenMs) === 0) zone.trialAtMs = nowMs;
  }

  /** For a look from outside. */
  state(cluster: string, zone: string, nowMs: number): "closed" | "half-open" | "open" {
    const found = this.#zones.get(`${cluster} ${zone}`);
    if (found === undefined || found.openUntilMs === 0) return "closed";
    return leftUntil(found.openUntilMs, nowMs, maxOpenMs) > 0 ? "open" : "half-open";
  }

  /** The zone of this replica, if its breaker is not closed. */
  #open(replica: ReplicaState): Zone | null {
    if (this.#zones.size === 0) return null;
    const name = nameOf(replica);
    const zone = name === null ? undefined : this.#zones.get(name);
    return zone === undefined || zone.openUntilMs === 0 ? null : zone;
  }
}

function nameOf({ cluster, zone }: ReplicaState): string | null {
  return zone === null ? null : `${cluster} ${zone}`;
}

function blank(): Zone {
  const never = Number.NEGATIVE_INFINITY;
  return { failedAtMs: new Map(), openUntilMs: 0, trialAtMs: never, trips: 0, trippedAtMs: never };
}
