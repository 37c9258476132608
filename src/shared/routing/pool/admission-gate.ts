/**
 * May a request go at once, or must it wait for its turn? At once, where some replica has room and nobody waits for it: that costs no
 * call. Else it asks the pools of all its clusters and takes the first place that is granted; the other places go back. If pools
 * can't answer (old data, out of reach, too many requests), it goes anyway, up to a bound: the engines' own queues hold it then.
 */
import type { LeaveSignal } from "../../contracts/leave-signal.ts";
import type { Background } from "../../contracts/background.ts";
import { coordinates, distanceKm } from "../choice/distance.ts";
import type { OriginRequest } from "../ports.ts";
import type { ClusterState, ReplicaState, RouterState } from "../router-state.ts";
import type { PoolLink } from "./pool-link.ts";
import type { PoolLinks } from "./pool-links.ts";
import { poolVersion, type AskOutcome } from "./pool-protocol.ts";
import { isOffered } from "./pooled-view.ts";

export interface GateDeps {
  readonly state: Pick<RouterState, "inFlight">;
  readonly background: Background;
  readonly now: () => number;
  readonly random: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

export type Passage =
  | { readonly kind: "free" }
  /** Go to this replica, with the lease of this number. */
  | { readonly kind: "granted"; readonly replica: ReplicaState; readonly number: number }
  | { readonly kind: "overloaded"; readonly retryAfterMs: number };

/** The longest that a request waits for a place. */
const queueWaitMs = 10_000;
/** How much longer than the wait a pool's answer may take before the pool counts as out of reach. */
const graceMs = 1500;
/** The number of clusters at which a request waits at the same time. */
const maxQueues = 3;
/** Without a place from the queue, a request may go to a replica that has up to this many times its slots in use. */
const mostOvercommit = 2;
const usualRetryMs = 1000;

const free: Passage = { kind: "free" };

type Room = "room" | "busy" | "packed";

/** Decided here and now, from what is known: null means that the pools must be asked. */
export function passAtOnce(
  clusters: readonly ClusterState[],
  tried: readonly ReplicaState[],
  pools: PoolLinks,
  { now, random }: Pick<GateDeps, "now" | "random">,
): Passage | null {
  const nowMs = now();
  let packed = true;
  let askShare = 1;
  let offered = false;
  for (const cluster of clusters) {
    const snapshot = pools.of(cluster)?.fresh(nowMs) ?? null;
    if (snapshot === null) return free;
    askShare = Math.min(askShare, snapshot.pace.askShare);
    for (const replica of cluster.replicas) {
      const room = roomAt(replica, tried, nowMs);
      if (room === null) continue;
      // Waiting requests come first: a new one must not overtake them.
      if (room === "room" && snapshot.queue.waiting === 0) return free;
      offered = true;
      if (room !== "packed") packed = false;
    }
  }
  // There is nothing to wait for: breakers and last resorts decide.
  if (!offered) return free;
  if (askShare === 1 || random() < askShare) return null;
  return packed ? { kind: "overloaded", retryAfterMs: usualRetryMs } : free;
}

/** Null: it may not be asked, or was. */
function roomAt(replica: ReplicaState, tried: readonly ReplicaState[], nowMs: number): Room | null {
  const { pooled, occupancy, breaker } = replica.known;
  if (pooled === null || !isOffered(pooled, nowMs) || !breaker.admits(nowMs)) return null;
  if (tried.length > 0 && tried.includes(replica)) return null;
  const { view, ownRequests } = pooled;
  const there = occupancy.requests + Math.max(0, view.running + view.waiting - ownRequests);
  if (there < replica.slots) return "room";
  return there < replica.slots * mostOvercommit ? "busy" : "packed";
}

/** Asks for a place, and waits for it. `signal` gives the place in the queue up at once. */
export async function askForPlace(
  clusters: readonly ClusterState[],
  tried: readonly ReplicaState[],
  request: OriginRequest,
  leftMs: number,
  signal: LeaveSignal,
  pools: PoolLinks,
  { state, background, now, wait }: Omit<GateDeps, "random">,
): Promise<Passage> {
  // The abort fired before anything listened here.
  if (signal.aborted) return free;
  const number = state.inFlight.number();
  const maxWaitMs = Math.max(0, Math.min(queueWaitMs, leftMs - graceMs));
  const queues = nearestFirst(clusters, request)
    .flatMap((cluster) => {
      const link = pools.of(cluster);
      return link === null ? [] : [{ cluster, link }];
    })
    .slice(0, maxQueues);
  const race = new PlaceRace(queues.length);
  const leave = (): void => race.over({ kind: "left" });
  signal.addEventListener("abort", leave, { once: true });
  for (const { cluster, link } of queues) {
    link.asking.add(number);
    const excluded = tried.filter((replica) => replica.cluster === cluster.cluster.id).map(({ id }) => id);
    const asked = link.port.ask({
      v: poolVersion,
      source: link.source,
      number,
      report: link.reportWithAsk(cluster, now()),
      tokens: request.tokens,
      model: request.model,
      tenant: request.tenant,
      tier: request.tier,
      excluded,
      maxWaitMs,
    });
    background.run(
      `queue ${link.cluster}`,
      asked.then(
        (outcome) => race.heard(link, cluster, outcome),
        () => race.heard(link, cluster, null),
      ),
    );
  }
  background.run("queue limit", Promise.race([race.result, wait(maxWaitMs + graceMs)]).then(leaveLate));
  const end = await race.result;
  signal.removeEventListener("abort", leave);
  const takenFrom = end.kind === "granted" ? end.link : null;
  for (const { link } of queues) {
    link.asking.delete(number);
    // Gives back what another one granted meanwhile, and what this one may grant later.
    if (link !== takenFrom && !race.refused.has(link))
      background.run(
        `leave ${link.cluster}`,
        link.port.withdraw({ v: poolVersion, source: link.source, number }),
      );
  }
  if (end.kind === "overloaded") return { kind: "overloaded", retryAfterMs: end.retryAfterMs };
  if (end.kind !== "granted") return free;
  const replica = end.cluster.replicas.find(({ id }) => id === end.replica);
  if (replica !== undefined) return { kind: "granted", replica, number };
  // It joined a moment ago, and this isolate has not heard of it.
  background.run(
    `leave ${end.link.cluster}`,
    end.link.port.withdraw({ v: poolVersion, source: end.link.source, number }),
  );
  return free;

  function leaveLate(): void {
    race.over({ kind: "left" });
  }
}

/** Clusters come in no order, and a request waits only at the first few. */
function nearestFirst(clusters: readonly ClusterState[], { place }: OriginRequest): readonly ClusterState[] {
  const from = coordinates(place);
  if (clusters.length <= maxQueues || from === null) return clusters;
  return clusters.toSorted((left, right) => distanceKm(from, left.cluster) - distanceKm(from, right.cluster));
}

type RaceEnd =
  | {
      readonly kind: "granted";
      readonly link: PoolLink;
      readonly cluster: ClusterState;
      readonly replica: string;
    }
  | { readonly kind: "overloaded"; readonly retryAfterMs: number }
  /** The client left, the pools are out of reach, or there is nothing to wait for. */
  | { readonly kind: "left" };

/** The first place that is granted, or why none is once all have answered. */
class PlaceRace {
  readonly result: Promise<RaceEnd>;
  /** Pools that hold nothing for this request any more. */
  readonly refused = new Set<PoolLink>();
  readonly #resolve: (end: RaceEnd) => void;
  #left: number;
  /** How many requests like this one all queues together release in a millisecond: a request that waits at all of them goes with the first. */
  #pace = 0;

  constructor(queues: number) {
    const { promise, resolve } = Promise.withResolvers<RaceEnd>();
    this.result = promise;
    this.#resolve = resolve;
    this.#left = queues;
    if (queues === 0) resolve({ kind: "left" });
  }

  over(end: RaceEnd): void {
    this.#resolve(end);
  }

  /** `null`: out of reach. */
  heard(link: PoolLink, cluster: ClusterState, outcome: AskOutcome | null): void {
    this.#left -= 1;
    if (outcome?.result === "granted") {
      this.#resolve({ kind: "granted", link, cluster, replica: outcome.replica });
      return;
    }
    if (outcome !== null) this.refused.add(link);
    if (outcome?.result === "overloaded") this.#pace += 1 / Math.max(1, outcome.retryAfterMs);
    if (this.#left > 0) return;
    this.#resolve(
      this.#pace === 0 ? { kind: "left" } : { kind: "overloaded", retryAfterMs: Math.round(1 / this.#pace) },
    );
  }
}
