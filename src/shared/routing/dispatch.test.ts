/** What the router does with time, budgets and health; what it gives a caller is in test/workers/origin-conformance.ts. */
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  FakeReplicas,
  fakeFleet,
  fakeRequest,
  sentWhole,
  type Behaviour,
} from "../../../test/workers/fake-replicas.ts";
import { buildFleetIndex } from "./fleet-index.ts";
import { lackingMs } from "./lacking.ts";
import { createOriginRouter } from "./origin-router.ts";
import { Poller, pollIntervalMs } from "./poller.ts";
import type { OriginOutcome } from "./ports.ts";
import { RouterState } from "./router-state.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function mount(fleet = fakeFleet(2), random = () => 0) {
  const replicas = new FakeReplicas();
  const state = new RouterState();
  const background: string[] = [];
  const polls: string[] = [];
  const index = buildFleetIndex(fleet);
  const origin = createOriginRouter({
    callerRegisters: false,
    state,
    poller: new Poller(),
    fleet: index,
    transport: (url, init, target) => {
      if (/(health|metrics)$/.test(url)) polls.push(url);
      return replicas.transport(url, init, target);
    },
    background: { run: (name, work) => void work.then(() => background.push(name)) },
    now: () => Date.now(),
    random,
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const known = (cluster: string, at: number) => {
    const replica = state.clusters(index).get(cluster)?.replicas[at];
    if (replica === undefined) throw new Error("no such replica");
    return replica.known;
  };
  const both = (behaviour: Behaviour): void => {
    for (const host of ["c0r0.test", "c0r1.test"]) replicas.behaviour.set(host, behaviour);
  };
  const never = new AbortController().signal;
  return { origin, state, replicas, polls, known, both, never };
}

/** Lots that fall on either half in turn. */
function halves(): () => number {
  let turn = 0;
  return () => {
    turn += 1;
    return turn % 2 === 0 ? 0.25 : 0.75;
  };
}

/** Runs the clock until the work is done. */
async function finished<T>(work: Promise<T>): Promise<T> {
  const progress = { over: false };
  const watched = work.finally(() => (progress.over = true));
  while (!progress.over) await vi.advanceTimersByTimeAsync(50);
  return watched;
}

test.each(["stall-before-headers", "stall-before-body"] as const)(
  "a replica that is silent (%s) is left for another in time, and aborted",
  async (behaviour) => {
    const { origin, replicas, never } = mount();
    replicas.behaviour.set("c0r0.test", behaviour);
    const startMs = Date.now();
    const result = await finished(origin.dispatch(fakeRequest(["c0"]), never));
    expect(result).toMatchObject({ ok: true, value: { replica: "r1", attempts: 2 } });
    expect(replicas.calls[0]?.aborted).toBe(true);
    expect(Date.now() - startMs).toBeLessThan(11_000);
  },
);

test("the deadline ends a dispatch whatever the replicas do", async () => {
  const { origin, both, never, state } = mount();
  both("stall-before-headers");
  const startMs = Date.now();
  const result = await finished(origin.dispatch(fakeRequest(["c0"], { deadlineMs: 3000 }), never));
  expect(result).toMatchObject({ ok: false, error: { kind: "origin-unavailable" } });
  expect(Date.now() - startMs).toBeLessThanOrEqual(3200);
  expect(state.inFlight.size).toBe(0);
});

test("the end of the whole turn is not taken for a client that left", async () => {
  const { origin, both, state } = mount();
  both("stall-before-body");
  const turn = new AbortController();
  const dispatched = origin.dispatch(fakeRequest(["c0"]), turn.signal);
  turn.abort(new DOMException("over", "TimeoutError"));
  expect(await finished(dispatched)).toMatchObject({ ok: false, error: { kind: "origin-unavailable" } });
  expect(state.inFlight.size).toBe(0);
});

test("an engine that was started again with another model is left to the others, and draws nothing to itself", async () => {
  const { origin, replicas, known, never } = mount(fakeFleet(2), halves());
  replicas.behaviour.set("c0r0.test", "no-such-model");
  for (let request = 0; request < 20; request += 1)
    expect(
      await finished(origin.dispatch(fakeRequest(["c0"], { requestId: `r${request}` }), never)),
    ).toMatchObject({ ok: true, value: { replica: "r1" } });
  expect(replicas.hosts.filter((host) => host === "c0r0.test")).toHaveLength(1);
  // Other models of it are asked for as always: its breaker is not told.
  expect(known("c0", 0).breaker.score(Date.now())).toBe(0);
  replicas.behaviour.set("c0r0.test", "well");
  await vi.advanceTimersByTimeAsync(lackingMs);
  const served = new Set<string>();
  for (let request = 0; request < 20; request += 1) {
    const result = await finished(origin.dispatch(fakeRequest(["c0"], { requestId: `s${request}` }), never));
    if (result.ok) served.add(result.value.replica);
  }
  expect(served).toContain("r0");
});

test("a model that no replica has is asked for once by each, then once a request, and is an outage of ours", async () => {
  const { origin, both, never, replicas, state } = mount();
  both("no-such-model");
  const dispatched = () => finished(origin.dispatch(fakeRequest(["c0"]), never));
  expect(await dispatched()).toMatchObject({
    error: { kind: "origin-unavailable", detail: expect.stringContaining("has no such model: status 404") },
  });
  expect([...replicas.hosts].sort()).toEqual(["c0r0.test", "c0r1.test"]);
  for (let request = 0; request < 3; request += 1) await dispatched();
  expect(replicas.calls).toHaveLength(2 + 3);
  expect(state.inFlight.size).toBe(0);
  both("well");
  expect(await dispatched()).toMatchObject({ ok: true, value: { attempts: 1 } });
});

test("a replica that is busy for a moment is waited for where there is no other", async () => {
  const { origin, replicas, never } = mount(fakeFleet(1));
  replicas.behaviour.set("c0r0.test", "429");
  const dispatched = origin.dispatch(fakeRequest(["c0"]), never);
  await vi.advanceTimersByTimeAsync(50);
  expect(replicas.calls).toHaveLength(1);
  replicas.behaviour.set("c0r0.test", "well");
  expect(await finished(dispatched)).toMatchObject({ ok: true, value: { attempts: 2 } });
});

test("a fleet that is down gets only a share of retries on top", async () => {
  const { origin, both, never, replicas } = mount();
  both("500");
  const requests = 2000;
  const startMs = Date.now();
  for (let request = 0; request < requests; request += 100) {
    const wave = Array.from({ length: 100 }, (_, at) =>
      origin.dispatch(fakeRequest(["c0"], { requestId: `r${request + at}` }), never),
    );
    await finished(Promise.all(wave));
  }
  // The retry budget: a fifth, its capacity, and five a second. Breakers: four a second for each of the two replicas.
  const seconds = (Date.now() - startMs) / 1000;
  expect(replicas.calls.length).toBeLessThan(requests * 1.2 + 256 + seconds * 5);
  expect(replicas.calls.length).toBeLessThan(256 + seconds * 8);
});

test("replicas that were all killed and are back answer every request of a burst, though every breaker is open", async () => {
  const { origin, both, never, known } = mount();
  both("500");
  while ([0, 1].some((at) => known("c0", at).breaker.state(Date.now()) !== "open"))
    await finished(origin.dispatch(fakeRequest(["c0"]), never));
  both("well");
  const burst = Array.from({ length: 50 }, (_, at) =>
    origin.dispatch(fakeRequest(["c0"], { requestId: `r${at}` }), never),
  );
  const startMs = Date.now();
  const results = await finished(Promise.all(burst));
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
  expect(Date.now() - startMs).toBeLessThan(1000);
});

test("a fleet that stays down is told within two seconds, and so is a client that left", async () => {
  const { origin, both, never, known } = mount();
  both("refuse");
  while ([0, 1].some((at) => known("c0", at).breaker.state(Date.now()) !== "open"))
    await finished(origin.dispatch(fakeRequest(["c0"]), never));
  const startMs = Date.now();
  const result = await finished(origin.dispatch(fakeRequest(["c0"]), never));
  expect(result).toMatchObject({ ok: false, error: { kind: "origin-unavailable" } });
  expect(Date.now() - startMs).toBeLessThanOrEqual(2000);
  const client = new AbortController();
  const dispatched = origin.dispatch(fakeRequest(["c0"]), client.signal);
  client.abort();
  expect(await finished(dispatched)).toMatchObject({ ok: false, error: { kind: "client-gone" } });
});

test("an open replica gets no traffic while another is well, and gets it again when it recovered", async () => {
  const { origin, replicas, never, known } = mount(fakeFleet(2), halves());
  replicas.behaviour.set("c0r0.test", "500");
  while (known("c0", 0).breaker.state(Date.now()) !== "open")
    await finished(origin.dispatch(fakeRequest(["c0"]), never));
  replicas.calls.length = 0;
  for (let turn = 0; turn < 5; turn += 1) {
    const result = await origin.dispatch(fakeRequest(["c0"]), never);
    if (result.ok) result.value.report("done");
  }
  expect(new Set(replicas.hosts)).toEqual(new Set(["c0r1.test"]));
  replicas.behaviour.set("c0r0.test", "well");
  await vi.advanceTimersByTimeAsync(20_000);
  replicas.calls.length = 0;
  for (let turn = 0; turn < 8; turn += 1) await origin.dispatch(fakeRequest(["c0"]), never);
  expect(new Set(replicas.hosts).size).toBe(2);
});

test("how a stream ended is scored, and a client that left is not", async () => {
  const scores: [OriginOutcome, boolean][] = [
    ["origin-error", true],
    ["stalled", true],
    ["client-gone", false],
    ["done", false],
  ];
  for (const [outcome, scored] of scores) {
    const { origin, replicas, never, known } = mount(fakeFleet(1));
    replicas.behaviour.set("c0r0.test", "stall-after-first");
    const result = await origin.dispatch(fakeRequest(["c0"]), never);
    if (!result.ok) throw new Error(result.error.kind);
    result.value.report(outcome);
    result.value.report("origin-error");
    expect(known("c0", 0).breaker.score(Date.now()) > 0).toBe(scored);
    expect(replicas.calls[0]?.aborted).toBe(outcome !== "done");
  }
});

test("replicas are polled after a response, at most once in three seconds each, and never before it", async () => {
  const { origin, polls, never } = mount();
  const turn = async (): Promise<void> => {
    const result = await origin.dispatch(fakeRequest(["c0"]), never);
    if (result.ok) result.value.report("done");
    await vi.advanceTimersByTimeAsync(0);
  };
  const dispatched = origin.dispatch(fakeRequest(["c0"]), never);
  expect(polls).toEqual([]);
  await dispatched;
  for (let at = 0; at < 20; at += 1) await turn();
  expect(polls.toSorted()).toEqual(
    ["c0r0", "c0r1"].flatMap((host) => [`http://${host}.test/health`, `http://${host}.test/metrics`]),
  );
  await vi.advanceTimersByTimeAsync(pollIntervalMs);
  await turn();
  expect(polls).toHaveLength(8);
});

test("what a poll says of others steers the next request", async () => {
  const { origin, replicas, never, known } = mount();
  replicas.metrics =
    'vllm:num_requests_running{model_name="m"} 4\nvllm:num_requests_waiting{model_name="m"} 6\n';
  known("c0", 1).polledAtMs = Date.now();
  const first = await origin.dispatch(fakeRequest(["c0"]), never);
  if (first.ok) first.value.report("done");
  await vi.advanceTimersByTimeAsync(0);
  expect(known("c0", 0).polled?.metrics).toMatchObject({ running: 4, waiting: 6, cacheUsage: null });
  replicas.calls.length = 0;
  for (let turn = 0; turn < 3; turn += 1) await origin.dispatch(fakeRequest(["c0"]), never);
  expect(new Set(replicas.hosts)).toEqual(new Set(["c0r1.test"]));
});

test.each(["cut-after-first", "cut-short", "page", "empty-body"] as const)(
  "a JSON answer is in hand whole, so that a replica that dies within it, or answers something else, is not seen (%s)",
  async (behaviour) => {
    const { origin, replicas, never, state } = mount();
    replicas.behaviour.set("c0r0.test", behaviour);
    const result = await finished(origin.dispatch(fakeRequest(["c0"], { stream: false }), never));
    if (!result.ok) throw new Error(result.error.kind);
    expect(result.value.replica).toBe("r1");
    expect(new TextDecoder().decode(result.value.firstChunk ?? undefined)).toBe(sentWhole.join(""));
    expect(state.inFlight.size).toBe(0);
  },
);

test("after any mix of faults, outcomes and leaving clients, nothing is in flight", async () => {
  const behaviours: readonly Behaviour[] = [
    "well",
    "refuse",
    "500",
    "429",
    "stall-before-headers",
    "stall-before-body",
    "cut-before-body",
    "empty-body",
    "error-event",
    "cut-after-first",
    "stall-after-first",
    "bad-request",
  ];
  const turn = fc.record({
    behaviour: fc.constantFrom(...behaviours),
    other: fc.constantFrom(...behaviours),
    stream: fc.boolean(),
    leavesAfterMs: fc.option(fc.nat({ max: 12_000 })),
    outcomes: fc.array(fc.constantFrom<OriginOutcome>("done", "client-gone", "origin-error", "stalled"), {
      minLength: 1,
      maxLength: 3,
    }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 8 }), async (turns) => {
      const { origin, state, replicas, known } = mount();
      const running = turns.map(async ({ behaviour, other, stream, leavesAfterMs, outcomes }) => {
        replicas.behaviour.set("c0r0.test", behaviour).set("c0r1.test", other);
        const client = new AbortController();
        if (leavesAfterMs !== null) setTimeout(() => client.abort(), leavesAfterMs);
        const result = await origin.dispatch(fakeRequest(["c0"], { stream }), client.signal);
        if (result.ok) for (const outcome of outcomes) result.value.report(outcome);
      });
      await finished(Promise.all(running));
      expect(state.inFlight.size).toBe(0);
      for (const at of [0, 1]) expect(known("c0", at).occupancy).toEqual({ requests: 0, tokens: 0 });
    }),
    { numRuns: 60 },
  );
});
