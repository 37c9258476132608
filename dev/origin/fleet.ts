import type { AddressInfo } from "node:net";
import { fleetSchema, type Cluster, type Fleet } from "../../src/shared/routing/fleet/fleet-config.ts";
import document from "../../config/fleet.dev.json" with { type: "json" };
import { servedModels } from "./catalog.ts";
import { faultSchema, type FaultInput } from "./server/faults.ts";
import { Replica } from "./server/replica.ts";
import type { RequestRecord } from "./server/request-log.ts";
import type { ReasoningField } from "./api/chat-answer.ts";

/** Starts a dev fleet inside a process, for tests and `npm start`; main.ts does the same for a terminal. */
export interface FleetOptions {
  /** The first replica's port; the others follow. 0: the system chooses each. Default 9101. */
  readonly basePort?: number;
  /** A port for each replica, instead of `basePort`. */
  readonly ports?: readonly number[];
  /** The total number of replicas; default as in the document (or `ports`). More than that repeat its clusters in turn. */
  readonly replicas?: number;
  /** Milliseconds of an uncached prefill; default 100. */
  readonly ttftMs?: number;
  /** Milliseconds for each token; default 25. 0: as fast as possible, but each token is still a separate write. */
  readonly tokenMs?: number;
  /** Concurrent requests of a replica; default as in the document. */
  readonly slots?: number;
  /** Record nothing, for benchmarks. */
  readonly quiet?: boolean;
  /** The field with a reasoning model's thoughts; vLLM uses both names. Default `reasoning`. */
  readonly reasoningField?: ReasoningField;
  /** Default: config/fleet.dev.json. */
  readonly fleet?: Fleet;
}

export interface RunningReplica {
  readonly id: string;
  readonly cluster: string;
  readonly url: string;
  /** Live records of the requests that it received, oldest first. Empty when quiet. */
  requests(): readonly RequestRecord[];
  clearRequests(): void;
  /** Replaces the faults that are set. */
  setFaults(...faults: readonly FaultInput[]): void;
  setSpeed(speed: { readonly ttftMs?: number; readonly tokenMs?: number; readonly slots?: number }): void;
  /** Closes its port and its connections, so that connections are really refused. `start` opens the same port again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface RunningFleet {
  /** The document with the replicas' actual URLs, for a router. */
  readonly fleet: Fleet;
  readonly replicas: readonly RunningReplica[];
  stop(): Promise<void>;
}

export const defaultBasePort = 9101;

/** Rejects with the system's error (`code` EADDRINUSE, `port`) when a port is taken; nothing is left running then. */
export async function startFleet(options: FleetOptions = {}): Promise<RunningFleet> {
  const plan = planOf(options.fleet ?? fleetSchema.parse(document), options);
  const running: RunningReplica[] = [];
  try {
    for (const one of plan) running.push(await startReplica(one, options));
  } catch (error) {
    await Promise.all(running.map((replica) => replica.stop()));
    throw error;
  }
  const base = options.fleet ?? fleetSchema.parse(document);
  const clusters = base.clusters.flatMap((cluster): Cluster[] => {
    const replicas = plan.flatMap((one, at) => {
      const url = running[at]?.url;
      return one.cluster.id === cluster.id && url !== undefined
        ? [{ id: one.id, url, slots: one.slots, ...(one.zone === undefined ? {} : { zone: one.zone }) }]
        : [];
    });
    return replicas.length > 0 ? [{ ...cluster, replicas }] : [];
  });
  return {
    fleet: { ...base, clusters },
    replicas: running,
    stop: async () => {
      await Promise.all(running.map((replica) => replica.stop()));
    },
  };
}

/** The ports that it would listen on; empty if the system chooses them. */
export function replicaPorts(options: FleetOptions): readonly number[] {
  return planOf(options.fleet ?? fleetSchema.parse(document), options)
    .map(({ port }) => port)
    .filter((port) => port !== 0);
}

interface PlannedReplica {
  readonly id: string;
  readonly cluster: Cluster;
  readonly slots: number;
  readonly zone: string | undefined;
  readonly port: number;
}

function planOf(fleet: Fleet, options: FleetOptions): PlannedReplica[] {
  const known = fleet.clusters.flatMap((cluster) =>
    cluster.replicas.map((replica) => ({ cluster, replica })),
  );
  const count = options.replicas ?? options.ports?.length ?? known.length;
  const basePort = options.basePort ?? defaultBasePort;
  return Array.from({ length: count }, (_, at) => {
    const entry = known[at % known.length];
    if (entry === undefined) throw new Error("the fleet document has no replica");
    const round = Math.floor(at / known.length);
    return {
      id: round === 0 ? entry.replica.id : `${entry.replica.id}-${round + 1}`,
      cluster: entry.cluster,
      slots: options.slots ?? entry.replica.slots,
      zone: entry.replica.zone,
      port: options.ports?.[at] ?? (basePort === 0 ? 0 : basePort + at),
    };
  });
}

async function startReplica(plan: PlannedReplica, options: FleetOptions): Promise<RunningReplica> {
  const settings = {
    ttftMs: options.ttftMs ?? 100,
    tokenMs: options.tokenMs ?? 25,
    reasoningField: options.reasoningField ?? "reasoning",
  } as const;
  const live = { ...settings };
  const replica = new Replica({
    models: servedModels(plan.cluster),
    settings: live,
    slots: plan.slots,
    quiet: options.quiet ?? false,
  });
  let { port } = plan;
  const start = async () => {
    await listen(replica, port);
    ({ port } = replica.server.address() as AddressInfo);
  };
  await start();
  return {
    id: plan.id,
    cluster: plan.cluster.id,
    url: `http://127.0.0.1:${port}`,
    requests: () => replica.log?.list() ?? [],
    clearRequests: () => replica.log?.clear(),
    setFaults(...faults) {
      replica.faults.clear();
      for (const fault of faults) replica.faults.add(faultSchema.parse(fault));
    },
    setSpeed(speed) {
      live.ttftMs = speed.ttftMs ?? live.ttftMs;
      live.tokenMs = speed.tokenMs ?? live.tokenMs;
      replica.scheduler.slots = speed.slots ?? replica.scheduler.slots;
    },
    start,
    stop: async () => {
      if (!replica.server.listening) return;
      await new Promise<void>((resolve) => {
        replica.server.close(() => resolve());
        replica.server.closeAllConnections();
      });
    },
  };
}

async function listen(replica: Replica, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    replica.server.once("error", reject);
    replica.server.listen(port, "127.0.0.1", () => {
      replica.server.off("error", reject);
      resolve();
    });
  });
}
