/** A second replica beside a late first one: when, who wins, what becomes of the loser, and how often. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeReplicas, fakeFleet, fakeRequest, type Behaviour } from "../../../test/workers/fake-replicas.ts";
import type { LeaveSignal } from "../contracts/leave-signal.ts";
import type { Failed } from "./ask-replica.ts";
import { FirstByteTimes } from "./first-byte-times.ts";
import { buildFleetIndex } from "./fleet/fleet-index.ts";
import { hedged } from "./hedge.ts";
import { createOriginRouter } from "./origin-router.ts";
import { Poller } from "./poller.ts";
import type { OriginAnswer, OriginRequest } from "./ports.ts";
import { RouterState } from "./router-state.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const usualMs = 100;

/** A fleet whose first replica is chosen first, and answers after so long. */
function mount(delays: Readonly<Record<string, number>> = {}, replicas = 2) {
  const fakes = new FakeReplicas();
  const state = new RouterState();
  for (let at = 0; at < 100; at += 1) state.firstByteTimes.observe("m", true, usualMs);
  const index = buildFleetIndex(fakeFleet(replicas));
  const origin = createOriginRouter({
    callerRegisters: true,
    state,
    poller: new Poller(),
    fleet: index,
    transport: async (url, init, target) => {
      const { host } = new URL(url);
      const answer = fakes.transport(url, init, target);
      if (init.method !== "POST") return answer;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, delays[host] ?? 0);
        init.signal?.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(new DOMException("aborted", "AbortError"));
        });
      });
      return answer;
    },
    background: { run: (_name, work) => void work },
    now: () => Date.now(),
    random: () => 0,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const ask = (change: Partial<OriginRequest> = {}) =>
    finished(origin.dispatch(fakeRequest(["c0"], { hedge: true, ...change }), new AbortController().signal));
  const behave = (host: string, behaviour: Behaviour) => fakes.behaviour.set(host, behaviour);
  const breaker = (at: number) => state.clusters(index).get("c0")?.replicas[at]?.known.breaker;
  return { fakes, state, ask, behave, breaker };
}

async function finished<T>(work: Promise<T>): Promise<T> {
  const progress = { over: false };
  const watched = work.finally(() => (progress.over = true));
  while (!progress.over) await vi.advanceTimersByTimeAsync(10);
  return watched;
}

test("a first that is late gets a second beside it; the second wins, and the first is aborted at once", async () => {
  const { fakes, state, ask, breaker } = mount({ "c0r0.test": 5000 });
  const startMs = Date.now();
  const result = await ask();
  expect(result).toMatchObject({ ok: true, value: { replica: "r1", attempts: 2 } });
  expect(Date.now() - startMs).toBeLessThan(usualMs + 50);
  expect(fakes.calls.map(({ aborted }) => aborted)).toEqual([true, false]);
  // Slow is not broken.
  expect(breaker(0)?.score(Date.now())).toBe(0);
  if (result.ok) result.value.report("done");
  expect(state.inFlight.size).toBe(0);
});

test("a first that comes after all wins over a second that does not", async () => {
  const { fakes, state, ask } = mount({ "c0r0.test": 150, "c0r1.test": 5000 });
  const result = await ask();
  expect(result).toMatchObject({ ok: true, value: { replica: "r0" } });
  expect(fakes.calls.map(({ aborted }) => aborted)).toEqual([false, true]);
  if (result.ok) result.value.report("done");
  expect(state.inFlight.size).toBe(0);
});

