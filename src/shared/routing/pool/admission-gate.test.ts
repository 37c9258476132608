/** A whole router in front of pools: when does a request go at once, when does it wait, and what becomes of its place? */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeReplicas, fakeFleet, fakeRequest } from "../../../../test/workers/fake-replicas.ts";
import { buildFleetIndex } from "../fleet-index.ts";
import { createOriginRouter } from "../origin-router.ts";
import { Poller } from "../poller.ts";
import type { ClientPlace, OriginAnswer } from "../ports.ts";
import { RouterState } from "../router-state.ts";
import { Pool, keyOf, type Decision } from "./pool.ts";
import type { PoolPort, SnapshotShelf } from "./pool-link.ts";
import { PoolLinks } from "./pool-links.ts";
import type { AskOutcome } from "./pool-protocol.ts";
import { encodeSnapshot } from "./snapshot.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** The object's part: who waits, and the answer when it is decided. */
class PoolHost {
  readonly pool: Pool;
  readonly calls: string[] = [];
  isDown = false;
  /** Its queue is full, and says when to come back. */
  fullForMs: number | null = null;
  readonly #waiting = new Map<string, PromiseWithResolvers<AskOutcome>>();

  constructor(cluster: string, replicas: number) {
    this.pool = new Pool({ cluster, incarnation: "1", random: () => 0 });
    const configs = Array.from({ length: replicas }, (_, at) => ({
      id: `r${at}`,
      slots: 4,
      zone: null,
      url: null,
    }));
    this.pool.members.adopt(configs, 0);
  }

  readonly port: PoolPort = {
    exchange: async (report) => {
      this.#called("exchange");
      this.#carryOut(this.pool.report(structuredClone(report), Date.now()));
      return {
        result: "taken",
        snapshot: encodeSnapshot(this.pool.snapshot(Date.now())),
        atMs: Date.now(),
      };
    },
    ask: async (ask) => {
      this.#called("ask");
      if (this.fullForMs !== null) return { result: "overloaded", retryAfterMs: this.fullForMs };
      const waiter = Promise.withResolvers<AskOutcome>();
      this.#waiting.set(keyOf(ask), waiter);
      this.#carryOut(this.pool.ask(ask, Date.now()));
      return waiter.promise;
    },
    withdraw: async (withdrawal) => {
      this.#called("withdraw");
      this.#carryOut(this.pool.withdraw(withdrawal, Date.now()));
    },
  };

  tick(): void {
    this.#carryOut(this.pool.tick(Date.now()));
  }

  /** As isolates see it, with requests of others at every slot. */
  fill(free = 0): void {
    const decisions = this.pool.report(
      {
        v: 1,
        source: "others",
        sequence: Date.now(),
        issued: 1000,
        open: Array.from({ length: 4 - free }, (_, at) => [at + 1, "r0", 10, 0] as const),
        asking: [],
        outcomes: [],
        reason: "report",
      },
      Date.now(),
    );
    this.#carryOut(decisions);
    this.tick();
  }

  #called(name: string): void {
    if (this.isDown) throw new Error("the pool is down");
    this.calls.push(name);
  }

  #carryOut(decisions: readonly Decision[]): void {
    for (const { key, outcome } of decisions) this.#waiting.get(key)?.resolve(outcome);
  }
}

function mount(clusters = 1) {
  const fleet = fakeFleet(...Array.from({ length: clusters }, () => 1));
  for (const [at, cluster] of fleet.clusters.entries()) {
    cluster.pool = true;
    cluster.longitude = 10 * at;
  }
  const hosts = fleet.clusters.map(({ id }) => new PoolHost(id, 1));
  const state = new RouterState();
  const shelf: SnapshotShelf = {
    get: () => Promise.resolve(null),
    put: () => Promise.resolve(),
    claim: () => Promise.resolve(true),
  };
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const replicas = new FakeReplicas();
  const polls: string[] = [];
  const faults: string[] = [];
  const origin = createOriginRouter({
    callerRegisters: true,
    state,
    poller: new Poller(),
    pools: new PoolLinks({
      source: "isolate",
      port: ({ id }) => hosts[Number(id.slice(1))]?.port ?? failing,
      shelf,
      state,
      now: () => Date.now(),
      random: () => 0.5,
      sleep,
    }),
    fleet: buildFleetIndex(fleet),
    transport: (url, init, target) => {
      if (/(health|metrics)$/.test(url)) polls.push(url);
      return replicas.transport(url, init, target);
    },
    background: {
      run: (name, work) => void work.catch((error: unknown) => faults.push(`${name}: ${String(error)}`)),
    },
    now: () => Date.now(),
    random: () => 0.5,
    wait: sleep,
  });
  const ids = fleet.clusters.map(({ id }) => id);
  const dispatch = (signal = new AbortController().signal, place: ClientPlace = {}) =>
    origin.dispatch({ ...fakeRequest(ids), place }, signal);
  /** Has the isolate hear of its pools. */
  const hear = async (): Promise<void> => {
    const first = await dispatch();
    if (!first.ok) throw new Error(first.error.kind);
    first.value.report("done");
    await vi.advanceTimersByTimeAsync(3000);
  };
  return { hosts, state, replicas, polls, faults, dispatch, hear };
}

const failing: PoolPort = {
  exchange: () => Promise.reject(new Error("no such pool")),
  ask: () => Promise.reject(new Error("no such pool")),
  withdraw: () => Promise.reject(new Error("no such pool")),
};

function opened(
  result: { ok: true; value: OriginAnswer } | { ok: false; error: { kind: string } },
): OriginAnswer {
  if (!result.ok) throw new Error(result.error.kind);
  return result.value;
}

test("with room a request goes at once: no call of the pool before its answer, and one exchange a second after", async () => {
  const { hosts, polls, replicas, dispatch, hear } = mount();
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
  const { hosts, state, dispatch, hear } = mount();
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
  const { hosts, replicas, dispatch, hear } = mount();
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
  const { hosts, dispatch, hear } = mount();
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
  const { hosts, dispatch, hear } = mount();
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
  const { hosts, dispatch, hear } = mount();
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
    const { hosts, dispatch, hear } = mount(fullForMs.length);
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
  const { hosts, replicas, dispatch, hear } = mount(2);
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
  const { hosts, polls, dispatch, hear } = mount();
  await hear();
  const [host] = hosts;
  host?.fill();
  opened(await dispatch()).report("done");
  await vi.advanceTimersByTimeAsync(1200);
  if (host !== undefined) host.isDown = true;
  // It knows that everything is busy, and can't ask: the engine's own queue takes it.
  opened(await dispatch()).report("done");
  for (let second = 0; second < 35; second += 1) {
    opened(await dispatch()).report("done");
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(polls.length).toBeGreaterThan(0);
});

test("an isolate that began while the pool was down polls the replicas itself", async () => {
  const { hosts, polls, dispatch } = mount();
  const [host] = hosts;
  if (host !== undefined) host.isDown = true;
  for (let second = 0; second < 15; second += 1) {
    opened(await dispatch()).report("done");
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(polls.length).toBeGreaterThan(0);
});

test("of more clusters than are waited at, those are the nearest", async () => {
  const { hosts, dispatch, hear } = mount(5);
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
