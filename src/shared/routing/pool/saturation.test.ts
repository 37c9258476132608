/** What becomes of one tenant's requests when another floods a full cluster? The real queue on a simulated clock. */
import { expect, test } from "vitest";
import { Pool, type Decision } from "./pool.ts";
import { seeded } from "./seeded-fixture.ts";
import { SimulatedClock } from "./simulated-fleet-fixture.ts";

const replicas = 2;
const slots = 8;

interface Arrivals {
  readonly tenant: string;
  /** Requests a second, by a Poisson process. */
  readonly perSecond: number;
}

const runMs = 40_000;

/** Runs arrivals for so long; milliseconds from arrival to the end of the answer, by tenant, of those that were answered. */
async function run(arrivals: readonly Arrivals[], seed: number): Promise<Map<string, number[]>> {
  const clock = new SimulatedClock();
  const random = seeded(seed);
  const pool = new Pool({ cluster: "c", incarnation: "1", random });
  pool.members.adopt(
    Array.from({ length: replicas }, (_, at) => ({ id: `r${at}`, slots, zone: null, url: null })),
    clock.nowMs,
  );
  const times = new Map<string, number[]>(arrivals.map(({ tenant }) => [tenant, []]));
  const running = new Map<string, { tenant: string; sinceMs: number; runsMs: number; number: number }>();
  let number = 0;
  let granted = 0;
  const faults: string[] = [];
  const carryOut = (decisions: readonly Decision[]): void => {
    for (const { key, outcome } of decisions) {
      const request = running.get(key);
      if (request === undefined || outcome.result !== "granted") continue;
      granted += 1;
      clock.at(clock.nowMs + request.runsMs, () => {
        granted -= 1;
        times.get(request.tenant)?.push(clock.nowMs - request.sinceMs);
        carryOut(pool.withdraw({ v: 1, source: "isolate", number: request.number }, clock.nowMs));
      });
    }
    // Nothing waits while a slot is free, and no slot is given twice.
    if (pool.queue.size > 0 && granted < replicas * slots)
      faults.push(`${pool.queue.size} wait, ${granted} run`);
    if (granted > replicas * slots) faults.push(`${granted} run`);
  };
  const endMs = clock.nowMs + runMs;
  for (const { tenant, perSecond } of arrivals) {
    const arrive = (): void => {
      number += 1;
      running.set(`isolate ${number}`, {
        tenant,
        sinceMs: clock.nowMs,
        runsMs: 500 + random() * 1500,
        number,
      });
      carryOut(
        pool.ask(
          {
            v: 1,
            source: "isolate",
            number,
            report: null,
            tokens: 300,
            model: "m",
            tenant,
            tier: "pro",
            excluded: [],
            maxWaitMs: 10_000,
          },
          clock.nowMs,
        ),
      );
      schedule();
    };
    const schedule = (): void => {
      const nextMs = clock.nowMs - (Math.log(1 - random()) / perSecond) * 1000;
      if (nextMs < endMs) clock.at(nextMs, arrive);
    };
    schedule();
  }
  const tick = (): void => {
    carryOut(pool.tick(clock.nowMs));
    if (clock.nowMs < endMs + 30_000) clock.at(clock.nowMs + 50, tick);
  };
  clock.at(clock.nowMs, tick);
  await clock.runUntil(endMs + 30_000);
  expect(faults).toEqual([]);
  return times;
}

function p99(times: readonly number[] | undefined): number {
  const sorted = [...(times ?? [])].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
}

test.each([1, 2, 3])(
  "one floods at five times what the cluster can do: the other's p99 is at most twice its p99 alone (seed %i)",
  { timeout: 30_000 },
  async (seed) => {
    // Sixteen slots do some 12.8 requests a second.
    const quiet = { tenant: "quiet", perSecond: 4 };
    const alone = p99((await run([quiet], seed)).get("quiet"));
    const flooded = await run([quiet, { tenant: "flood", perSecond: 64 }], seed);
    const beside = flooded.get("quiet") ?? [];
    expect(beside.length).toBeGreaterThan(120);
    expect(p99(beside)).toBeLessThanOrEqual(2 * alone);
    // And the cluster works all the time, mostly for the one that wants more.
    expect((flooded.get("flood")?.length ?? 0) + beside.length).toBeGreaterThan(0.9 * 12.8 * (runMs / 1000));
  },
);
