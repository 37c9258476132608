/** Ours: the router's own choice (src/shared/routing/choice/choose.ts) with what an isolate of the simulation knows. */
import { choose, homeKeyOf } from "../../src/shared/routing/choice/choose.ts";
import { finish } from "../../src/shared/routing/choice/affinity.ts";
import { fleetSchema } from "../../src/shared/routing/fleet/fleet-config.ts";
import { buildFleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import { RouterState, type ClusterState, type ReplicaState } from "../../src/shared/routing/router-state.ts";
import { pooledView } from "./pooled-view.ts";
import type { Counts, Isolate, Policy, Snapshot, WorldView } from "./world.ts";

interface Router {
  readonly state: RouterState;
  readonly clusters: readonly ClusterState[];
  readonly replicas: readonly ReplicaState[];
  adopted: Snapshot | null;
}

const none: Counts = { requests: 0, tokens: 0 };

/** Places whose distance costs what the simulation's far trip does. */
const places = [
  { latitude: 39, longitude: -77 },
  { latitude: 50, longitude: 8 },
] as const;

export function ours({ settings, clusterOf, random }: WorldView): Policy {
  const index = buildFleetIndex(
    simulatedFleet(settings.clusters, settings.replicasPerCluster, settings.speed.slots),
  );
  const throughput = (1000 * settings.speed.chunkTokens) / chunkMs(settings.speed);
  const routers = new Map<number, Router>();
  const routerOf = (isolate: Isolate): Router => {
    const known = routers.get(isolate.index);
    if (known !== undefined) return known;
    const state = new RouterState();
    const clusters = [...state.clusters(index).values()];
    const router: Router = {
      state,
      clusters,
      replicas: clusters.flatMap(({ replicas }) => replicas),
      adopted: null,
    };
    routers.set(isolate.index, router);
    return router;
  };
  const adopt = (router: Router, isolate: Isolate, snapshot: Snapshot): void => {
    router.adopted = snapshot;
    for (const [at, { known, slots, id }] of router.replicas.entries()) {
      known.pooled = pooledView(
        id,
        snapshot.counts[at] ?? none,
        snapshot.cacheUsage[at] ?? null,
        snapshot.atMs,
        isolate.counted[at] ?? none,
        slots,
        throughput,
      );
    }
  };
  return {
    name: "ours",
    choose(isolate, request, nowMs) {
      const router = routerOf(isolate);
      if (isolate.snapshot !== null && isolate.snapshot !== router.adopted)
        adopt(router, isolate, isolate.snapshot);
      for (const [at, { known }] of router.replicas.entries()) {
        known.occupancy.requests = isolate.own[at]?.requests ?? 0;
        known.occupancy.tokens = isolate.own[at]?.tokens ?? 0;
      }
      const { marks, conversationAt, promptTokens } = request;
      const keys = {
        keys: marks.map(({ id, tokens }) => finish(id * 31 + Math.min(tokens, 1024))),
        conversationAt,
      };
      const chosen = choose(
        router.clusters,
        {
          model: "m",
          from: places[request.region] ?? null,
          region: null,
          promptTokens,
          tokens: promptTokens + 200,
          homeKey: homeKeyOf(keys, router.state.heat, router.replicas.length),
        },
        { tried: [], zones: router.state.zones, nowMs, random },
      );
      if (chosen === null) throw new Error("nobody was left");
      const at = router.replicas.indexOf(chosen);
      if (clusterOf[at] === undefined) throw new Error("not of this world");
      return at;
    },
  };
}

/** What a replica works off at most: full chunks, one after the other. */
function chunkMs({ chunkTokens, prefillTokensPerSecond, stepMs }: WorldView["settings"]["speed"]): number {
  return stepMs + (1000 * chunkTokens) / prefillTokensPerSecond;
}

export function simulatedFleet(clusters: number, replicas: number, slots: number) {
  return fleetSchema.parse({
    version: "1",
    clusters: Array.from({ length: clusters }, (_, at) => ({
      id: `c${at}`,
      region: `r${at}`,
      ...places[at % places.length],
      pool: true,
      replicas: Array.from({ length: replicas }, (_, index) => ({
        id: `r${index}`,
        url: `http://c${at}r${index}.test`,
        slots,
      })),
      models: [{ id: "m", served_name: "M", context_window: 131_072 }],
    })),
  });
}
