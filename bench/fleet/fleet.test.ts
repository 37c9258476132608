import { expect, test } from "vitest";
import { compare, missed } from "./bars.ts";
import { runDrift } from "./drift.ts";
import { EventQueue } from "./event-queue.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { ReplicaModel, usualSpeed } from "./replica-model.ts";
import { mooncake, tracesFolder, type SimulatedRequest } from "./traces.ts";
import { usualWorld } from "./world.ts";

function request(promptTokens: number, answerTokens: number, firstBlock: number): SimulatedRequest {
  const blocks = Int32Array.from({ length: Math.floor(promptTokens / 16) }, (_, at) => firstBlock + at);
  return { atMs: 0, promptTokens, answerTokens, blocks, marks: [], conversationAt: 0, region: 0 };
}

/** When each request's first token comes, in order. */
function firstTokens(requests: readonly (readonly [atMs: number, SimulatedRequest])[], cacheBlocks = 1000) {
  const events = new EventQueue();
  const replica = new ReplicaModel(events, { ...usualSpeed, slots: 2, cacheBlocks }, 10_000);
  const times: number[] = [];
  let ended = 0;
  for (const [atMs, request] of requests)
    events.at(atMs, (nowMs) =>
      replica.arrive(
        { request, onFirstToken: (tokenMs) => times.push(tokenMs), onEnd: () => (ended += 1) },
        nowMs,
      ),
    );
  events.run();
  expect(ended).toBe(requests.length);
  return { times, hitTokens: replica.hitTokens };
}

test("a prompt costs its computing, and one whose beginning is cached only the rest", () => {
  const { times, hitTokens } = firstTokens([
    [0, request(1616, 5, 0)],
    [10_000, request(1616, 5, 0)],
  ]);
  expect(times[0]).toBeCloseTo(8 + 1616 / 16);
  expect((times[1] ?? 0) - 10_000).toBeCloseTo(8 + 1);
  expect(hitTokens).toBe(1600);
});

test("prompts are computed first come first served, and a third waits for one of two slots", () => {
  const { times } = firstTokens([
    [0, request(160, 100, 0)],
    [1, request(160, 100, 100)],
    [2, request(160, 100, 200)],
  ]);
  expect(times[1]).toBeGreaterThan(times[0] ?? 0);
  // A hundred tokens of the first, at 8 ms and a little each.
  expect(times[2]).toBeGreaterThan(800);
});

test("what was used longest ago is forgotten first, the end of a prompt before its beginning", () => {
  const cache = new PrefixCache(10, 100);
  const use = (first: number, count: number): void => {
    const blocks = Int32Array.from({ length: count }, (_, at) => first + at);
    const matched = cache.match(blocks);
    cache.begin(blocks, matched, count - matched);
    cache.computed(blocks, matched);
    cache.end(blocks, 0);
  };
  use(0, 4);
  use(10, 4);
  use(20, 4);
  expect(cache.match(Int32Array.of(0, 1, 2, 3))).toBe(2);
  expect(cache.match(Int32Array.of(10, 11, 12, 13))).toBe(4);
  expect(cache.used).toBe(0);
});

test("things happen in the order of their time, and of equal times in the order of their coming", () => {
  const events = new EventQueue();
  const seen: number[] = [];
  for (const [at, atMs] of [5, 1, 3, 1, 4, 1, 5].entries()) events.at(atMs, () => seen.push(at));
  events.run();
  expect(seen).toEqual([1, 3, 5, 2, 4, 0, 6]);
});

test("after 20,000 requests with aborts, lost and doubled settlements nothing is left, and load is spread", () => {
  const drift = runDrift(20_000);
  expect(drift).toMatchObject({ leases: 0, tokens: 0 });
  expect(Math.min(drift.aborted, drift.lost, drift.duplicates)).toBeGreaterThan(300);
  expect(drift.spread).toBeLessThanOrEqual(1.25);
});

const folder = tracesFolder();

test.skipIf(folder === null)(
  "on the published trace ours has the best p99 and keeps its hit rate",
  () => {
    const workload = mooncake(folder ?? "");
    for (const load of [0.5, 0.9]) expect(missed(compare(workload, load, [1, 2, 3], usualWorld))).toEqual([]);
  },
  120_000,
);
