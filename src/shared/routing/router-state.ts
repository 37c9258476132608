/**
 * What does this isolate know of each replica? Lives as long as the isolate and outlives fleet documents: a replica that is in
 * the new one with the same address keeps its breaker and its counts.
 */
import { seedOf } from "./choice/affinity.ts";
import { Breaker } from "./breaker.ts";
import type { Cluster, Replica } from "./fleet/fleet-config.ts";
import { engineAdapter } from "./engines/engine.ts";
import { FirstByteTimes } from "./first-byte-times.ts";
import type { FleetIndex } from "./fleet/fleet-index.ts";
import { InFlight, type Occupancy } from "./in-flight.ts";
import { KeyHeat } from "./choice/key-heat.ts";
import { LackingReplicas } from "./lacking.ts";
import type { PolledLoad } from "./choice/load.ts";
import type { PooledView } from "./pool/pooled-view.ts";
import type { MemberConfig } from "./pool/replica-record.ts";
import type { PoolSnapshot } from "./pool/snapshot.ts";
import type { ClientPlace } from "./ports.ts";
import { replicaTarget, type ReplicaTarget } from "./replica-target.ts";
import { RetryBudget } from "./retry-budget.ts";
import { ZoneHealth } from "./choice/zone-health.ts";

export interface ReplicaState {
  readonly cluster: string;
  readonly id: string;
  readonly url: string;
  /** How it is reached. */
  readonly target: ReplicaTarget;
  readonly slots: number;
  readonly engine: Cluster["engine"];
  /** Whether `/metrics` is worth asking for. */
  readonly hasMetrics: boolean;
  /** For rendezvous.ts: of its name, so that it is the same in every isolate and outlives a change of address. */
  readonly seed: number;
  /** What fails together with it; null: not stated. */
  readonly zone: string | null;
  /** How many replicas are in that zone. */
  readonly zonePeers: number;
  readonly known: ReplicaKnowledge;
}

/** The part that lives on when the fleet document changes. */
export interface ReplicaKnowledge {
  readonly breaker: Breaker;
  readonly occupancy: Occupancy;
  polled: PolledLoad | null;
  /** What its cluster's OriginPool says of it; null: the cluster has none, or it was not heard yet. */
  pooled: PooledView | null;
  /** When it was last polled, well or not. */
  polledAtMs: number;
  /** When it last gave a first byte or a good health answer. */
  goodAtMs: number;
  /** The least time to a first byte since its pool was last told, and from where that was asked; null: none. */
  firstByteFrom: ClientPlace | null;
  firstByteMs: number;
}

export interface ClusterState {
  readonly cluster: Cluster;
  readonly replicas: readonly ReplicaState[];
}

export class RouterState {
  readonly inFlight = new InFlight();
  readonly retryBudget = new RetryBudget();
  readonly firstByteTimes = new FirstByteTimes();
  readonly heat = new KeyHeat();
  readonly zones = new ZoneHealth();
  readonly lacking = new LackingReplicas();
  #index: FleetIndex | null = null;
  #clusters: ReadonlyMap<string, ClusterState> = new Map();
  #known: ReadonlyMap<string, ReplicaKnowledge> = new Map();
  readonly #joined = new Map<string, readonly MemberConfig[]>();
  readonly #snapshots = new Map<string, PoolSnapshot>();

  /** The clusters of this fleet with what is known of them. Builds only when the index is another one than last time. */
  clusters(index: FleetIndex): ReadonlyMap<string, ClusterState> {
    if (index !== this.#index) this.#adopt(index);
    return this.#clusters;
  }

  /** Replicas beside those of the fleet document: they joined their cluster's pool by an admin's call. */
  joined(cluster: string, members: readonly MemberConfig[]): void {
    const key = (list: readonly MemberConfig[]): string =>
      list.map(({ id, url, slots, zone }) => `${id} ${url} ${slots} ${zone}`).join("\n");
    if (key(this.#joined.get(cluster) ?? []) === key(members)) return;
    this.#joined.set(cluster, members);
    this.#index = null;
  }

  /** A pool's word. Whoever is new in it is known with what it says: without that it would look idle, and get all that comes. */
  heard(snapshot: PoolSnapshot): void {
    this.#snapshots.set(snapshot.cluster, snapshot);
    this.joined(
      snapshot.cluster,
      snapshot.replicas.filter(({ url }) => url !== null),
    );
  }

  #adopt(index: FleetIndex): void {
    const known = new Map<string, ReplicaKnowledge>();
    const clusters = new Map<string, ClusterState>();
    for (const cluster of index.clusters.values()) {
      const hasMetrics =
        engineAdapter(cluster.engine).metricsPath !== null &&
        cluster.models.some((model) => model.engine_features.metrics);
      const listed = [...cluster.replicas, ...joinedReplicas(cluster, this.#joined.get(cluster.id) ?? [])];
      const replicas = listed.map((replica): ReplicaState => {
        const target = replicaTarget(cluster, replica);
        const key = `${cluster.id} ${replica.id} ${replica.vpc?.network ?? ""} ${target.url}`;
        const knowledge = this.#known.get(key) ?? blank(this.#pooled(cluster.id, replica.id));
        if (!cluster.pool) knowledge.pooled = null;
        known.set(key, knowledge);
        return {
          cluster: cluster.id,
          id: replica.id,
          url: target.url,
          target,
          slots: replica.slots,
          engine: cluster.engine,
          hasMetrics,
          seed: seedOf(`${cluster.id} ${replica.id}`),
          zone: replica.zone ?? null,
          zonePeers: listed.filter(({ zone }) => zone === replica.zone).length,
          known: knowledge,
        };
      });
      clusters.set(cluster.id, { cluster, replicas });
    }
    this.#index = index;
    this.#clusters = clusters;
    this.#known = known;
  }

  #pooled(cluster: string, id: string): PooledView | null {
    const snapshot = this.#snapshots.get(cluster);
    const view = snapshot?.replicas.find((each) => each.id === id);
    if (snapshot === undefined || view === undefined) return null;
    return { view, atMs: snapshot.atMs, ownRequests: 0, ownTokens: 0 };
  }
}

/** Reached as the others are: where one network binding leads to all of the fleet document's, it leads to those who join as well. */
function joinedReplicas({ replicas }: Cluster, members: readonly MemberConfig[]): Replica[] {
  const ids = new Set(replicas.map(({ id }) => id));
  const [network, ...others] = new Set(replicas.map(({ vpc }) => vpc?.network));
  return members.flatMap(({ id, url, slots, zone }) => {
    if (url === null || ids.has(id)) return [];
    const joined = { id, url, slots, ...(zone === null ? {} : { zone }) };
    if (network === undefined || others.length > 0) return [joined];
    return [{ ...joined, vpc: { network, host: new URL(url).host } }];
  });
}

function blank(pooled: PooledView | null): ReplicaKnowledge {
  return {
    breaker: new Breaker(),
    occupancy: { requests: 0, tokens: 0 },
    polled: null,
    pooled,
    polledAtMs: Number.NEGATIVE_INFINITY,
    goodAtMs: Number.NEGATIVE_INFINITY,
    firstByteFrom: null,
    firstByteMs: 0,
  };
}
