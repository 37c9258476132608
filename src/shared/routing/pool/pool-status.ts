/** What does a pool show of itself? For `/admin/fleet`, and for the gauges that an autoscaler reads (docs/autoscaling.md). */
import type { Pool } from "./pool.ts";
import type { MemberWish } from "./replica-record.ts";
import type { CallPace, QueueView, ReplicaView } from "./snapshot.ts";
import { saturation, wantedReplicas } from "./wanted-replicas.ts";

export interface ReplicaStatus extends Omit<ReplicaView, "latencyMs"> {
  /** What an admin wants; `state` of the view may be `lost` beside it. */
  readonly wishedState: MemberWish["state"];
  /** What an admin wants; `weight` of the view is this times the slow start. */
  readonly wishedWeight: number;
  /** Requests at once that the queue would send there now. */
  readonly places: number;
  /** Null: never polled. */
  readonly isAlive: boolean | null;
  readonly latencyMs: Readonly<Record<string, number>>;
}

export interface ModelScaling {
  readonly model: string;
  /** Tokens of the requests that wait for a place: in the queue, and in the engines. */
  readonly queuedTokens: number;
  /** Requests there and in the queue, over places; above 1, some wait. */
  readonly saturation: number;
  readonly wantedReplicas: number;
}

export interface PoolStatus {
  readonly cluster: string;
  readonly atMs: number;
  readonly leases: number;
  /** Isolates that reported lately. */
  readonly sources: number;
  readonly pace: CallPace;
  readonly queue: QueueView;
  readonly replicas: readonly ReplicaStatus[];
  readonly scaling: readonly ModelScaling[];
  /**
   * Every replica was polled and none answered: what runs there is unknown, so `scaling`, which says idle, must not be used.
   * A field of its own, since older code shows the numbers as they are.
   */
  readonly outOfReach?: true;
  /** US dollars an hour of the replicas that are there, idle and disabled ones too. */
  readonly costPerHour: number;
}

/** What the fleet document says about the cluster. */
export interface ClusterFacts {
  /** Ids of the models that it serves; each of its replicas serves them all. */
  readonly models: readonly string[];
  /** The price of one replica. */
  readonly costPerHour: number;
}

/** Whether requests go there now. False for one that could not be reached lately, although a request may try it as a last resort. */
export function takesRequests({ places, isAlive }: Pick<ReplicaStatus, "places" | "isAlive">): boolean {
  return places > 0 && isAlive !== false;
}

export function poolStatus(pool: Pool, { models, costPerHour }: ClusterFacts, nowMs: number): PoolStatus {
  const { cluster, atMs, pace, queue, replicas } = pool.snapshot(nowMs);
  const shown = replicas.map((view): ReplicaStatus => {
    const record = pool.members.get(view.id);
    return {
      ...view,
      latencyMs: Object.fromEntries(view.latencyMs),
      wishedState: record?.wish.state ?? "active",
      wishedWeight: record?.wish.weight ?? 0,
      places: record?.isOffered(nowMs) === true ? record.places(nowMs) : 0,
      isAlive: record?.isAlive ?? null,
    };
  });
  return {
    cluster,
    atMs,
    leases: pool.leases,
    sources: pool.sources,
    pace,
    queue,
    replicas: shown,
    scaling: scalingOf(pool, models, shown),
    ...(shown.length > 0 && shown.every(({ isAlive }) => isAlive === false) ? { outOfReach: true } : {}),
    costPerHour:
      costPerHour * shown.filter(({ isAlive, state }) => isAlive !== false && state !== "lost").length,
  };
}

function scalingOf(
  pool: Pool,
  models: readonly string[],
  replicas: readonly ReplicaStatus[],
): ModelScaling[] {
  const offered = replicas.filter(takesRequests);
  const facts = {
    replicas: offered.length,
    // In full, also of those that start slowly: what is let in for now is no reason to ask for more.
    places: offered.reduce((sum, { slots }) => sum + slots, 0),
    there: offered.reduce((sum, { running, waiting }) => sum + running + waiting, 0),
    queued: pool.queue.size,
    placesOfOne: Math.max(1, ...replicas.map(({ slots }) => slots)),
  };
  const inEngines = offered.reduce(
    (sum, { running, waiting, queuedTokens }) =>
      sum + (waiting === 0 ? 0 : (queuedTokens * waiting) / (running + waiting)),
    0,
  );
  const inQueue = new Map<string, number>();
  for (const { model, tokens } of pool.queue.all()) inQueue.set(model, (inQueue.get(model) ?? 0) + tokens);
  return models.map((model) => ({
    model,
    // An engine does not tell which of its models the waiting ones are for: each is shown all of them.
    queuedTokens: Math.round((inQueue.get(model) ?? 0) + inEngines),
    saturation: Math.round(saturation(facts) * 1000) / 1000,
    wantedReplicas: wantedReplicas(facts),
  }));
}
