/** What does a pool believe of its replicas: how busy, how well, how fast are they, and who is one? */
import { expect, test } from "vitest";
import { leaseReport, outcomesOf, poolAsk, poolOf, well } from "./pool-fixture.ts";
import { poolStatus, takesRequests } from "./pool-status.ts";
import { slowStartMs, type PollFinding } from "./replica-record.ts";

test("the engine's own count corrects the leases: others' requests fill it, ghosts do not", () => {
  const pool = poolOf(1, 4);
  const r0 = pool.members.get("r0");
  r0?.found({ ...well, running: 4 }, 1000);
  expect(pool.ask(poolAsk(1), 1000)).toEqual([]);
  // The others have left: the next poll says so.
  r0?.found({ ...well, running: 0 }, 2000);
  expect(outcomesOf(pool.tick(2000))).toEqual(["granted"]);
  // Leases of an isolate that died stand until they expire; the engine knows better.
  pool.report(
    leaseReport(1, { source: "dead", issued: 3, open: [1, 2, 3].map((at) => [at, "r0", 100, 0]) }),
    2100,
  );
  r0?.found({ ...well, running: 1 }, 3000);
  expect(pool.snapshot(3000).replicas[0]).toMatchObject({
    leases: 4,
    running: 1,
    waiting: 0,
    polledAtMs: 3000,
  });
  // Numbers of ten seconds ago say nothing any more.
  expect(pool.snapshot(13_000).replicas[0]).toMatchObject({ leases: 4, running: 4, polledAtMs: null });
});

test("what began after a poll is added to it, what ended is taken off by how likely the poll had seen it", () => {
  const pool = poolOf(1, 100);
  const there = (nowMs: number) => pool.snapshot(nowMs).replicas[0]?.running;
  pool.report(
    leaseReport(1, { issued: 10, open: Array.from({ length: 10 }, (_, at) => [at + 1, "r0", 10, 0]) }),
    1000,
  );
  pool.members.get("r0")?.found({ ...well, running: 30 }, 2000);
  expect(there(2000)).toBe(30);
  // Six of the ten ended some time between the reports, half of which lies after the poll; two are new.
  const left = [7, 8, 9, 10].map((number) => [number, "r0", 10, 2000] as const);
  const fresh = [11, 12].map((number) => [number, "r0", 10, 500] as const);
  pool.report(leaseReport(2, { issued: 12, open: [...left, ...fresh] }), 3000);
  expect(there(3000)).toBe(30 + 2 - 3);
});

test("missing metrics are unknown, a dead replica is not offered, and a poll that finds it well offers it again", () => {
  const pool = poolOf(2, 4);
  const r0 = pool.members.get("r0");
  r0?.found({ isAlive: true, running: null, waiting: null, kvUsage: null, workedTokens: null }, 0);
  expect(pool.snapshot(0).replicas[0]).toMatchObject({ polledAtMs: null, kvUsage: null, breaker: "closed" });
  const dead = { ...well, isAlive: false };
  r0?.found(dead, 1000);
  r0?.found(dead, 1100);
  expect(pool.snapshot(1200).replicas[0]?.breaker).toBe("open");
  for (let number = 1; number <= 4; number += 1)
    expect(pool.ask(poolAsk(number), 1200)[0]?.outcome).toEqual({ result: "granted", replica: "r1" });
  expect(pool.ask(poolAsk(5), 1200)).toEqual([]);
  r0?.found(well, 1300);
  expect(pool.tick(1300)[0]?.outcome).toEqual({ result: "granted", replica: "r0" });
});

test("isolates' failures open the breaker for all of them, and a trial that ends well closes it", () => {
  const pool = poolOf(1, 4);
  const heard = (sequence: number, successes: number, broken: number, nowMs: number) =>
    pool.report(
      leaseReport(sequence, {
        outcomes: [{ replica: "r0", successes, failures: broken === 0 ? {} : { broken }, firstByte: null }],
      }),
      nowMs,
    );
  const state = (nowMs: number) => pool.snapshot(nowMs).replicas[0]?.breaker;
  heard(1, 100, 1, 0);
  expect(state(0)).toBe("closed");
  heard(2, 0, 5, 10);
  expect(state(10)).toBe("open");
  // Ends of before: no proof that it is well.
  heard(3, 3, 0, 20);
  expect(state(20)).toBe("open");
  expect(state(1010)).toBe("half-open");
  heard(4, 1, 0, 1020);
  expect(state(1020)).toBe("closed");
});

test("a failure that only isolates of newer code have a name for opens it as any other, and it closes again", () => {
  const pool = poolOf(1, 4);
  const heard = (sequence: number, successes: number, failures: object, nowMs: number) =>
    pool.report(
      leaseReport(sequence, { outcomes: [{ replica: "r0", successes, failures, firstByte: null }] }),
      nowMs,
    );
  const state = (nowMs: number) => pool.snapshot(nowMs).replicas[0]?.breaker;
  heard(1, 0, { "of-tomorrow": 5 }, 0);
  expect(state(0)).toBe("open");
  heard(2, 1, {}, 1010);
  expect(state(1010)).toBe("closed");
  heard(3, 0, { refused: 2 }, 1020);
  expect(state(1020)).toBe("open");
});

