/** Who may go, who waits, and for how long? */
import { expect, test } from "vitest";
import { leaseReport, outcomesOf, poolAsk, poolOf } from "./pool-fixture.ts";
import { maxWaitMs } from "./pool.ts";

test("nothing waits while a slot is free, and what waits goes the moment one is, at most eight in a group", () => {
  const pool = poolOf(2, 8);
  for (let number = 1; number <= 16; number += 1)
    expect(outcomesOf(pool.ask(poolAsk(number), 0))).toEqual(["granted"]);
  for (let number = 17; number <= 40; number += 1) expect(pool.ask(poolAsk(number), 0)).toEqual([]);
  expect(pool.queue.size).toBe(24);
  const released = pool.withdraw({ v: 1, source: "isolate", number: 1 }, 5);
  expect(released).toHaveLength(1);
  expect(released[0]).toEqual({
    key: "isolate 17",
    outcome: { result: "granted", replica: expect.any(String) },
  });
  // All sixteen come back in one report: sixteen go.
  const asking = Array.from({ length: 23 }, (_, at) => 18 + at);
  expect(pool.report(leaseReport(1, { issued: 40, asking }), 10)).toHaveLength(16);
  expect([pool.leases, pool.queue.size]).toEqual([16, 7]);
});

test("asking again for the same lease changes nothing, and gets the same replica", () => {
  const pool = poolOf(1, 1);
  const [first] = pool.ask(poolAsk(1), 0);
  expect(pool.ask(poolAsk(1), 1)).toEqual([first]);
  expect(pool.ask(poolAsk(2), 2)).toEqual([]);
  expect(pool.ask(poolAsk(2), 3)).toEqual([]);
  expect([pool.leases, pool.queue.size]).toEqual([1, 1]);
});

test("a client that leaves is taken out of the queue, by its word or by its isolate's report", () => {
  const pool = poolOf(1, 1);
  pool.ask(poolAsk(1), 0);
  for (const number of [2, 3, 4]) pool.ask(poolAsk(number), 0);
  expect(pool.withdraw({ v: 1, source: "isolate", number: 2 }, 1)).toEqual([
    { key: "isolate 2", outcome: { result: "withdrawn" } },
  ]);
  const open = [[1, "r0", 100, 0]] as const;
  expect(pool.report(leaseReport(1, { issued: 4, open, asking: [4] }), 2)).toEqual([
    { key: "isolate 3", outcome: { result: "withdrawn" } },
  ]);
  expect(outcomesOf(pool.ask(poolAsk(3), 3))).toEqual(["withdrawn"]);
  expect(pool.queue.size).toBe(1);
});

test("a wait that is over, and a queue that is full, are told with when to come back", () => {
  const pool = poolOf(1, 1);
  pool.report(leaseReport(1, { source: "busy", issued: 1, open: [[1, "r0", 20_000, 0]] }), 0);
  pool.ask(poolAsk(2, { maxWaitMs: 1000 }), 0);
  pool.ask(poolAsk(3, { maxWaitMs: 1e9 }), 0);
  expect(pool.tick(999)).toEqual([]);
  expect(pool.tick(1000)).toEqual([
    { key: "isolate 2", outcome: { result: "overloaded", retryAfterMs: expect.any(Number) } },
  ]);
  expect(outcomesOf(pool.tick(maxWaitMs))).toEqual(["overloaded"]);
  for (let number = 4; number < 4 + 64; number += 1) expect(pool.ask(poolAsk(number), 31_000)).toEqual([]);
  const [full] = pool.ask(poolAsk(100), 31_000);
  expect(full?.outcome).toMatchObject({ result: "overloaded" });
  if (full?.outcome.result === "overloaded") {
    expect(full.outcome.retryAfterMs).toBeGreaterThanOrEqual(1000);
    expect(full.outcome.retryAfterMs).toBeLessThanOrEqual(30_000);
  }
});

test("where no replica may be asked at all, nobody is made to wait", () => {
  const pool = poolOf(1, 4);
  pool.members.wish("r0", { state: "disabled", weight: 1 });
  expect(outcomesOf(pool.ask(poolAsk(1), 0))).toEqual(["none-offered"]);
  expect(outcomesOf(poolOf(1, 4).ask(poolAsk(1, { excluded: ["r0"] }), 0))).toEqual(["none-offered"]);
});

test("a lost notice delays a release by a tick, and an isolate that died by its leases' time", () => {
  const pool = poolOf(1, 1);
  pool.report(leaseReport(1, { issued: 1, open: [[1, "r0", 100, 0]] }), 0);
  const waiting = (nowMs: number) => pool.ask(poolAsk(1, { source: `b${nowMs}`, maxWaitMs: 30_000 }), nowMs);
  expect(waiting(50_000)).toEqual([]);
  expect(pool.tick(60_000)).toEqual([]);
  expect(outcomesOf(pool.tick(65_000))).toEqual(["granted"]);
});
