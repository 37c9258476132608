/**
 * What does `/admin/fleet` do? Shows every cluster with its replicas, breakers, leases and queue, as its pool sees it, and carries out what an
 * admin wants of a replica. Each change is in the platform's audit log before it takes effect; a heartbeat does not count as one.
 */
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok } from "../contracts/result.ts";
import type { Cluster } from "../routing/fleet/fleet-config.ts";
import type { FleetIndex } from "../routing/fleet/fleet-index.ts";
import type { PoolAction, PoolControl } from "../routing/pool/pool-action.ts";
import type { PoolStatus, ReplicaStatus } from "../routing/pool/pool-status.ts";
import type { FleetChange } from "../wire/fleet-admin.ts";
import { invalidValue } from "../wire/zod-refusal.ts";
import { actorOf, unknownObject, type Admin, type AdminDeps, type AdminResult } from "./admin.ts";

export interface FleetDeps extends Pick<AdminDeps, "ledger"> {
  readonly fleet: FleetIndex;
  /** Rejects, within a time limit, where a pool can't be asked. */
  readonly pools: PoolControl;
}

/** Pools that are asked at once: half of a Worker's connections. */
const asksAtOnce = 3;
const usualSlots = 64;

/** Every pool's own word; `unreachable` where it gave none. */
export async function gatherPools(
  clusters: readonly Cluster[],
  pools: PoolControl,
): Promise<ReadonlyMap<string, PoolStatus | "unreachable">> {
  const statuses = new Map<string, PoolStatus | "unreachable">();
  const waiting = clusters.filter(({ pool }) => pool);
  const next = async (): Promise<void> => {
    for (let cluster = waiting.shift(); cluster !== undefined; cluster = waiting.shift()) {
      // The reason is in the Worker's own log; here it is enough to say so.
      statuses.set(cluster.id, await pools.status(cluster).catch((): "unreachable" => "unreachable"));
    }
  };
  await Promise.all(Array.from({ length: asksAtOnce }, next));
  return statuses;
}

export async function showFleet({ fleet, pools }: Omit<FleetDeps, "ledger">): Promise<object> {
  const clusters = [...fleet.clusters.values()];
  const statuses = await gatherPools(clusters, pools);
  return {
    object: "fleet",
    version: fleet.version,
    clusters: clusters.map((cluster) => clusterObject(cluster, statuses.get(cluster.id) ?? null)),
  };
}

export async function changeFleet(
  admin: Admin,
  change: FleetChange,
  { fleet, pools, ledger }: FleetDeps,
): Promise<AdminResult<object>> {
  const { cluster: id, replica, action } = change;
  const cluster = fleet.clusters.get(id);
  if (cluster === undefined) return err(unknownObject);
  if (!cluster.pool) return err(invalidValue("cluster", "has no pool: set 'pool' in the fleet file"));
  if (action === "join" && cluster.engine === "workers-ai")
    return err(invalidValue("cluster", "is the binding AI: nothing can join it"));
  const asked = poolAction(change);
  const status = await pools.status(cluster).catch(() => null);
  if (status === null) return err(unreachable(id));
  const known = status.replicas.find((each) => each.id === replica);
  if (asked.kind !== "join" && known === undefined) return err(unknownObject);
  // Replicas that did not join belong to the fleet document: checked first, so that a refusal is not logged as a change.
  if (asked.kind !== "set" && known !== undefined && known.url === null) return err(listed(replica));
  const changes = wouldChange(asked, known);
  if (changes) {
    const { weight, url, slots, zone } = change;
    await ledger({ log: "platform", tenant: null }).change(actorOf(admin.principal), {
      type: "note",
      entry: { action: `fleet.${action}`, subject: `${id}/${replica}`, detail: { weight, url, slots, zone } },
    });
  }
  const outcome = await pools.act(cluster, asked).catch(() => null);
  if (outcome === null) return err(unreachable(id));
  switch (outcome.result) {
    case "done":
      return ok({ object: "fleet.change", cluster: id, replica, action, changed: outcome.changed });
    case "replica-unknown":
      return err(unknownObject);
    case "in-fleet-document":
      return err(listed(replica));
    case "too-many":
      return err({
        kind: "conflict",
        message: "No more replicas may join this cluster: it has the most already.",
      });
  }
}

