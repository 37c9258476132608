import { expect, test } from "vitest";
import type { PollFinding } from "./replica-record.ts";
import { SimulatedClock } from "./simulated-fleet-fixture.ts";
import { pollsAtOnce, sweep, sweepBudgetMs, type SweepTarget } from "./sweep.ts";

const well: PollFinding = { isAlive: true, running: 0, waiting: 0, kvUsage: 0, workedTokens: null };
const silent: PollFinding = { ...well, isAlive: false, running: null, waiting: null };

/** One sweep over replicas that answer after so long, or (null) never. What was found, how many at once, how long it took. */
async function swept(
  targets: readonly SweepTarget[],
  answersAfterMs: (replica: string) => number | null,
): Promise<{ found: Map<string, PollFinding>; most: number; tookMs: number }> {
  const clock = new SimulatedClock();
  const startMs = clock.nowMs;
  const found = new Map<string, PollFinding>();
  let running = 0;
  let most = 0;
  let endMs = Number.NaN;
  const sweeping = sweep(targets, {
    poll: async (replica, timeoutMs) => {
      running += 1;
      most = Math.max(most, running);
      const answerMs = answersAfterMs(replica);
      await clock.sleep(Math.min(timeoutMs, answerMs ?? timeoutMs));
      running -= 1;
      return answerMs !== null && answerMs <= timeoutMs ? well : silent;
    },
    found: (replica, finding) => void found.set(replica, finding),
    now: () => clock.nowMs,
  }).then(() => (endMs = clock.nowMs));
  await clock.runUntil(startMs + 60_000);
  await sweeping;
  return { found, most, tookMs: endMs - startMs };
}

function replicas(count: number, change: (at: number) => Partial<SweepTarget> = () => ({})): SweepTarget[] {
  return Array.from({ length: count }, (_, at) => ({
    replica: `r${at}`,
    polledAtMs: 0,
    isAlive: true,
    ...change(at),
  }));
}

test("128 replicas are all polled within two seconds, six at once", async () => {
  // Health and metrics of a replica on the same continent: two round trips of 40 ms.
  const { found, most, tookMs } = await swept(replicas(128), () => 80);
  expect([found.size, most]).toEqual([128, pollsAtOnce]);
  expect(pollsAtOnce).toBe(6);
  expect(tookMs).toBeLessThanOrEqual(2000);
  expect([...found.values()].every(({ isAlive }) => isAlive)).toBe(true);
});

test("half of them dead: the living are all seen within two seconds, and the dead take turns in what time is left", async () => {
  const isDead = (replica: string): boolean => Number(replica.slice(1)) < 64;
  const after = (replica: string): number | null => (isDead(replica) ? null : 80);
  const first = await swept(
    replicas(128, (at) => ({ isAlive: at >= 64, polledAtMs: at })),
    after,
  );
  expect(first.tookMs).toBeLessThanOrEqual(sweepBudgetMs);
  const seen = (found: ReadonlyMap<string, PollFinding>) =>
    [...found.keys()].filter((replica) => !isDead(replica));
  expect(seen(first.found)).toHaveLength(64);
  const dead = [...first.found.keys()].filter(isDead);
  expect(dead.length).toBeGreaterThan(6);
  // The next sweep begins with the dead ones that this one did not come to.
  const second = await swept(
    replicas(128, (at) => ({ isAlive: at >= 64, polledAtMs: dead.includes(`r${at}`) ? 1000 : at })),
    after,
  );
  expect([...second.found.keys()].filter(isDead).some((replica) => dead.includes(replica))).toBe(false);
});

test("half of them die at once: three sweeps, each in its time, find that out", async () => {
  const isDead = (replica: string): boolean => Number(replica.slice(1)) % 2 === 0;
  const known = new Map<string, PollFinding>();
  for (let round = 1; round <= 3; round += 1) {
    const { found, most, tookMs } = await swept(
      replicas(128, (at) => {
        const finding = known.get(`r${at}`);
        return finding === undefined ? {} : { isAlive: finding.isAlive, polledAtMs: 2000 * round };
      }),
      (replica) => (isDead(replica) ? null : 40),
    );
    expect([most, tookMs <= sweepBudgetMs]).toEqual([6, true]);
    for (const [replica, finding] of found) known.set(replica, finding);
  }
  expect(known.size).toBeGreaterThan(110);
  for (const [replica, { isAlive }] of known) expect(isAlive).toBe(!isDead(replica));
});

test("while six are silent all are waited for half as long; with fewer, the others get their whole time", async () => {
  const slow = 800;
  const answers = (silentOnes: number) =>
    swept(
      replicas(7, (at) => ({ isAlive: at >= silentOnes })),
      (replica) => (Number(replica.slice(1)) < silentOnes ? null : slow),
    );
  expect((await answers(5)).found.get("r6")).toBe(well);
  expect((await answers(6)).found.get("r6")).toBe(silent);
});
