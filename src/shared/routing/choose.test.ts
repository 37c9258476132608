import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fakeFleet } from "../../../test/workers/fake-replicas.ts";
import { choose, distanceCostMs, loadCostMs } from "./choose.ts";
import { distanceKm } from "./distance.ts";
import { unknownMetrics, type EngineMetrics } from "./engine-metrics.ts";
import { buildFleetIndex } from "./fleet-index.ts";
import { confidence, estimateLoad } from "./load.ts";
import { RouterState, type ClusterState, type ReplicaState } from "./router-state.ts";

function clustersOf(...replicas: readonly number[]): readonly ClusterState[] {
  return [...new RouterState().clusters(buildFleetIndex(fakeFleet(...replicas))).values()];
}

/** Uniform, and the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

test.each([
  ["Paris to London", 48.8566, 2.3522, 51.5074, -0.1278, 344],
  ["New York to Sydney", 40.7128, -74.006, -33.8688, 151.2093, 15_989],
  ["across the date line", 0, 179.5, 0, -179.5, 111],
  ["nowhere", 10, 20, 10, 20, 0],
  ["to the other side", 0, 0, 0, 180, 20_015],
] as const)("%s", (_sentence, latitude, longitude, toLatitude, toLongitude, expectedKm) => {
  const km = distanceKm({ latitude, longitude }, { latitude: toLatitude, longitude: toLongitude });
  expect(Math.round(km)).toBe(expectedKm);
});

test("an idle fleet answers from the nearest cluster", () => {
  const clusters = clustersOf(2, 2, 2);
  const random = seeded(1);
  for (let turn = 0; turn < 50; turn += 1)
    expect(choose(clusters, [], { latitude: 0, longitude: 58 }, 0, random)?.cluster).toBe("c2");
});

test("a nearest cluster that is full spills over to the next", () => {
  const clusters = clustersOf(1, 1);
  const [near] = clusters[0]?.replicas ?? [];
  if (near === undefined) throw new Error("no replica");
  near.known.occupancy.requests = 3 * near.slots;
  expect(choose(clusters, [], { latitude: 0, longitude: 0 }, 0, seeded(1))?.cluster).toBe("c1");
});

test("where the client's place is unknown, distance says nothing and all clusters share", () => {
  const clusters = clustersOf(1, 1, 1);
  const random = seeded(7);
  const seen = new Set(Array.from({ length: 60 }, () => choose(clusters, [], null, 0, random)?.cluster));
  expect(seen.size).toBe(3);
});

test("equal replicas get equal work: at most 1.25 times the mean, without asking anyone", () => {
  const clusters = clustersOf(8);
  const counts = new Map<string, number>();
  const running: ReplicaState[] = [];
  const random = seeded(42);
  for (let turn = 0; turn < 10_000; turn += 1) {
    const replica = choose(clusters, [], null, 0, random);
    if (replica === null) throw new Error("none chosen");
    replica.known.occupancy.requests += 1;
    running.push(replica);
    counts.set(replica.id, (counts.get(replica.id) ?? 0) + 1);
    const ended =
      running.length > 24 ? running.splice(Math.floor(random() * running.length), 1)[0] : undefined;
    if (ended !== undefined) ended.known.occupancy.requests -= 1;
  }
  expect(Math.max(...counts.values()) / (10_000 / 8)).toBeLessThan(1.25);
});

test("never one that was tried, and an open one only when nothing else is left", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ open: fc.boolean(), tried: fc.boolean(), load: fc.nat({ max: 20 }) }), {
        minLength: 1,
        maxLength: 12,
      }),
      fc.integer(),
      (states, seed) => {
        const clusters = clustersOf(states.length);
        const replicas = clusters[0]?.replicas ?? [];
        const tried = replicas.filter((_, at) => states[at]?.tried);
        for (const [at, replica] of replicas.entries()) {
          replica.known.occupancy.requests = states[at]?.load ?? 0;
          if (states[at]?.open)
            for (let failure = 0; failure < 3; failure += 1) replica.known.breaker.failure("refused", 0);
        }
        const chosen = choose(clusters, tried, null, 0, seeded(Math.abs(seed)));
        const left = states.filter((state) => !state.tried);
        if (left.length === 0) {
          expect(chosen).toBeNull();
          return;
        }
        if (chosen === null) throw new Error("one was left");
        expect(tried).not.toContain(chosen);
        const healthyLeft = left.some((state) => !state.open);
        expect(states[replicas.indexOf(chosen)]?.open).toBe(!healthyLeft);
      },
    ),
  );
});

test("load and distance cost more the more there is of them", () => {
  const load = fc.double({ min: 0, max: 50, noNaN: true });
  fc.assert(
    fc.property(load, load, (left, right) => {
      if (left < right) expect(loadCostMs(left)).toBeLessThanOrEqual(loadCostMs(right));
    }),
  );
  expect(distanceCostMs(null, { latitude: 5, longitude: 5 })).toBe(0);
});

test("what others do is believed less the older it is, and missing numbers mean nothing", () => {
  const busy = { running: 8, waiting: 4, cacheUsage: 0.5, workedTokens: null };
  const at = (metrics: EngineMetrics, nowMs: number) =>
    estimateLoad(2, 4, { atMs: 0, metrics, ownRequests: 4 }, nowMs);
  expect(at(busy, 0)).toBe(0.5 + 2);
  expect(at(busy, 10_000)).toBe(0.5 + 1);
  expect(at(busy, 30_000)).toBe(0.5);
  expect(at(unknownMetrics, 0)).toBe(0.5);
  expect(estimateLoad(2, 4, null, 0)).toBe(0.5);
  expect([confidence(-5), confidence(0), confidence(29_999) > 0]).toEqual([1, 1, true]);
});

test("a cache that is nearly full counts as load", () => {
  const polled = {
    atMs: 0,
    metrics: { running: 0, waiting: 0, cacheUsage: 1, workedTokens: null },
    ownRequests: 0,
  };
  expect(estimateLoad(0, 4, polled, 0)).toBeCloseTo(0.5);
});

test("a new fleet document keeps what is known of replicas that stay, and forgets the others", () => {
  const state = new RouterState();
  const before = state.clusters(buildFleetIndex(fakeFleet(2))).get("c0")?.replicas ?? [];
  const after = state.clusters(buildFleetIndex(fakeFleet(1, 1))).get("c0")?.replicas ?? [];
  expect(after).toHaveLength(1);
  expect(after[0]?.known).toBe(before[0]?.known);
  const again = state.clusters(buildFleetIndex(fakeFleet(2))).get("c0")?.replicas ?? [];
  expect(again[1]?.known).not.toBe(before[1]?.known);
});
