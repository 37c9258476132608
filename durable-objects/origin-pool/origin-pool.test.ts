import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { buildFleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import type { LeaseReport } from "../../src/shared/routing/pool/pool-protocol.ts";
import { leaseReport, poolAsk } from "../../src/shared/routing/pool/pool-fixture.ts";
import { decodeSnapshot, type PoolSnapshot } from "../../src/shared/routing/pool/snapshot.ts";
import { FakeReplicas, fakeFleet } from "../../test/workers/fake-replicas.ts";
import { createOriginPoolClass, type OriginPoolObject } from "./origin-pool.ts";
import { eventually } from "../../test/workers/eventually.ts";

const cluster = "c0";

afterEach(() => {
  vi.useRealTimers();
});

/** A pool of one cluster with so many replicas of four slots each, on real storage and a network of its own. */
async function withPool(
  replicas: number,
  work: (pool: OriginPoolObject, network: FakeReplicas, again: () => OriginPoolObject) => Promise<void>,
): Promise<void> {
  const network = new FakeReplicas();
  const document = fakeFleet(replicas);
  for (const each of document.clusters) each.cost_per_hour = 2.5;
  const fleet = buildFleetIndex(document);
  const PoolClass = createOriginPoolClass(() => ({
    fleet: () => Promise.resolve(fleet),
    transport: network.transport,
    report: (component, detail) => {
      throw new Error(`${component}: ${detail}`);
    },
  }));
  await runInDurableObject(env.ORIGIN_POOL.getByName(crypto.randomUUID()), async (_, state) => {
    const make = (): OriginPoolObject => new PoolClass(state, env);
    await work(make(), network, make);
  });
}

async function exchanged(pool: OriginPoolObject, sent: LeaseReport): Promise<PoolSnapshot> {
  const outcome = await pool.exchange(cluster, sent);
  const snapshot = outcome.result === "taken" ? decodeSnapshot(outcome.snapshot) : null;
  if (snapshot === null) throw new Error("every pool has a snapshot");
  return snapshot;
}

test("a call that finds everything busy waits, and is answered when a lease returns", async () => {
  await withPool(1, async (pool, network) => {
    // The leases speak alone.
    network.metrics = "";
    const first = await Promise.all([1, 2, 3, 4].map((number) => pool.ask(cluster, poolAsk(number))));
    expect(first.map(({ result }) => result)).toEqual(["granted", "granted", "granted", "granted"]);
    const waiting = [5, 6].map((number) => pool.ask(cluster, poolAsk(number)));
    expect((await pool.status(cluster)).queue.waiting).toBe(2);
    const open = [2, 3, 4].map((number) => [number, "r0", 100, 0] as const);
    await pool.exchange(cluster, leaseReport(1, { issued: 6, open, asking: [5, 6] }));
    expect(await waiting[0]).toEqual({ result: "granted", replica: "r0" });
    await pool.withdraw(cluster, { v: 1, source: "isolate", number: 6 });
    expect(await waiting[1]).toEqual({ result: "withdrawn" });
    expect(await pool.status(cluster)).toMatchObject({ leases: 4, queue: { waiting: 0 } });
  });
});

test("of two hundred at once each place is given once, and every call is answered", async () => {
  await withPool(2, async (pool, network) => {
    network.metrics = "";
    const asked = Array.from({ length: 200 }, (_, at) => pool.ask(cluster, poolAsk(at + 1)));
    for (let round = 1; (await pool.status(cluster)).queue.waiting > 0; round += 1) {
      const { leases } = await pool.status(cluster);
      expect(leases).toBe(8);
      // All that run end at once; those that wait are still asked for.
      const done = await Promise.all(asked.slice(0, Math.min(200, (round - 1) * 8 + 8)));
      expect(done.every(({ result }) => result === "granted" || result === "overloaded")).toBe(true);
      const asking = Array.from({ length: 200 }, (_, at) => at + 1).slice(round * 8);
      await pool.exchange(cluster, leaseReport(round, { issued: 200, asking }));
    }
    const results = (await Promise.all(asked)).map(({ result }) => result);
    expect(new Set(results)).toEqual(new Set(["granted", "overloaded"]));
    // The queue holds 64, two for each place and never less.
    expect(results.filter((result) => result === "overloaded")).toHaveLength(200 - 8 - 64);
  });
});

test("what a poll finds reaches the snapshot, and lets those go who wait for what a lost notice would have told", async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout"] });
  await withPool(1, async (pool, network) => {
    network.metrics =
      "vllm:num_requests_running 4\nvllm:num_requests_waiting 1\nvllm:kv_cache_usage_perc 0.5\n";
    await pool.exchange(cluster, leaseReport(1));
    await vi.advanceTimersByTimeAsync(1);
    await eventually(async () =>
      expect((await exchanged(pool, leaseReport(2, { sequence: Date.now() }))).replicas[0]).toMatchObject({
        running: 4,
        waiting: 1,
        kvUsage: 0.5,
      }),
    );
    const waiting = pool.ask(cluster, poolAsk(1));
    await vi.advanceTimersByTimeAsync(200);
    expect((await pool.status(cluster)).queue.waiting).toBe(1);
    network.metrics = "vllm:num_requests_running 3\nvllm:num_requests_waiting 0\n";
    await vi.advanceTimersByTimeAsync(1100);
    expect(await waiting).toEqual({ result: "granted", replica: "r0" });
  });
});