test("a half-open breaker is a trial: one place for the queue and a tenth of its share, until one ends well", () => {
  const pool = poolOf(2, 8);
  const heard = (sequence: number, successes: number, broken: number, nowMs: number) =>
    pool.report(
      leaseReport(sequence, {
        outcomes: [{ replica: "r0", successes, failures: broken === 0 ? {} : { broken }, firstByte: null }],
      }),
      nowMs,
    );
  const view = (nowMs: number) => pool.snapshot(nowMs).replicas[0];
  const places = (nowMs: number) => pool.members.get("r0")?.freePlaces({ leases: 0, tokens: 0 }, nowMs);
  heard(1, 0, 5, 0);
  expect([view(10)?.breaker, places(10)]).toEqual(["open", 0]);
  expect([view(1010)?.breaker, places(1010), view(1010)?.weight]).toEqual(["half-open", 1, 0.1]);
  heard(2, 0, 1, 1020);
  expect([view(1020)?.breaker, places(1020)]).toEqual(["open", 0]);
  expect([view(3030)?.breaker, places(3030)]).toEqual(["half-open", 1]);
  heard(3, 1, 0, 3040);
  expect([view(3040)?.breaker, places(3040), view(3040)?.weight]).toEqual(["closed", 8, 1]);
});

test("a replica that drains takes no more and keeps what runs there; one that is enabled again takes as before", () => {
  const pool = poolOf(2, 4);
  pool.report(leaseReport(1, { issued: 1, open: [[1, "r0", 100, 0]] }), 0);
  pool.members.wish("r0", { state: "draining", weight: 1 });
  for (let number = 2; number <= 5; number += 1)
    expect(pool.ask(poolAsk(number), 10)[0]?.outcome).toEqual({ result: "granted", replica: "r1" });
  expect(pool.snapshot(10).replicas[0]).toMatchObject({ state: "draining", leases: 1 });
  expect(pool.ask(poolAsk(6), 20)).toEqual([]);
  pool.members.wish("r0", { state: "active", weight: 1 });
  expect(pool.tick(30)[0]?.outcome).toEqual({ result: "granted", replica: "r0" });
});

test("whoever joins while running starts slowly, is lost without a heartbeat, and comes back with one", () => {
  const pool = poolOf(1, 10);
  const config = { id: "new", slots: 10, zone: "z", url: "http://10.0.0.9:8000" };
  expect(pool.members.join(config, 1000)).toBe("joined");
  expect(pool.members.join({ ...config, id: "r0" }, 1000)).toBe("in-fleet-document");
  const view = (nowMs: number) => pool.snapshot(nowMs).replicas.find(({ id }) => id === "new");
  expect(view(1000)).toMatchObject({ weight: 0.1, state: "active", url: config.url, startedAtMs: 1000 });
  expect(pool.members.get("new")?.places(1000)).toBe(1);
  expect(view(1000 + slowStartMs / 2)?.weight).toBeCloseTo(0.5);
  expect(view(1000 + slowStartMs)?.weight).toBe(1);
  expect(pool.members.join(config, 60_000)).toBe("heartbeat");
  expect(view(100_000)?.state).toBe("active");
  expect(view(150_000)?.state).toBe("lost");
  expect(pool.members.join(config, 151_000)).toBe("joined");
  expect(view(151_000)).toMatchObject({ state: "active", weight: 0.1 });
  expect(pool.members.leave("r0")).toBe(false);
  expect(pool.members.leave("new")).toBe(true);
  expect(view(151_000)).toBeUndefined();
});

test("a new fleet document keeps what is known of those that stay, and starts the new one slowly", () => {
  const pool = poolOf(2, 4);
  pool.members.wish("r0", { state: "draining", weight: 1 });
  const member = (id: string, slots = 4) => ({ id, slots, zone: null, url: null });
  pool.members.adopt([member("r0", 8), member("r2")], 5000);
  expect(pool.snapshot(5000).replicas).toMatchObject([
    { id: "r0", state: "draining", slots: 8, weight: 1 },
    { id: "r2", state: "active", weight: 0.1 },
  ]);
  expect(pool.members.kept("r0")).toEqual({
    replica: "r0",
    wish: { state: "draining", weight: 1 },
    joined: null,
  });
});

test("throughput is the most that was seen lately, and counters that began anew do not spoil it", () => {
  const pool = poolOf(1, 4);
  const worked = (workedTokens: number, nowMs: number) =>
    pool.members.get("r0")?.found({ ...well, workedTokens }, nowMs);
  const throughput = (nowMs: number) => pool.snapshot(nowMs).replicas[0]?.throughput;
  worked(0, 0);
  expect(throughput(0)).toBeNull();
  worked(2400, 1000);
  expect(throughput(1000)).toBe(2400);
  worked(2500, 2000);
  worked(10, 3000);
  worked(20, 4000);
  expect(throughput(4000)).toBeGreaterThan(2380);
  expect(throughput(601_000)).toBeCloseTo(1200, -1);
});

