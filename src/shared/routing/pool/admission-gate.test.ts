/** A whole router in front of pools: when does a request go at once, when does it wait, and what becomes of its place? */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { mountGate, opened } from "../../../../test/workers/gated-router.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("with room a request goes at once: no call of the pool before its answer, and one exchange a second after", async () => {
  const { hosts, polls, replicas, dispatch, hear } = mountGate();
  await hear();
  const [host] = hosts;
  if (host === undefined) throw new Error("there is a pool");
  for (let second = 0; second < 5; second += 1) {
    host.calls.length = 0;
    const asked = [dispatch(), dispatch(), dispatch()];
    await Promise.resolve();
    // All three are at the engine before anything else is called: nothing of this was waited for.
    expect([replicas.calls.length, host.calls]).toEqual([3 * (second + 1) + 1, []]);
    const answers = await Promise.all(asked);
    for (const answer of answers) opened(answer).report("done");
    await vi.advanceTimersByTimeAsync(1200);
    expect(host.calls.filter((call) => call !== "exchange")).toEqual([]);
    expect(host.calls.length).toBeLessThanOrEqual(2);
  }
  expect(host.pool.leases).toBe(0);
  // The pool polls the replicas, so that the isolate does not.
  expect(polls).toEqual([]);
});

test("where everything is busy it waits, goes when a lease returns, and that lease is counted once", async () => {
  const { hosts, state, dispatch, hear } = mountGate();
  await hear();
  const [host] = hosts;
  host?.fill();
  const probe = opened(await dispatch());
  probe.report("done");
  await vi.advanceTimersByTimeAsync(1200);
  const waiting = dispatch();
  await vi.advanceTimersByTimeAsync(500);
  expect(host?.pool.queue.size).toBe(1);
  host?.fill(1);
  const answer = opened(await waiting);
  expect(host?.pool.leases).toBe(4);
  expect(state.inFlight.size).toBe(1);
  answer.report("done");
  await vi.advanceTimersByTimeAsync(5000);
  expect(host?.pool.leases).toBe(3);
});

test("a burst of this isolate alone fills the places, though nobody has told the pool yet: the rest waits", async () => {
  const { hosts, replicas, dispatch, hear } = mountGate();
  await hear();
  const before = replicas.calls.length;
  const burst: ReturnType<typeof dispatch>[] = [];
  for (let at = 0; at < 6; at += 1) {
    burst.push(dispatch());
    await vi.advanceTimersByTimeAsync(1);
  }
  expect([replicas.calls.length - before, hosts[0]?.pool.queue.size]).toEqual([4, 2]);
  for (const answer of burst.slice(0, 4)) opened(await answer).report("done");
  await vi.advanceTimersByTimeAsync(100);
  for (const answer of burst.slice(4)) opened(await answer).report("done");
  await vi.advanceTimersByTimeAsync(3000);
  expect([hosts[0]?.pool.queue.size, hosts[0]?.pool.leases]).toEqual([0, 0]);
});

test("a client that leaves while it waits is gone from the queue at once", async () => {
  const { hosts, dispatch, hear } = mountGate();
  await hear();
  const [host] = hosts;
  host?.fill();
  opened(await dispatch()).report("done");
  await vi.advanceTimersByTimeAsync(1200);
  const client = new AbortController();
  const waiting = dispatch(client.signal);
  await vi.advanceTimersByTimeAsync(10);
  expect(host?.pool.queue.size).toBe(1);
  client.abort();
  expect(await waiting).toMatchObject({ ok: false, error: { kind: "client-gone" } });
  await vi.advanceTimersByTimeAsync(10);
  expect(host?.pool.queue.size).toBe(0);
});

test("a client that was gone before it could wait asks for no place at all", async () => {
  const { hosts, dispatch, hear } = mountGate();
  await hear();
  const [host] = hosts;
  host?.fill();
  opened(await dispatch()).report("done");
  await vi.advanceTimersByTimeAsync(1200);
  const gone = dispatch(AbortSignal.abort());
  await vi.advanceTimersByTimeAsync(10);
  expect(host?.pool.queue.size).toBe(0);
  expect(await gone).toMatchObject({ ok: false, error: { kind: "client-gone" } });
});

