/**
 * What does `/metrics` report about the fleet? Gauges for autoscalers (docs/autoscaling.md) and dashboards, measured at each scrape by asking
 * every cluster's pool. A pool that does not answer is reported as such, and its gauges are left out, since 0 would be wrong.
 */
import { type PoolStatus, takesRequests } from "../../routing/pool/pool-status.ts";

interface GaugeFamily {
  readonly name: `edgewise_${string}`;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: (status: PoolStatus) => readonly (readonly [labels: readonly string[], value: number])[];
}

export const fleetGauges: readonly GaugeFamily[] = [
  {
    name: "edgewise_fleet_queued_tokens",
    help: "Tokens of the requests that wait for a place, in the queue and in the engines.",
    labels: ["cluster", "model"],
    read: ({ scaling }) => scaling.map(({ model, queuedTokens }) => [[model], queuedTokens]),
  },
  {
    name: "edgewise_fleet_saturation",
    help: "Requests at the replicas and in the queue, over what the replicas run at once. Above 1, some wait.",
    labels: ["cluster", "model"],
    read: (status) => known(status).map(({ model, saturation }) => [[model], saturation]),
  },
  {
    name: "edgewise_fleet_wanted_replicas",
    help: "Replicas that would be right for the load of now.",
    labels: ["cluster", "model"],
    read: (status) => known(status).map(({ model, wantedReplicas }) => [[model], wantedReplicas]),
  },
  {
    name: "edgewise_fleet_replicas",
    help: "Replicas that take requests now.",
    labels: ["cluster"],
    read: ({ replicas }) => [[[], replicas.filter(takesRequests).length]],
  },
  {
    name: "edgewise_fleet_enabled_replicas",
    help: "Replicas that are to take requests: not drained, disabled or weighted 0 by an admin.",
    labels: ["cluster"],
    read: ({ replicas }) => [
      [
        [],
        replicas.filter(({ wishedState, wishedWeight }) => wishedState === "active" && wishedWeight > 0)
          .length,
      ],
    ],
  },
  {
    name: "edgewise_fleet_queue_length",
    help: "Requests in the cluster's queue.",
    labels: ["cluster"],
    read: ({ queue }) => [[[], queue.waiting]],
  },
  {
    name: "edgewise_fleet_leases",
    help: "Requests in flight, as the isolates reported them.",
    labels: ["cluster"],
    read: ({ leases }) => [[[], leases]],
  },
  {
    name: "edgewise_fleet_cost_dollars_per_hour",
    help: "What the replicas that are there cost, by the fleet file's cost_per_hour.",
    labels: ["cluster"],
    read: ({ costPerHour }) => [[[], costPerHour]],
  },
];

/** Nothing for an unreachable cluster: without load it would want one replica, and a scaler would remove replicas that are only unreachable. */
function known({ scaling, outOfReach }: PoolStatus): PoolStatus["scaling"] {
  return outOfReach === true ? [] : scaling;
}

export const poolsMissingMetric = {
  name: "edgewise_fleet_pools_missing",
  help: "Clusters whose pool did not answer this scrape. Their gauges are left out.",
} as const;

/** In Prometheus' text format, to append to the other metrics. Empty if no cluster has a pool. */
export function fleetExposition(statuses: ReadonlyMap<string, PoolStatus | "unreachable">): string {
  if (statuses.size === 0) return "";
  const known = [...statuses.values()].filter((status) => status !== "unreachable");
  const { name, help } = poolsMissingMetric;
  const lines = [...head(name, help), `${name} ${statuses.size - known.length}`];
  for (const family of fleetGauges) {
    lines.push(...head(family.name, family.help));
    for (const status of known)
      for (const [labels, value] of family.read(status)) {
        // During a roll-out a pool of older code may lack some of them.
        if (!Number.isFinite(value)) continue;
        const values = [status.cluster, ...labels];
        const pairs = family.labels.map((label, at) => `${label}="${escaped(values[at] ?? "")}"`);
        lines.push(`${family.name}{${pairs.join(",")}} ${value}`);
      }
  }
  return `${lines.join("\n")}\n`;
}

function head(name: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`];
}

/** Ids of the fleet file contain none of these, but a text format should not rely on that. */
function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
