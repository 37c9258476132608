/**
 * Which replica should be asked next? filter (health, zones, admin state, already tried, free slots) ▸ score (score.ts) ▸ pick
 * (pick.ts: the prefix's home, else a weighted draw). Clusters that the request may not use (model, region, residency) are not among `clusters`. Pure except
 * for the given randomness and time, and at most a few hundred nanoseconds for each replica.
 */
import type { AffinityKeys } from "./affinity.ts";
import type { Coordinates } from "./distance.ts";
import type { KeyHeat } from "./key-heat.ts";
import { pick, type Scored } from "./pick.ts";
import { isOffered, isWanted } from "../pool/pooled-view.ts";
import { rendezvous } from "./rendezvous.ts";
import { replicaLoad } from "./replica-load.ts";
import type { ClusterState, ReplicaState } from "../router-state.ts";
import { backlogMs, distanceCostMs, priceCostMs, roomCostMs, wayMs } from "./score.ts";
import type { ZoneHealth } from "./zone-health.ts";

/** The parts of a request that its replica depends on. */
export interface Wanted {
  readonly model: string;
  /** Of the client; null: unknown. */
  readonly from: Coordinates | null;
  /** The same, as pools learn by it. */
  readonly region: string | null;
  readonly promptTokens: number;
  /** Of prompt and answer. */
  readonly tokens: number;
  /** The keys by which its home is found; null: it has none. */
  readonly homeKey: number | null;
}

export interface Choice {
  readonly tried: readonly ReplicaState[];
  readonly zones: Pick<ZoneHealth, "admits">;
  readonly nowMs: number;
  readonly random: () => number;
}

/**
 * Being at home is worth this many times the computing of the whole prompt: more than once, since a prompt that goes elsewhere is
 * missed by all its later turns, too. And it is worth more when replicas have queues, since all who wait behind it wait less: as much
 * again with `homeQueueMs` of backlog. Figures: docs/decisions/0030-choice-of-replica.md.
 */
const homeWorth = 4;
const homeQueueMs = 3500;
/** The home is one of the replicas not much farther than the nearest. */
const homeWithinMs = 50;
/** How often isolates report their requests to their pools, about. */
const toldAfterMs = 500;
/** The age at which news counts as old; older is no worse. */
const maxNewsMs = 10_000;
/** A retry avoids the zone of what failed by so much. */
const sameZoneMs = 300;
/** A prompt beginning with more than this share of one replica's requests has no home. */
const hotShare = 0.5;

interface Candidate extends Scored {
  readonly replica: ReplicaState;
  readonly wayMs: number;
  /** A new request would not wait for another to end. */
  readonly hasRoom: boolean;
}

/**
 * The next replica, or null when none is left that may be asked. Replicas whose breaker or zone is open are a last resort, soonest to
 * close first: a wrong breaker must not refuse what a replica could still answer.
 */