test("a first byte that nobody asks for any more fades to the best peer's: one cold answer does not keep a replica idle, and a slow one is told at once", () => {
  const pool = poolOf(2, 4);
  const heard = (replica: string, ms: number, nowMs: number) =>
    pool.members
      .get(replica)
      ?.heard({ replica, successes: 1, failures: {}, firstByte: { region: "4b", ms } }, nowMs);
  const known = (replica: string, nowMs: number) =>
    pool
      .snapshot(nowMs)
      .replicas.find(({ id }) => id === replica)
      ?.latencyMs.get("4b");
  const pass = (fromMs: number, toMs: number): void => {
    for (let nowMs = fromMs; nowMs <= toMs; nowMs += 1000) {
      heard("r0", 60, nowMs);
      pool.tick(nowMs);
    }
  };
  // Its engine compiled something, say: three seconds once, and with that it is the last that anybody would choose.
  heard("r1", 3000, 0);
  pass(0, 8000);
  expect(known("r1", 8000)).toBe(3000);
  pass(9000, 40_000);
  expect(known("r1", 40_000)).toBeLessThan(1000);
  pass(41_000, 100_000);
  expect(known("r1", 100_000)).toBeLessThan(80);
  expect(known("r0", 100_000)).toBe(60);
  // Still slow: known again at once, not by and by.
  heard("r1", 2900, 100_500);
  expect(known("r1", 100_500)).toBe(2900);
  pass(101_000, 200_000);
  // It was only cold.
  heard("r1", 58, 200_500);
  expect(known("r1", 200_500)).toBe(58);
});

test("a first byte that is asked for all the time rises slowly: load is not distance", () => {
  const pool = poolOf(1, 4);
  for (let at = 0; at < 100; at += 1) {
    pool.members
      .get("r0")
      ?.heard(
        { replica: "r0", successes: 1, failures: {}, firstByte: { region: "4b", ms: at === 0 ? 50 : 250 } },
        at * 1000,
      );
    pool.tick(at * 1000);
  }
  const ms = pool.snapshot(100_000).replicas[0]?.latencyMs.get("4b") ?? 0;
  expect(ms).toBeGreaterThan(200);
  expect(ms).toBeLessThan(250);
});

test("a replica that starts slowly or is on trial counts in full for an autoscaler: its coming must not ask for more", () => {
  const pool = poolOf(2, 8);
  const open = Array.from({ length: 12 }, (_, at) => [at + 1, `r${at % 2}`, 100, 0] as const);
  pool.report(leaseReport(1, { issued: 12, open }), 1000);
  const scaling = (nowMs: number) => poolStatus(pool, { models: ["m"], costPerHour: 0 }, nowMs).scaling[0];
  expect(scaling(1000)).toMatchObject({ saturation: 0.75, wantedReplicas: 2 });
  pool.members.join({ id: "new", slots: 8, zone: null, url: "http://10.0.0.9:8000" }, 2000);
  expect(scaling(2000)).toMatchObject({ saturation: 0.5, wantedReplicas: 2 });
  for (let at = 0; at < 3; at += 1) pool.members.get("r1")?.breaker.failure("refused", 2000);
  expect(scaling(2010)).toMatchObject({ saturation: 0.375, wantedReplicas: 1 });
  // Half-open: it is there.
  expect(scaling(3010)).toMatchObject({ saturation: 0.5, wantedReplicas: 2 });
});

test("a cluster none of whose replicas answers is told to be out of reach: nobody scales by its having nothing to do", () => {
  const pool = poolOf(2, 8);
  const status = () => poolStatus(pool, { models: ["m"], costPerHour: 0 }, 1000);
  // Nobody was asked yet.
  expect(status().outOfReach).toBeUndefined();
  const dead: PollFinding = { ...well, isAlive: false, running: null, waiting: null };
  pool.members.get("r0")?.found(dead, 1000);
  expect(status().outOfReach).toBeUndefined();
  pool.members.get("r1")?.found(dead, 1000);
  expect(status().outOfReach).toBe(true);
  pool.members.get("r1")?.found(well, 1000);
  expect(status().outOfReach).toBeUndefined();
});

test("a replica that could not be reached last takes no requests, also between two trials: who looks seldom would always find it there", () => {
  const pool = poolOf(2, 8);
  const taking = (nowMs: number) =>
    poolStatus(pool, { models: ["m"], costPerHour: 0 }, nowMs).replicas.filter(takesRequests).length;
  const dead: PollFinding = { ...well, isAlive: false, running: null, waiting: null };
  for (const id of ["r0", "r1"])
    for (const atMs of [1000, 2000, 3000]) pool.members.get(id)?.found(dead, atMs);
  expect(taking(3000)).toBe(0);
  // Half-open, where nobody polled it since.
  expect(pool.snapshot(60_000).replicas.map(({ breaker }) => breaker)).toEqual(["half-open", "half-open"]);
  expect(taking(60_000)).toBe(0);
  pool.members.get("r1")?.found(well, 61_000);
  expect(taking(61_000)).toBe(1);
});
