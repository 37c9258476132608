/** A whole zone, then a whole region dies at any time: who has no first byte yet sees nothing of it. The real router, a fleet without a network. */
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeReplicas, fakeFleet, fakeRequest, type Behaviour } from "../../../test/workers/fake-replicas.ts";
import { buildFleetIndex } from "./fleet/fleet-index.ts";
import { createOriginRouter } from "./origin-router.ts";
import { Poller } from "./poller.ts";
import { RouterState } from "./router-state.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** How dead replicas look from outside. */
const deaths: readonly Behaviour[] = ["refuse", "500", "cut-before-body", "stall-before-headers"];

/** Two regions of six replicas in two zones each. */
function twoRegions() {
  const fleet = fakeFleet(6, 6);
  for (const cluster of fleet.clusters)
    for (const [at, replica] of cluster.replicas.entries()) {
      replica.zone = at < 3 ? "a" : "b";
      replica.slots = 32;
    }
  return fleet;
}

function mount(seed: number) {
  const replicas = new FakeReplicas();
  const state = new RouterState();
  let lot = seed;
  const random = (): number => {
    lot = (lot * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return lot / 2 ** 32;
  };
  const origin = createOriginRouter({
    callerRegisters: true,
    state,
    poller: new Poller(),
    fleet: buildFleetIndex(twoRegions()),
    // Every answer takes a moment, so that deaths come between a request and its first byte.
    transport: async (url, init, target) => {
      await new Promise((resolve) => setTimeout(resolve, 20 + random() * 60));
      return replicas.transport(url, init, target);
    },
    background: { run: (_name, work) => void work },
    now: () => Date.now(),
    random,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const die = (cluster: number, from: number, to: number, how: Behaviour): void => {
    for (let at = from; at < to; at += 1) replicas.behaviour.set(`c${cluster}r${at}.test`, how);
  };
  return { origin, state, replicas, die };
}

test("a whole zone, then the whole region dies at any time: every request gets its first byte", async () => {
  const moment = fc.nat({ max: 1500 });
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 2 ** 31 }),
      fc.constantFrom(...deaths),
      moment,
      moment,
      async (seed, how, zoneAtMs, laterMs) => {
        const { origin, state, die } = mount(seed + 1);
        setTimeout(() => die(0, 0, 3, how), zoneAtMs);
        setTimeout(() => die(0, 3, 6, how), zoneAtMs + laterMs);
        const failures: string[] = [];
        const requests = Array.from({ length: 120 }, async (_, at) => {
          await new Promise((resolve) => setTimeout(resolve, at * 25));
          const place = { latitude: 0, longitude: 5 };
          const affinity = { keys: [at % 7, 1000 + at], conversationAt: 1 };
          const result = await origin.dispatch(
            fakeRequest(["c0", "c1"], { requestId: `r${at}`, place, affinity }),
            new AbortController().signal,
          );
          if (result.ok) result.value.report("done");
          else failures.push(`${at}: ${JSON.stringify(result.error)}`);
        });
        await over(Promise.all(requests));
        expect(failures).toEqual([]);
        expect(state.inFlight.size).toBe(0);
      },
    ),
    { numRuns: 12 },
  );
}, 60_000);

test("after the first failures nobody asks the dead zone any more but a trial now and then", async () => {
  const { origin, replicas, state, die } = mount(7);
  die(0, 0, 3, "refuse");
  const attempts: number[] = [];
  for (let at = 0; at < 60; at += 1) {
    const dispatched = origin.dispatch(
      fakeRequest(["c0"], { requestId: `r${at}` }),
      new AbortController().signal,
    );
    const result = await over(dispatched);
    if (!result.ok) throw new Error(result.error.kind);
    attempts.push(result.value.attempts);
    result.value.report("done");
  }
  expect(state.zones.state("c0", "a", Date.now())).not.toBe("closed");
  expect(attempts.slice(20).filter((count) => count > 1).length).toBeLessThanOrEqual(4);
  const dead = replicas.hosts.filter((host) => /^c0r[012]/.test(host)).length;
  expect(dead).toBeLessThanOrEqual(12);
});

test("a zone that is back gets its share again", async () => {
  const { origin, replicas, die } = mount(9);
  die(0, 0, 3, "refuse");
  const turn = async (at: number): Promise<void> => {
    const result = await over(
      origin.dispatch(fakeRequest(["c0"], { requestId: `r${at}` }), new AbortController().signal),
    );
    if (result.ok) result.value.report("done");
  };
  for (let at = 0; at < 30; at += 1) await turn(at);
  die(0, 0, 3, "well");
  await vi.advanceTimersByTimeAsync(20_000);
  for (let at = 0; at < 30; at += 1) await turn(100 + at);
  replicas.calls.length = 0;
  for (let at = 0; at < 90; at += 1) await turn(200 + at);
  const back = replicas.hosts.filter((host) => /^c0r[012]/.test(host)).length;
  expect(back).toBeGreaterThan(25);
  expect(back).toBeLessThan(65);
});

/** Runs the clock until the work is done. */
async function over<T>(work: Promise<T>): Promise<T> {
  const progress = { over: false };
  const watched = work.finally(() => (progress.over = true));
  while (!progress.over) await vi.advanceTimersByTimeAsync(20);
  return watched;
}
