import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fakeFleet } from "../../../../test/workers/fake-replicas.ts";
import { choose, type Wanted } from "./choose.ts";
import type { Coordinates } from "./distance.ts";
import { buildFleetIndex } from "../fleet/fleet-index.ts";
import type { PooledView } from "../pool/pooled-view.ts";
import { seeded } from "../pool/seeded-fixture.ts";
import type { ReplicaView } from "../pool/snapshot.ts";
import { RouterState, type ClusterState, type ReplicaState } from "../router-state.ts";
import { ZoneHealth } from "./zone-health.ts";

function clustersOf(...replicas: readonly number[]): readonly ClusterState[] {
  return [...new RouterState().clusters(buildFleetIndex(fakeFleet(...replicas))).values()];
}

/** A request without a home, from there. */
function wanted(from: Coordinates | null = null, change: Partial<Wanted> = {}): Wanted {
  return { model: "m", from, region: null, promptTokens: 80, tokens: 100, homeKey: null, ...change };
}

function choosing(random: () => number, tried: readonly ReplicaState[] = []) {
  return { tried, zones: new ZoneHealth(), nowMs: 0, random };
}

test("an idle fleet answers from the nearest cluster", () => {
  const clusters = clustersOf(2, 2, 2);
  const random = seeded(1);
  for (let turn = 0; turn < 50; turn += 1)
    expect(choose(clusters, wanted({ latitude: 0, longitude: 58 }), choosing(random))?.cluster).toBe("c2");
});

test("a nearest cluster that is full spills over to the next", () => {
  const clusters = clustersOf(1, 1);
  const [near] = clusters[0]?.replicas ?? [];
  if (near === undefined) throw new Error("no replica");
  near.known.occupancy.requests = 3 * near.slots;
  expect(choose(clusters, wanted({ latitude: 0, longitude: 0 }), choosing(seeded(1)))?.cluster).toBe("c1");
});

test("where the client's place is unknown, distance says nothing and all clusters share", () => {
  const clusters = clustersOf(1, 1, 1);
  const random = seeded(7);
  const seen = new Set(
    Array.from({ length: 60 }, () => choose(clusters, wanted(), choosing(random))?.cluster),
  );
  expect(seen.size).toBe(3);
});