test("nobody waits for ever: overloaded, with when to come back", async () => {
  const { hosts, dispatch, hear } = mountGate();
  await hear();
  const [host] = hosts;
  host?.fill();
  opened(await dispatch()).report("done");
  await vi.advanceTimersByTimeAsync(1200);
  const waiting = dispatch();
  await vi.advanceTimersByTimeAsync(10_001);
  host?.tick();
  expect(await waiting).toMatchObject({
    ok: false,
    error: { kind: "overloaded", retryAfterMs: expect.any(Number) },
  });
});

test("who would wait at several clusters comes back when all of them together have room", async () => {
  const retryAfter = async (...fullForMs: readonly number[]): Promise<unknown> => {
    const { hosts, dispatch, hear } = mountGate(fullForMs.length);
    await hear();
    for (const host of hosts) host.fill();
    opened(await dispatch()).report("done");
    await vi.advanceTimersByTimeAsync(3000);
    for (const [at, host] of hosts.entries()) host.fullForMs = fullForMs[at] ?? null;
    const result = await dispatch();
    return result.ok ? result : result.error;
  };
  expect(await retryAfter(12_000)).toEqual({ kind: "overloaded", retryAfterMs: 12_000 });
  expect(await retryAfter(12_000, 12_000)).toEqual({ kind: "overloaded", retryAfterMs: 6000 });
  expect(await retryAfter(30_000, 2000)).toEqual({ kind: "overloaded", retryAfterMs: 1875 });
});

test("it waits at all its clusters at once, takes the first place, and gives the others back", async () => {
  const { hosts, replicas, dispatch, hear } = mountGate(2);
  await hear();
  for (const host of hosts) host.fill();
  for (const answer of await Promise.all([dispatch(), dispatch()])) opened(answer).report("done");
  await vi.advanceTimersByTimeAsync(1500);
  for (const host of hosts) host.fill();
  const waiting = dispatch();
  await vi.advanceTimersByTimeAsync(10);
  expect(hosts.map(({ pool }) => pool.queue.size)).toEqual([1, 1]);
  replicas.calls.length = 0;
  hosts[1]?.fill(1);
  const answer = opened(await waiting);
  expect([answer.cluster, replicas.hosts]).toEqual(["c1", ["c1r0.test"]]);
  await vi.advanceTimersByTimeAsync(10);
  expect(hosts.map(({ pool }) => pool.queue.size)).toEqual([0, 0]);
  expect(hosts.map(({ pool }) => pool.leases)).toEqual([4, 4]);
});

test("a pool that is down costs no answer: requests go on without it, and its replicas are polled from here", async () => {
  const { hosts, polls, dispatch, hear } = mountGate();
  await hear();
  const [host] = hosts;
  host?.fill();
  opened(await dispatch()).report("done");
  await vi.advanceTimersByTimeAsync(1200);
  if (host !== undefined) host.isDown = true;
  // It knows that everything is busy, and can't ask: the engine's own queue takes it.
  opened(await dispatch()).report("done");
  const secondsOfPolls: number[] = [];
  for (let second = 0; second < 35; second += 1) {
    opened(await dispatch()).report("done");
    await vi.advanceTimersByTimeAsync(1000);
    if (polls.length > 0) secondsOfPolls.push(second);
  }
  // What was heard last is gone by for half a minute.
  expect(secondsOfPolls[0]).toBeGreaterThanOrEqual(25);
  expect(polls.length).toBeGreaterThan(0);
});

test("an isolate that began while the pool was down polls the replicas itself", async () => {
  const { hosts, polls, dispatch } = mountGate();
  const [host] = hosts;
  if (host !== undefined) host.isDown = true;
  for (let second = 0; second < 15; second += 1) {
    opened(await dispatch()).report("done");
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(polls.length).toBeGreaterThan(0);
});

test("of more clusters than are waited at, those are the nearest", async () => {
  const { hosts, dispatch, hear } = mountGate(5);
  await hear();
  for (const host of hosts) host.fill();
  opened(await dispatch()).report("done");
  await vi.advanceTimersByTimeAsync(3000);
  const waiting = dispatch(new AbortController().signal, { latitude: 0, longitude: 50 });
  await vi.advanceTimersByTimeAsync(10);
  expect(hosts.map(({ pool }) => pool.queue.size)).toEqual([0, 0, 1, 1, 1]);
  hosts[4]?.fill(1);
  await vi.advanceTimersByTimeAsync(100);
  expect(opened(await waiting).cluster).toBe("c4");
});