test("a replica that hangs is found out, though all its requests are dropped for quicker ones", async () => {
  const { fakes, state, ask, behave, breaker } = mount();
  behave("c0r0.test", "stall-before-headers");
  const result = await ask();
  expect(result).toMatchObject({ ok: true, value: { replica: "r1" } });
  if (result.ok) result.value.report("done");
  for (let asked = 1; asked < 60 && breaker(0)?.state(Date.now()) === "closed"; asked += 1) {
    const again = await ask();
    expect(again).toMatchObject({ ok: true, value: { replica: "r1" } });
    if (again.ok) again.value.report("done");
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(breaker(0)?.state(Date.now())).not.toBe("closed");
  expect(breaker(0)?.takeOutcomes().failures).toEqual({ "first-byte-timeout": 1 });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(fakes.calls.filter(({ url }) => url.includes("c0r0")).every(({ aborted }) => aborted)).toBe(true);
  expect(state.inFlight.size).toBe(0);
});

test("one that is always outrun and does answer is not taken for one that hangs, and is let go at its first byte", async () => {
  const { fakes, state, ask, breaker } = mount({ "c0r0.test": 300 });
  for (let asked = 0; asked < 20; asked += 1) {
    const result = await ask();
    expect(result).toMatchObject({ ok: true, value: { replica: "r1" } });
    if (result.ok) result.value.report("done");
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(breaker(0)?.score(Date.now())).toBe(0);
  expect(breaker(0)?.takeOutcomes().failures).toEqual({});
  expect(fakes.calls.filter(({ url }) => url.includes("c0r0")).every(({ aborted }) => aborted)).toBe(true);
  expect(state.inFlight.size).toBe(0);
});

test("a client that leaves after its answer does not end the request that is to tell whether a replica answers", async () => {
  const client = new AbortController();
  const signals: LeaveSignal[] = [];
  const losers: Promise<void>[] = [];
  const first = Promise.withResolvers<Failed>();
  const answer = { text: null } as unknown as OriginAnswer;
  const asked = (result: Promise<Failed | OriginAnswer>) => (signal: LeaveSignal) => {
    signals.push(signal);
    return result;
  };
  const won = await finished(
    hedged(asked(first.promise), () => asked(Promise.resolve(answer)), {
      signal: client.signal,
      afterMs: 10,
      outrun: () => true,
      onLoser: (ended) => void losers.push(ended),
    }),
  );
  expect(won).toBe(answer);
  client.abort();
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
  first.resolve({ kind: "failed", reason: "first-byte-timeout", detail: "silent" });
  expect(losers).toHaveLength(1);
  await Promise.all(losers);
});

test("a first byte that comes in time has no second attempt beside it", async () => {
  const { fakes, ask } = mount({ "c0r0.test": 90 });
  expect(await ask()).toMatchObject({ ok: true, value: { replica: "r0", attempts: 1 } });
  expect(fakes.calls).toHaveLength(1);
});

test("a second that fails leaves it to the first", async () => {
  const { ask, behave } = mount({ "c0r0.test": 500 });
  behave("c0r1.test", "500");
  expect(await ask()).toMatchObject({ ok: true, value: { replica: "r0" } });
});

test("where both fail, the request goes its usual way", async () => {
  const { fakes, ask, behave } = mount({ "c0r0.test": 200 }, 3);
  behave("c0r0.test", "500");
  behave("c0r1.test", "500");
  expect(await ask()).toMatchObject({ ok: true, value: { replica: "r2" } });
  expect(fakes.hosts).toEqual(["c0r0.test", "c0r1.test", "c0r2.test"]);
});

test("a request that is wrong is wrong for both", async () => {
  const { fakes, ask, behave } = mount({ "c0r0.test": 5000 });
  behave("c0r1.test", "bad-request");
  expect(await ask()).toMatchObject({ ok: false, error: { kind: "origin-rejected" } });
  expect(fakes.calls[0]?.aborted).toBe(true);
});

test("nobody is asked twice where no policy says so, nothing is learned, nobody is left, or the budget is used up", async () => {
  const slow = { "c0r0.test": 500 };
  const without = mount(slow);
  await without.ask({ hedge: false });
  expect(without.fakes.calls).toHaveLength(1);

  const unlearned = mount(slow);
  await unlearned.ask({ model: "other" });
  expect(unlearned.fakes.calls).toHaveLength(1);

  const alone = mount(slow, 1);
  await alone.ask();
  expect(alone.fakes.calls).toHaveLength(1);

  const spent = mount(slow);
  while (spent.state.retryBudget.take(Date.now()));
  await spent.ask();
  expect(spent.fakes.calls).toHaveLength(1);
});

test("a model that became slow all over is hedged within the budget's share, and then learned as it is", async () => {
  const { fakes, ask } = mount({ "c0r0.test": 300, "c0r1.test": 300 });
  const requests = 400;
  for (let at = 0; at < requests; at += 1) {
    const result = await ask();
    if (result.ok) result.value.report("done");
  }
  // Once most of the last 128 answers took 300 ms, that is in time.
  expect(fakes.calls.length - requests).toBeLessThan(40);
});

test("a client that leaves ends both attempts", async () => {
  const { fakes, state } = mount({ "c0r0.test": 5000, "c0r1.test": 5000 });
  const client = new AbortController();
  const index = buildFleetIndex(fakeFleet(2));
  const origin = createOriginRouter({
    callerRegisters: true,
    state,
    poller: new Poller(),
    fleet: index,
    transport: fakes.transport,
    background: { run: (_name, work) => void work },
    now: () => Date.now(),
    random: () => 0,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  for (const host of ["c0r0.test", "c0r1.test"]) fakes.behaviour.set(host, "stall-before-headers");
  const asked = origin.dispatch(fakeRequest(["c0"], { hedge: true }), client.signal);
  await vi.advanceTimersByTimeAsync(usualMs + 10);
  expect(fakes.calls).toHaveLength(2);
  client.abort();
  expect(await finished(asked)).toMatchObject({ ok: false, error: { kind: "client-gone" } });
  expect(fakes.calls.every(({ aborted }) => aborted)).toBe(true);
  expect(state.inFlight.size).toBe(0);
});

test("times of streams and of whole answers are learned apart, from so many on, the latest first", () => {
  const times = new FirstByteTimes();
  for (let ms = 1; ms < 20; ms += 1) times.observe("m", true, ms);
  expect(times.p95("m", true)).toBeNull();
  times.observe("m", true, 20);
  expect(times.p95("m", true)).toBe(19);
  expect(times.p95("m", false)).toBeNull();
  for (let at = 0; at < 128; at += 1) times.observe("m", true, 500);
  expect(times.p95("m", true)).toBe(500);
});