test("equal replicas get equal work: at most 1.25 times the mean, without asking anyone", () => {
  const clusters = clustersOf(8);
  const counts = new Map<string, number>();
  const running: ReplicaState[] = [];
  const random = seeded(42);
  for (let turn = 0; turn < 10_000; turn += 1) {
    const replica = choose(clusters, wanted(), choosing(random));
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
        const chosen = choose(clusters, wanted(), choosing(seeded(Math.abs(seed)), tried));
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

function pooled(change: Partial<ReplicaView>): PooledView {
  return {
    atMs: 0,
    ownRequests: 0,
    ownTokens: 0,
    view: {
      id: "r0",
      state: "active",
      slots: 4,
      running: 0,
      waiting: 0,
      polledAtMs: null,
      leases: 0,
      queuedTokens: 0,
      throughput: 1000,
      kvUsage: null,
      breaker: "closed",
      weight: 1,
      startedAtMs: 0,
      zone: null,
      latencyMs: new Map(),
      url: null,
      ...change,
    },
  };
}

function chosenOf(
  clusters: readonly ClusterState[],
  ask: Wanted = wanted(),
  turns = 200,
): Map<string, number> {
  const random = seeded(11);
  const counts = new Map<string, number>();
  for (let turn = 0; turn < turns; turn += 1) {
    const { cluster, id } = choose(clusters, ask, choosing(random)) ?? { cluster: "none", id: "" };
    counts.set(`${cluster}${id}`, (counts.get(`${cluster}${id}`) ?? 0) + 1);
  }
  return counts;
}

test("what an admin drained, disabled or weighed to nothing is not asked, not even as the last resort", () => {
  const clusters = clustersOf(3);
  const replicas = clusters[0]?.replicas ?? [];
  for (const [at, change] of [{ state: "draining" }, { state: "disabled" }, { weight: 0 }].entries()) {
    const replica = replicas[at];
    if (replica !== undefined) replica.known.pooled = pooled(change as Partial<ReplicaView>);
  }
  expect(choose(clusters, wanted(), choosing(seeded(1)))).toBeNull();
});

test("token work of others counts, and so does a key-value cache that is nearly full", () => {
  const clusters = clustersOf(3);
  const [queued, pressed, idle] = clusters[0]?.replicas ?? [];
  if (queued === undefined || pressed === undefined || idle === undefined) throw new Error("no replicas");
  queued.known.pooled = pooled({ running: 1, queuedTokens: 50_000 });
  pressed.known.pooled = pooled({ running: 3, kvUsage: 0.99, queuedTokens: 300 });
  idle.known.pooled = pooled({});
  const counts = chosenOf(clusters);
  expect(counts.get("c0r0")).toBeUndefined();
  expect(counts.get("c0r2") ?? 0).toBeGreaterThan(counts.get("c0r1") ?? 0);
});

test("what was learned of the way beats what the map says", () => {
  const clusters = clustersOf(1, 1);
  const [near, far] = clusters.flatMap(({ replicas }) => replicas);
  if (near === undefined || far === undefined) throw new Error("no replicas");
  near.known.pooled = pooled({ latencyMs: new Map([["3e", 300]]) });
  far.known.pooled = pooled({ latencyMs: new Map([["3e", 60]]) });
  expect(chosenOf(clusters, wanted({ latitude: 0, longitude: 0 }, { region: "3e" })).get("c1r0")).toBe(200);
  expect(chosenOf(clusters, wanted({ latitude: 0, longitude: 0 })).get("c0r0")).toBe(200);
});

test("of two clusters equally far the one whose tokens are cheaper", () => {
  const fleet = fakeFleet(1, 1);
  for (const [at, cluster] of fleet.clusters.entries())
    for (const model of cluster.models) model.price = { input: at === 0 ? 5 : 1, output: at === 0 ? 15 : 2 };
  const clusters = [...new RouterState().clusters(buildFleetIndex(fleet)).values()];
  expect(chosenOf(clusters, wanted(null, { tokens: 4000 })).get("c1r0")).toBe(200);
});

test("a prefix goes home every time, and elsewhere only when its home has far more to do", () => {
  const clusters = clustersOf(8);
  const ask = wanted(null, { homeKey: 12_345, promptTokens: 2000, tokens: 2200 });
  const [home = ""] = [...chosenOf(clusters, ask).keys()];
  expect(chosenOf(clusters, ask)).toEqual(new Map([[home, 200]]));
  const replica = clusters[0]?.replicas.find(({ id }) => `c0${id}` === home);
  if (replica === undefined) throw new Error("no home");
  replica.known.occupancy.tokens = 5000;
  replica.known.occupancy.requests = 1;
  expect(chosenOf(clusters, ask).get(home)).toBe(200);
  replica.known.occupancy.tokens = 100_000;
  expect(chosenOf(clusters, ask).get(home)).toBeUndefined();
});

test("nobody waits at home while a slot is free elsewhere, and all may be asked when none is", () => {
  const clusters = clustersOf(4);
  const replicas = clusters[0]?.replicas ?? [];
  const ask = wanted(null, { homeKey: 12_345, promptTokens: 4000 });
  const home = choose(clusters, ask, choosing(seeded(1)));
  if (home === null) throw new Error("no home");
  home.known.occupancy.requests = home.slots;
  expect(chosenOf(clusters, ask).get(`c0${home.id}`)).toBeUndefined();
  for (const { known, slots } of replicas) known.occupancy.requests = slots;
  expect(chosenOf(clusters, ask).get(`c0${home.id}`)).toBe(200);
});

test("a home is near its client: another region is home only when the nearest has nobody left", () => {
  const clusters = clustersOf(4, 4);
  for (let key = 0; key < 50; key += 1) {
    const ask = wanted({ latitude: 0, longitude: 30 }, { homeKey: key * 7919, promptTokens: 4000 });
    const chosen = choose(clusters, ask, choosing(seeded(key)));
    expect(chosen?.cluster).toBe("c1");
  }
});

test("a retry looks in another zone first", () => {
  const fleet = fakeFleet(4);
  for (const cluster of fleet.clusters)
    for (const [at, replica] of cluster.replicas.entries()) replica.zone = at < 2 ? "a" : "b";
  const clusters = [...new RouterState().clusters(buildFleetIndex(fleet)).values()];
  const tried = clusters[0]?.replicas.slice(0, 1) ?? [];
  const random = seeded(5);
  for (let turn = 0; turn < 50; turn += 1)
    expect(choose(clusters, wanted(), choosing(random, tried))?.zone).toBe("b");
});

test("a zone that is open is left out while another is there, and is the last resort when none is", () => {
  const fleet = fakeFleet(4);
  for (const cluster of fleet.clusters)
    for (const [at, replica] of cluster.replicas.entries()) replica.zone = at < 2 ? "a" : "b";
  const clusters = [...new RouterState().clusters(buildFleetIndex(fleet)).values()];
  const replicas = clusters[0]?.replicas ?? [];
  const zones = new ZoneHealth();
  const choice = { tried: [], zones, nowMs: 0, random: seeded(5) };
  for (const replica of replicas.slice(0, 2)) zones.failed(replica, 0);
  for (let turn = 0; turn < 50; turn += 1) expect(choose(clusters, wanted(), choice)?.zone).toBe("b");
  for (const replica of replicas.slice(2)) zones.failed(replica, 0);
  expect(choose(clusters, wanted(), choice)).not.toBeNull();
});

test("half a zone that the snapshot calls open keeps requests from its other half, while another zone is there", () => {
  const fleet = fakeFleet(6);
  for (const cluster of fleet.clusters)
    for (const [at, replica] of cluster.replicas.entries()) replica.zone = at < 4 ? "a" : "b";
  const clusters = [...new RouterState().clusters(buildFleetIndex(fleet)).values()];
  const replicas = clusters[0]?.replicas ?? [];
  for (const [at, { known }] of replicas.entries())
    known.pooled = pooled({ breaker: at < 2 ? "open" : "closed" });
  expect([...chosenOf(clusters).keys()].toSorted()).toEqual(["c0r4", "c0r5"]);
  for (const { known } of replicas.slice(0, 2)) known.pooled = pooled({ breaker: "half-open" });
  expect(chosenOf(clusters).size).toBe(6);
  for (const { known } of replicas.slice(0, 2)) known.pooled = pooled({ breaker: "open" });
  for (const { known } of replicas.slice(4)) known.pooled = pooled({ breaker: "open" });
  expect([...chosenOf(clusters).keys()].toSorted()).toEqual(["c0r2", "c0r3"]);
});

test("thousands of isolates with one old snapshot do not herd to its best", () => {
  const clusters = clustersOf(8);
  for (const [at, { known }] of (clusters[0]?.replicas ?? []).entries())
    known.pooled = pooled({ running: 2, queuedTokens: at === 0 ? 0 : 1000 });
  const counts = new Map<string, number>();
  const random = seeded(9);
  for (let isolate = 0; isolate < 4000; isolate += 1) {
    const id = choose(clusters, wanted(), { ...choosing(random), nowMs: 2000 })?.id ?? "none";
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  expect((counts.get("r0") ?? 0) / 4000).toBeLessThan(0.3);
  expect(Math.min(...counts.values())).toBeGreaterThan(100);
});
