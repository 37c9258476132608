/** What the router learns of its replicas from what it asked them, and what that does to the next requests. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeFleet, fakeRequest } from "../../../test/workers/fake-replicas.ts";
import { finished, halves, mount } from "../../../test/workers/mounted-router.ts";
import { pollIntervalMs } from "./poller.ts";
import type { OriginOutcome } from "./ports.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("with nothing left of the retry budget a failure is told, and nobody else is asked", async () => {
  const { origin, both, never, replicas, state } = mount();
  both("500");
  for (let taken = 0; taken < 1000; taken += 1) state.retryBudget.take(Date.now());
  expect(await finished(origin.dispatch(fakeRequest(["c0"]), never))).toMatchObject({
    ok: false,
    error: { kind: "origin-unavailable" },
  });
  expect(replicas.calls).toHaveLength(1);
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

test("whoever is refused by a fleet that is down is told to come back at a moment of its own, and none later than half as long again", async () => {
  let lots = 0;
  const { origin, both, never, known } = mount(fakeFleet(2), () => (lots = (lots + 0.37) % 1));
  both("500");
  const refused = () => finished(origin.dispatch(fakeRequest(["c0"]), never));
  // Until both are left alone for some seconds.
  while ([0, 1].some((at) => known("c0", at).breaker.waitMs(Date.now()) < 5000)) await refused();
  const results = await finished(
    Promise.all(Array.from({ length: 20 }, () => origin.dispatch(fakeRequest(["c0"]), never))),
  );
  const waitMs = Math.min(...[0, 1].map((at) => known("c0", at).breaker.waitMs(Date.now())));
  const told = results.flatMap((result) =>
    !result.ok && "retryAfterMs" in result.error ? [result.error.retryAfterMs ?? 0] : [],
  );
  expect(told).toHaveLength(20);
  expect(Math.max(...told) - Math.min(...told)).toBeGreaterThan(waitMs / 4);
  // The refusals are some hundred milliseconds old.
  expect(Math.min(...told)).toBeGreaterThanOrEqual(waitMs);
  expect(Math.max(...told)).toBeLessThanOrEqual((waitMs + 1100) * 1.5);
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