export function choose(
  clusters: readonly ClusterState[],
  wanted: Wanted,
  choice: Choice,
): ReplicaState | null {
  const { tried, zones, nowMs, random } = choice;
  let candidates: Candidate[] = [];
  /** Replicas with an open breaker, by zone. */
  let opened: Map<string, number> | null = null;
  let withRoom = 0;
  let lastResort: ReplicaState | null = null;
  let leastWayMs = Number.POSITIVE_INFINITY;
  let backlogSumMs = 0;
  let workSumMs = 0;
  let requests = 0;
  let newsMs = 0;
  for (const { cluster, replicas } of clusters) {
    const distanceMs = distanceCostMs(wanted.from, cluster);
    const dollars = priceOf(cluster, wanted.model);
    const priceMs = dollars === 0 ? 0 : priceCostMs(wanted.tokens, dollars);
    for (const replica of replicas) {
      if (tried.length > 0 && tried.includes(replica)) continue;
      const { breaker, pooled } = replica.known;
      // An admin's state is never overridden; an open breaker is, as a last resort.
      if (pooled !== null && !isWanted(pooled)) continue;
      const offered = pooled === null || isOffered(pooled, nowMs);
      if (!offered || !breaker.admits(nowMs) || !zones.admits(replica, nowMs)) {
        if (replica.zone !== null && (breaker.state(nowMs) === "open" || pooled?.view.breaker === "open")) {
          opened ??= new Map();
          const name = zoneOf(replica);
          opened.set(name, (opened.get(name) ?? 0) + 1);
        }
        if (
          breaker.admitsLastResort(nowMs) &&
          (lastResort === null || breaker.waitMs(nowMs) < lastResort.known.breaker.waitMs(nowMs))
        )
          lastResort = replica;
        continue;
      }
      const load = replicaLoad(replica, nowMs);
      const learnedMs = wanted.region === null ? undefined : pooled?.view.latencyMs.get(wanted.region);
      const way = wayMs(distanceMs, learnedMs);
      const backlog = backlogMs(load);
      const zoneMs = tried.some((other) => other.zone !== null && sameZone(other, replica)) ? sameZoneMs : 0;
      leastWayMs = Math.min(leastWayMs, way);
      backlogSumMs += backlog;
      workSumMs += (1000 * wanted.promptTokens) / load.throughput;
      requests += load.requests;
      if (load.ageMs !== Number.POSITIVE_INFINITY) newsMs = Math.max(newsMs, load.ageMs + toldAfterMs);
      if (load.requests < replica.slots) withRoom += 1;
      candidates.push({
        replica,
        wayMs: way,
        hasRoom: load.requests < replica.slots,
        costMs: way + backlog + roomCostMs(load, replica.slots) + priceMs + zoneMs,
        weight: pooled?.view.weight ?? 1,
      });
    }
  }
  const count = candidates.length;
  if (count === 0) return lastResort;
  // Half a zone is open by what all isolates saw (the snapshot): its other half is left alone as well, until breakers half-open.
  if (opened !== null) {
    const zonesOpened = opened;
    const well = candidates.filter(({ replica }) => !isFailing(replica, zonesOpened));
    if (well.length > 0) candidates = well;
  }
  // No request waits while a slot is free.
  const free = withRoom === count ? candidates : candidates.filter(({ hasRoom }) => hasRoom);
  if (free.length > 0) candidates = free;
  const home = wanted.homeKey === null ? -1 : homeOf(wanted.homeKey, candidates, leastWayMs + homeWithinMs);
  const atHome = candidates[home];
  if (atHome !== undefined) {
    const promptMs = workSumMs / count;
    atHome.costMs -= promptMs * homeWorth * (1 + backlogSumMs / count / homeQueueMs);
  }
  // As many requests a replica as there are tell how busy the fleet is (of a queue with one server: q / (1 + q)), and so how
  // much has come since the news.
  const mean = requests / count;
  const staleMs = (mean / (1 + mean)) * Math.min(newsMs, maxNewsMs);
  return candidates[pick(candidates, home, staleMs, random)]?.replica ?? null;
}

/** Of a request's keys the one that finds its home: the shortest beginning that is not everybody's, else the conversation. */
export function homeKeyOf(
  { keys, conversationAt }: AffinityKeys,
  heat: KeyHeat,
  replicas: number,
): number | null {
  heat.saw(keys);
  for (let at = 0; at < conversationAt; at += 1) {
    const key = keys[at];
    if (key !== undefined && !heat.isHot(key, hotShare / replicas)) return key;
  }
  return keys[conversationAt] ?? null;
}

/** The candidate that wants the key most, of those within reach. -1: there is none. */
function homeOf(key: number, candidates: readonly Candidate[], withinMs: number): number {
  let home = -1;
  let most = -1;
  for (const [at, { replica, wayMs, weight }] of candidates.entries()) {
    if (wayMs > withinMs) continue;
    const wish = rendezvous(key, replica.seed, weight);
    if (wish <= most) continue;
    most = wish;
    home = at;
  }
  return home;
}

function zoneOf({ cluster, zone }: ReplicaState): string {
  return `${cluster} ${zone}`;
}

function isFailing(replica: ReplicaState, opened: ReadonlyMap<string, number>): boolean {
  if (replica.zone === null) return false;
  const count = opened.get(zoneOf(replica)) ?? 0;
  return count >= 2 && 2 * count >= replica.zonePeers;
}

function sameZone(left: ReplicaState, right: ReplicaState): boolean {
  return left.cluster === right.cluster && left.zone === right.zone;
}

/** US dollars for a million tokens, prompt and answer alike: good enough to tell a dear cluster from a cheap one. */
function priceOf(cluster: ClusterState["cluster"], model: string): number {
  for (const record of cluster.models)
    if (record.id === model) return (record.price.input + record.price.output) / 2;
  return 0;
}
