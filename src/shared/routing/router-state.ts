/**
 * What does this isolate know of each replica? Lives as long as the isolate and outlives fleet documents: a replica that is in
 * the new one with the same address keeps its breaker and its counts.
 */
import { Breaker } from "./breaker.ts";
import type { Cluster } from "./fleet-config.ts";
import { engineAdapter } from "./engines/engine.ts";
import { FirstByteTimes } from "./first-byte-times.ts";
import type { FleetIndex } from "./fleet-index.ts";
import { InFlight, type Occupancy } from "./in-flight.ts";
import type { PolledLoad } from "./load.ts";
import type { PooledView } from "./pool/pooled-view.ts";
import { replicaTarget, type ReplicaTarget } from "./replica-target.ts";
import { RetryBudget } from "./retry-budget.ts";

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
}

export interface ClusterState {
  readonly cluster: Cluster;
  readonly replicas: readonly ReplicaState[];
}

export class RouterState {
  readonly inFlight = new InFlight();
  readonly retryBudget = new RetryBudget();
  readonly firstByteTimes = new FirstByteTimes();
  #index: FleetIndex | null = null;
  #clusters: ReadonlyMap<string, ClusterState> = new Map();
  #known: ReadonlyMap<string, ReplicaKnowledge> = new Map();

  /** The clusters of this fleet with what is known of them. Builds only when the index is another one than last time. */
  clusters(index: FleetIndex): ReadonlyMap<string, ClusterState> {
    if (index !== this.#index) this.#adopt(index);
    return this.#clusters;
  }

  #adopt(index: FleetIndex): void {
    const known = new Map<string, ReplicaKnowledge>();
    const clusters = new Map<string, ClusterState>();
    for (const cluster of index.clusters.values()) {
      const hasMetrics =
        engineAdapter(cluster.engine).metricsPath !== null &&
        cluster.models.some((model) => model.engine_features.metrics);
      const replicas = cluster.replicas.map((replica): ReplicaState => {
        const target = replicaTarget(cluster, replica);
        const key = `${cluster.id} ${replica.id} ${replica.vpc?.network ?? ""} ${target.url}`;
        const knowledge = this.#known.get(key) ?? blank();
        known.set(key, knowledge);
        return {
          cluster: cluster.id,
          id: replica.id,
          url: target.url,
          target,
          slots: replica.slots,
          engine: cluster.engine,
          hasMetrics,
          known: knowledge,
        };
      });
      clusters.set(cluster.id, { cluster, replicas });
    }
    this.#index = index;
    this.#clusters = clusters;
    this.#known = known;
  }
}

function blank(): ReplicaKnowledge {
  return {
    breaker: new Breaker(),
    occupancy: { requests: 0, tokens: 0 },
    polled: null,
    pooled: null,
    polledAtMs: Number.NEGATIVE_INFINITY,
    goodAtMs: Number.NEGATIVE_INFINITY,
  };
}