test("nobody waits for longer than asked: the tick says so", async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout"] });
  await withPool(1, async (pool, network) => {
    network.metrics = "vllm:num_requests_running 4\n";
    const open = [1, 2, 3, 4].map((number) => [number, "r0", 100, 0] as const);
    await pool.exchange(cluster, leaseReport(1, { source: "other", issued: 4, open }));
    const waiting = pool.ask(cluster, poolAsk(1, { maxWaitMs: 400 }));
    await vi.advanceTimersByTimeAsync(450);
    expect(await waiting).toMatchObject({ result: "overloaded" });
  });
});

test("admins' wishes and those who joined survive an eviction; leases are there again with the next report", async () => {
  await withPool(2, async (pool, _network, again) => {
    expect(await pool.act(cluster, { kind: "set", replica: "r0", state: "draining" })).toEqual({
      result: "done",
      changed: true,
    });
    const member = { id: "new", slots: 8, zone: "z", url: "http://10.0.0.9:8000" };
    await pool.act(cluster, { kind: "join", member });
    const open = [[1, "r1", 100, 0]] as const;
    const before = await exchanged(pool, leaseReport(1, { issued: 1, open }));
    const later = again();
    expect((await later.status(cluster)).leases).toBe(0);
    const after = await exchanged(later, leaseReport(2, { issued: 1, open }));
    expect(after.incarnation).not.toBe(before.incarnation);
    const shown = (snapshot: PoolSnapshot) =>
      snapshot.replicas.map(({ id, state, leases, url }) => `${id} ${state} ${leases} ${url}`).sort();
    expect(shown(after)).toEqual(shown(before));
    expect(shown(after)).toEqual([`new active 0 ${member.url}`, "r0 draining 0 null", "r1 active 1 null"]);
    // As it was: nothing is left on disk of it.
    await later.act(cluster, { kind: "set", replica: "r0", state: "active" });
    await later.act(cluster, { kind: "leave", replica: "new" });
    expect((await again().status(cluster)).replicas.map(({ id, state }) => `${id} ${state}`)).toEqual([
      "r0 active",
      "r1 active",
    ]);
  });
});

test("one that says every ten seconds that it is there is still there after an eviction, with what admins want of it", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  await withPool(1, async (pool, _network, again) => {
    const member = { id: "new", slots: 8, zone: "z", url: "http://10.0.0.9:8000" };
    await pool.act(cluster, { kind: "join", member });
    await pool.act(cluster, { kind: "set", replica: "new", state: "draining" });
    const joinedAtMs = Date.now();
    for (let beats = 1; beats <= 100; beats += 1) {
      vi.setSystemTime(joinedAtMs + beats * 10_000);
      await pool.act(cluster, { kind: "join", member });
    }
    const later = again();
    await later.exchange(cluster, leaseReport(1));
    const shown = (await later.status(cluster)).replicas.map(({ id, state }) => `${id} ${state}`);
    expect(shown).toContain("new draining");
    await later.act(cluster, { kind: "join", member });
    expect((await later.status(cluster)).replicas.find(({ id }) => id === "new")?.wishedState).toBe(
      "draining",
    );
  });
});

test("the first look at a pool without memory hears the engines first: a busy cluster is never told to be idle", async () => {
  await withPool(2, async (pool, network, again) => {
    network.metrics = "vllm:num_requests_running 4\nvllm:num_requests_waiting 2\n";
    for (const each of [pool, again()]) {
      const [one, other] = await Promise.all([each.status(cluster), each.status(cluster)]);
      expect(one.replicas.map(({ isAlive, running, waiting }) => [isAlive, running, waiting])).toEqual([
        [true, 4, 2],
        [true, 4, 2],
      ]);
      expect(one.scaling[0]).toMatchObject({ saturation: 1.5, wantedReplicas: 4 });
      expect(other.scaling).toEqual(one.scaling);
      expect(one.costPerHour).toBe(5);
    }
  });
});

test("a pool that nothing was wished of holds no tables", async () => {
  const stub = env.ORIGIN_POOL.getByName(crypto.randomUUID());
  await stub.exchange("us-east", leaseReport(1));
  await stub.act("us-east", { kind: "set", replica: "nobody", state: "disabled" });
  await runInDurableObject(stub, (_, state) => {
    expect(
      state.storage.sql
        .exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
        .toArray(),
    ).toEqual([]);
  });
});

test("behind its binding: the fleet's replicas, an eviction, a kill, a version that it does not know", async () => {
  const name = crypto.randomUUID();
  const stub = () => env.ORIGIN_POOL.getByName(name);
  expect((await exchanged(stub(), leaseReport(1))).replicas.map(({ id }) => id)).toEqual([]);
  const us = async () => {
    const outcome = await stub().exchange("us-east", leaseReport(Date.now()));
    return outcome.result === "taken" ? decodeSnapshot(outcome.snapshot) : null;
  };
  await evictDurableObject(stub());
  expect((await us())?.replicas.map(({ id }) => id)).toEqual(["us-east-1", "us-east-2"]);
  await stub().act("us-east", { kind: "set", replica: "us-east-2", weight: 0.5 });
  await abortAllDurableObjects();
  expect((await us())?.replicas.map(({ weight }) => weight)).toEqual([1, 0.5]);
  const unknown = { v: 2 as never };
  expect(await stub().exchange("us-east", { ...leaseReport(1), ...unknown })).toEqual({
    result: "version-unsupported",
    supported: 1,
  });
  expect(await stub().ask("us-east", { ...poolAsk(1), ...unknown })).toMatchObject({
    result: "version-unsupported",
  });
});