function poolAction(change: FleetChange): PoolAction {
  const { action, replica, weight, url, slots = usualSlots, zone = null } = change;
  switch (action) {
    case "drain":
      return { kind: "set", replica, state: "draining" };
    case "disable":
      return { kind: "set", replica, state: "disabled" };
    case "enable":
      return { kind: "set", replica, state: "active" };
    case "weight":
      return { kind: "set", replica, weight };
    case "join":
      return { kind: "join", member: { id: replica, slots, zone, url: url?.replace(/\/+$/, "") ?? null } };
    case "leave":
      return { kind: "leave", replica };
  }
}

function wouldChange(action: PoolAction, known: ReplicaStatus | undefined): boolean {
  switch (action.kind) {
    case "set": {
      const isSame =
        (action.state ?? known?.wishedState) === known?.wishedState &&
        (action.weight ?? known?.wishedWeight) === known?.wishedWeight;
      return !isSame;
    }
    case "join": {
      const { url, slots, zone } = action.member;
      if (known === undefined || known.state === "lost") return true;
      return known.url !== url || known.slots !== slots || known.zone !== zone;
    }
    case "leave":
      return true;
  }
}

function listed(replica: string): Refusal {
  return { kind: "conflict", message: `'${replica}' is in the fleet file: change it there.` };
}

function unreachable(cluster: string): Refusal {
  return {
    kind: "dependency-unavailable",
    component: "pool",
    retryAfterMs: 2000,
    detail: `the pool of ${cluster} can't be asked`,
  };
}

function clusterObject(cluster: Cluster, status: PoolStatus | "unreachable" | null): object {
  const { id, region, engine } = cluster;
  if (status === null || status === "unreachable")
    return {
      id,
      region,
      engine,
      pool: status === null ? "off" : "unreachable",
      replicas: cluster.replicas.map((replica) => ({
        id: replica.id,
        zone: replica.zone ?? null,
        slots: replica.slots,
      })),
      models: cluster.models.map((model) => ({ id: model.id })),
    };
  const { leases, sources, queue, pace } = status;
  return {
    id,
    region,
    engine,
    pool: "on",
    leases,
    isolates: sources,
    cost_per_hour: status.costPerHour,
    queue: {
      waiting: queue.waiting,
      max_waiting: queue.maxWaiting,
      waiting_tokens: queue.waitingTokens,
      expected_wait_ms: Math.round(queue.expectedWaitMs),
    },
    pace: {
      refresh_every_ms: pace.refreshEveryMs,
      report_every_ms: pace.reportEveryMs,
      notice_every_ms: pace.noticeEveryMs,
      ask_share: pace.askShare,
    },
    replicas: status.replicas.map(replicaObject),
    models: status.scaling.map(({ model, queuedTokens, saturation, wantedReplicas }) => ({
      id: model,
      queued_tokens: queuedTokens,
      saturation,
      ...(status.outOfReach === true ? {} : { wanted_replicas: wantedReplicas }),
    })),
  };
}

function replicaObject(replica: ReplicaStatus): object {
  const { id, zone, slots, state, weight, breaker, leases, running, waiting, places, url, kvUsage } = replica;
  return {
    id,
    zone,
    slots,
    state,
    weight,
    wished_weight: replica.wishedWeight,
    breaker,
    healthy: replica.isAlive,
    leases,
    running,
    waiting,
    places,
    queued_tokens: replica.queuedTokens,
    throughput_tokens_per_second: replica.throughput === null ? null : Math.round(replica.throughput),
    kv_cache_usage: kvUsage,
    polled_at_ms: replica.polledAtMs,
    started_at_ms: replica.startedAtMs,
    first_byte_ms_by_region: Object.fromEntries(
      Object.entries(replica.latencyMs).map(([region, ms]) => [region, Math.round(ms)]),
    ),
    ...(url === null ? {} : { joined_url: url }),
  };
}
