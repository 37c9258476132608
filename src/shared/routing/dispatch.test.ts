/** What the router does with time, budgets and health; what it gives a caller is in test/workers/origin-conformance.ts. */
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeFleet, fakeRequest, sentWhole, type Behaviour } from "../../../test/workers/fake-replicas.ts";
import { finished, halves, mount } from "../../../test/workers/mounted-router.ts";
import { lackingMs } from "./lacking.ts";
import type { OriginOutcome } from "./ports.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

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

test("the last replica that can be asked has all the time that is left", async () => {
  const { origin, replicas, never } = mount(fakeFleet(1));
  replicas.behaviour.set("c0r0.test", "stall-before-body");
  const startMs = Date.now();
  const result = await finished(origin.dispatch(fakeRequest(["c0"], { deadlineMs: 25_000 }), never));
  expect(result).toMatchObject({ ok: false, error: { kind: "origin-unavailable" } });
  expect(replicas.calls).toHaveLength(1);
  expect(Date.now() - startMs).toBeGreaterThanOrEqual(25_000);
});

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
    error: {
      kind: "origin-unavailable",
      detail: expect.stringMatching(
        /^c0\/r[01]: lacking after \d+ ms; c0\/r[01]: lacking after \d+ ms: it has no such model: status 404/,
      ) as string,
    },
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

test("an answer says which replicas were asked in vain before, why, and how long each took; one that came at once says nothing", async () => {
  const { origin, replicas, never } = mount(fakeFleet(2), () => 0);
  replicas.behaviour.set("c0r0.test", "stall-before-body");
  const dispatched = origin.dispatch(fakeRequest(["c0"], { deadlineMs: 60_000 }), never);
  const late = await finished(dispatched);
  if (!late.ok) throw new Error(late.error.kind);
  expect(late.value).toMatchObject({
    replica: "r1",
    attempts: 2,
    tried: "c0/r0: first-byte-timeout after 10000 ms",
  });
  replicas.behaviour.set("c0r0.test", "well");
  const prompt = await finished(origin.dispatch(fakeRequest(["c0"]), never));
  if (!prompt.ok) throw new Error(prompt.error.kind);
  expect(prompt.value).not.toHaveProperty("tried");
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
