import { expect, test } from "vitest";
import { FakeReplicas, fakeFleet, fakeRequest } from "../../../test/workers/fake-replicas.ts";
import { buildFleetIndex } from "./fleet/fleet-index.ts";
import { NextReplica } from "./next-replica.ts";
import { Poller } from "./poller.ts";
import type { PoolLinks } from "./pool/pool-links.ts";
import type { OriginRequest } from "./ports.ts";
import type { OriginRouterDeps } from "./router-deps.ts";
import { RouterState } from "./router-state.ts";

/** Replicas, each with all of its slots taken, and a pool that says so to whoever asks. */
function saturated(replicas = 2, draining: readonly string[] = []) {
  const state = new RouterState();
  const fleet = buildFleetIndex(fakeFleet(replicas));
  const cluster = state.clusters(fleet).get("c0");
  if (cluster === undefined) throw new Error("the fake fleet has a cluster");
  for (const { id, slots, known } of cluster.replicas)
    known.pooled = {
      atMs: 0,
      ownRequests: 0,
      ownTokens: 0,
      view: {
        id,
        state: draining.includes(id) ? "draining" : "active",
        slots,
        running: slots,
        waiting: 0,
        polledAtMs: 0,
        leases: 0,
        queuedTokens: 0,
        throughput: null,
        kvUsage: null,
        breaker: "closed",
        weight: 1,
        startedAtMs: 0,
        zone: null,
        latencyMs: new Map(),
        url: null,
      },
    };
  let asked = 0;
  const clock = { now: 0 };
  const link = {
    asking: new Set<number>(),
    source: "isolate",
    cluster: "c0",
    reportWithAsk: () => ({}),
    fresh: () => ({ queue: { waiting: 5 }, pace: { askShare: 1 } }),
    port: {
      ask: () => {
        asked += 1;
        return Promise.resolve({ result: "overloaded", retryAfterMs: 700 });
      },
      withdraw: () => Promise.resolve(),
    },
  };
  const deps: OriginRouterDeps = {
    state,
    fleet,
    poller: new Poller(),
    pools: { of: () => link } as unknown as PoolLinks,
    transport: new FakeReplicas().transport,
    background: { run: (_name, work) => void work.catch(() => undefined) },
    callerRegisters: true,
    now: () => clock.now,
    random: () => 0,
    wait: (ms) => {
      clock.now += ms;
      return Promise.resolve();
    },
  };
  const next = (change: Partial<OriginRequest>) =>
    new NextReplica(deps, [cluster], fakeRequest(["c0"], change), new AbortController().signal, 60_000);
  return { next, replicas: cluster.replicas, asked: () => asked, clock };
}

test("a request that finds every slot taken asks for its turn", async () => {
  const { next, asked } = saturated();
  const request = next({});
  expect(await request.inTime(null)).toBeNull();
  expect(request.overloadedMs).toBe(700);
  expect(asked()).toBe(1);
});

test("an answer in the middle of a sentence is not sent back to the queue: it was let in once", async () => {
  const { next, asked } = saturated();
  const request = next({ goesOnFrom: [{ cluster: "c0", replica: "r0" }] });
  expect((await request.inTime(null))?.id).toBe("r1");
  expect(asked()).toBe(0);
});

test("whoever broke an answer off is not asked to go on with it, however many they are", async () => {
  const { next } = saturated(4);
  const failed = ["r0", "r1", "r3"].map((replica) => ({ cluster: "c0", replica }));
  expect((await next({ goesOnFrom: failed }).inTime(null))?.id).toBe("r2");
});

test("an answer waits a moment for one whose breaker is open rather than go back to where it broke off; for longer it does not", async () => {
  for (const [heldMs, expected] of [
    [200, "r1"],
    [5000, "r0"],
  ] as const) {
    const { next, replicas, clock } = saturated(2);
    const other = replicas.find(({ id }) => id === "r1")?.known.breaker;
    for (let failures = 0; failures < 2; failures += 1) other?.failure("refused", clock.now);
    // Somebody else is trying it just now.
    other?.begin(clock.now);
    if (heldMs > 1000) other?.busy(heldMs, clock.now);
    const request = next({ goesOnFrom: [{ cluster: "c0", replica: "r0" }] });
    expect((await request.inTime(null))?.id).toBe(expected);
    expect(clock.now).toBeLessThanOrEqual(300);
  }
});

test("one that an admin drains is nobody who could still be asked: the last but that gets all the time that is left", async () => {
  const { next } = saturated(3, ["r0"]);
  const goesOnFrom = [{ cluster: "c0", replica: "r1" }];
  const request = next({ goesOnFrom });
  expect(request.allTried).toBe(false);
  const last = await request.inTime(null);
  expect(last?.id).toBe("r2");
  if (last !== null) request.asked(last);
  expect(request.allTried).toBe(true);
});

test("whoever broke an answer off twice counts once: others are left, and nobody gets their time", () => {
  const { next, replicas } = saturated(3);
  const twice = ["r0", "r0"].map((replica) => ({ cluster: "c0", replica }));
  const request = next({ goesOnFrom: twice });
  const [, r1] = replicas;
  if (r1 !== undefined) request.asked(r1);
  expect(request.allTried).toBe(false);
});
