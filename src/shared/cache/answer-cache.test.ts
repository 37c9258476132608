import { expect, test } from "vitest";
import {
  type AnswerCacheDeps,
  type AnswerTier,
  type CacheFault,
  createAnswerCache,
  patientLookupLimitMs,
} from "./answer-cache.ts";
import { type CacheEntry, encodeEntry } from "./cache-entry.ts";
import { RecentMap } from "../limits/recent-map.ts";
import type { CachedAnswer } from "./ports.ts";

const answer: CachedAnswer = {
  model: "llama-3.1-8b",
  createdMs: 1_000,
  choices: [{ content: "Quantum", reasoning: null, toolCalls: [], finishReason: "stop" }],
  usage: { promptTokens: 4, completionTokens: 2, cachedTokens: 0, reasoningTokens: 0 },
};

interface FakeTier {
  get: AnswerTier["get"];
  put: AnswerTier["put"];
  readonly entries: Map<string, { entry: string; ttlSeconds: number }>;
}

function fakeTier(): FakeTier {
  const entries: FakeTier["entries"] = new Map();
  return {
    entries,
    get: async (key) => entries.get(key)?.entry ?? null,
    put: async (key, entry, ttlSeconds) => void entries.set(key, { entry, ttlSeconds }),
  };
}

function bench(tiers: { near?: AnswerTier; far?: AnswerTier | null; remembers?: boolean } = {}) {
  const memory = tiers.remembers === true ? new RecentMap<CacheEntry>(4) : null;
  const near = fakeTier();
  const far = fakeTier();
  const faults: CacheFault[] = [];
  const works: Promise<unknown>[] = [];
  const timers = new Set<() => void>();
  const limits: number[] = [];
  const clock = { nowMs: 1_000_000 };
  const deps: AnswerCacheDeps = {
    memory,
    madeMs: new RecentMap<number>(4),
    near: tiers.near ?? near,
    far: tiers.far === undefined ? far : tiers.far,
    background: { run: (_, work) => void works.push(work) },
    nowMs: () => clock.nowMs,
    timer: (ms, fire) => {
      limits.push(ms);
      timers.add(fire);
      return () => timers.delete(fire);
    },
    onFault: (fault) => faults.push(fault),
  };
  const settle = async () => {
    while (works.length > 0) await works.shift();
  };
  return { cache: createAnswerCache(deps), near, far, faults, works, timers, limits, clock, settle };
}

test("the first answer is near only; its first hit copies it far, once, with what is left of its life", async () => {
  const { cache, near, far, clock, settle, works } = bench();
  expect(await cache.lookup("k")).toEqual({ result: "miss" });
  await cache.store("k", answer, 3600);
  expect([near.entries.size, far.entries.size]).toEqual([1, 0]);
  clock.nowMs += 600_000;
  expect(await cache.lookup("k")).toEqual({ result: "hit", answer, ttlSeconds: 3000, tier: "cache-api" });
  await settle();
  expect(far.entries.get("k")?.ttlSeconds).toBe(3000);
  expect(near.entries.get("k")?.ttlSeconds).toBe(3000);
  expect((await cache.lookup("k")).result).toBe("hit");
  expect(works).toHaveLength(0);
});

test("what another location copied far is a hit here, and near from then on", async () => {
  const { cache, near, far, settle } = bench();
  far.entries.set("k", {
    entry: encodeEntry({ expiresMs: 1_500_000, promoted: true, answer }),
    ttlSeconds: 1,
  });
  expect(await cache.lookup("k")).toEqual({ result: "hit", answer, ttlSeconds: 500, tier: "kv" });
  await settle();
  expect(near.entries.get("k")?.ttlSeconds).toBe(500);
  expect(await cache.lookup("k")).toMatchObject({ result: "hit", tier: "cache-api" });
});

test("an entry past its end is a miss, whatever the tier still holds", async () => {
  const { cache, clock } = bench();
  await cache.store("k", answer, 60);
  clock.nowMs += 60_000;
  expect(await cache.lookup("k")).toEqual({ result: "miss" });
});

test("an entry about to end is not copied far, where nothing lives under a minute", async () => {
  const { cache, clock, far, settle } = bench();
  await cache.store("k", answer, 60);
  clock.nowMs += 1_000;
  expect((await cache.lookup("k")).result).toBe("hit");
  await settle();
  expect(far.entries.size).toBe(0);
});

test("without a far tier, as for a jurisdiction, answers are kept in the near one alone", async () => {
  const { cache, far, settle, near } = bench({ far: null });
  await cache.store("k", answer, 3600);
  expect((await cache.lookup("k")).result).toBe("hit");
  await settle();
  expect([near.entries.size, far.entries.size]).toEqual([1, 0]);
});

test("a look-up has 20 ms, or as long as whoever asks will wait", async () => {
  const { cache, limits } = bench();
  await cache.lookup("k");
  await cache.lookup("k", patientLookupLimitMs);
  expect(limits).toEqual([20, 1000]);
});

test("a look-up past its time is slow, goes on in the background, and is near for the next", async () => {
  let release: (entry: string) => void = () => undefined;
  const waiting = new Promise<string>((resolve) => (release = resolve));
  const slowFar: AnswerTier = { get: () => waiting, put: async () => undefined };
  const { cache, timers, near, settle } = bench({ far: slowFar });
  const lookup = cache.lookup("k");
  for (const fire of timers) fire();
  expect(await lookup).toEqual({ result: "slow" });
  release(encodeEntry({ expiresMs: 2_000_000, promoted: true, answer }));
  await settle();
  expect(near.entries.has("k")).toBe(true);
});

test("a look-up in time leaves no timer behind", async () => {
  const { cache, timers } = bench();
  await cache.lookup("k");
  expect(timers.size).toBe(0);
});

test.each([
  "",
  "{",
  "null",
  "[]",
  '{"v":2}',
  '{"v":1,"expiresMs":9e15,"promoted":true,"answer":{"model":"m"}}',
])("a corrupt entry %j is a miss, and counted", async (entry) => {
  const { cache, near, faults } = bench({ far: null });
  near.entries.set("k", { entry, ttlSeconds: 1 });
  expect(await cache.lookup("k")).toEqual({ result: "miss" });
  expect(faults).toEqual(["entry-corrupt"]);
});

test("a tier that fails is a miss, and counted; storing never throws", async () => {
  const broken: AnswerTier = {
    get: () => Promise.reject(new Error("down")),
    put: () => Promise.reject(new Error("down")),
  };
  const { cache, faults } = bench({ near: broken, far: broken });
  expect(await cache.lookup("k")).toEqual({ result: "miss" });
  await cache.store("k", answer, 60);
  expect(faults).toEqual(["tier-failed", "tier-failed", "tier-failed"]);
});

test("an answer over the size limit is not kept", async () => {
  const { cache, near, faults } = bench();
  const choices = [{ content: "x".repeat(300_000), reasoning: null, toolCalls: [], finishReason: "stop" }];
  await cache.store("k", { ...answer, choices }, 60);
  expect([near.entries.size, faults]).toEqual([0, ["entry-too-large"]]);
});

test("an answer asked for again is remembered from its first hit, and not beyond its end", async () => {
  const { cache, near, far, clock, settle } = bench({ remembers: true });
  await cache.store("k", answer, 3600);
  expect(await cache.lookup("k")).toMatchObject({ tier: "cache-api" });
  await settle();
  expect(far.entries.size).toBe(1);
  near.entries.clear();
  expect(await cache.lookup("k")).toEqual({ result: "hit", answer, ttlSeconds: 3600, tier: "memory" });
  clock.nowMs += 3_600_000;
  expect((await cache.lookup("k")).result).toBe("miss");
});

test("an answer that was asked for anew takes the place of the one that is remembered", async () => {
  const { cache, settle } = bench({ remembers: true });
  await cache.store("k", answer, 3600);
  await cache.lookup("k");
  expect(await cache.lookup("k")).toMatchObject({ tier: "memory" });
  const anew = { ...answer, createdMs: 2_000 };
  await cache.store("k", anew, 3600);
  await settle();
  expect(await cache.lookup("k")).toMatchObject({ answer: anew, tier: "cache-api" });
  expect(await cache.lookup("k")).toMatchObject({ answer: anew, tier: "memory" });
});

test("what is remembered and too old for whoever asks gives way to what another isolate has stored since", async () => {
  const { cache, near, settle } = bench({ remembers: true });
  await cache.store("k", answer, 3600);
  await cache.lookup("k");
  await settle();
  const anew = { ...answer, createdMs: 5_000 };
  near.entries.set("k", {
    entry: encodeEntry({ expiresMs: 2_000_000, promoted: true, answer: anew }),
    ttlSeconds: 1,
  });
  expect(await cache.lookup("k", 20, 1_000)).toMatchObject({ answer, tier: "memory" });
  expect(await cache.lookup("k", 20, 1_001)).toMatchObject({ answer: anew, tier: "cache-api" });
  expect(await cache.lookup("k", 20)).toMatchObject({ answer: anew, tier: "memory" });
});

test("a long answer is not remembered", async () => {
  const { cache, near, far, settle } = bench({ remembers: true });
  const long = {
    ...answer,
    choices: [{ content: "x".repeat(20_000), reasoning: null, toolCalls: [], finishReason: "stop" }],
  };
  await cache.store("k", long, 3600);
  await cache.lookup("k");
  await settle();
  near.entries.clear();
  far.entries.clear();
  expect((await cache.lookup("k")).result).toBe("miss");
});

test("look-ups at the same time that find one answer copy it far once", async () => {
  const { cache, far, settle, near } = bench({ remembers: true });
  let copies = 0;
  const put = far.put.bind(far);
  far.put = async (...entry) => {
    copies += 1;
    await put(...entry);
  };
  await cache.store("k", answer, 3600);
  const found = await Promise.all(Array.from({ length: 20 }, () => cache.lookup("k")));
  expect(found.every(({ result }) => result === "hit")).toBe(true);
  await settle();
  expect([copies, far.entries.size, near.entries.size]).toEqual([1, 1, 1]);
});

test("an answer that was asked for anew stays, however late the old one is copied", async () => {
  const anew = { ...answer, createdMs: 2_000 };
  const released = Promise.withResolvers<void>();
  // While it is copied far.
  const slowPut: AnswerTier = { get: async () => null, put: () => released.promise };
  const one = bench({ far: slowPut });
  await one.cache.store("k", answer, 3600);
  expect(await one.cache.lookup("k")).toMatchObject({ answer });
  await one.cache.store("k", anew, 3600);
  // While it is read there.
  const old = encodeEntry({ expiresMs: 2_000_000, promoted: true, answer });
  const slowGet: AnswerTier = { get: () => released.promise.then(() => old), put: async () => undefined };
  const other = bench({ far: slowGet });
  const looking = other.cache.lookup("k");
  await Promise.resolve();
  await other.cache.store("k", anew, 3600);
  released.resolve();
  expect(await looking).toMatchObject({ answer });
  for (const { cache, settle } of [one, other]) {
    await settle();
    expect(await cache.lookup("k")).toMatchObject({ answer: anew });
  }
});

test("who looks up the old answer while the new one is stored makes nobody remember it", async () => {
  const memory = fakeTier();
  const storing = Promise.withResolvers<void>();
  let isSlow = false;
  const near: AnswerTier = {
    get: (key) => memory.get(key),
    put: async (...entry) => {
      if (isSlow) await storing.promise;
      await memory.put(...entry);
    },
  };
  const { cache, settle } = bench({ near, far: null, remembers: true });
  await cache.store("k", answer, 3600);
  isSlow = true;
  const anew = { ...answer, createdMs: 2_000 };
  const stored = cache.store("k", anew, 3600);
  expect(await cache.lookup("k")).toMatchObject({ answer, tier: "cache-api" });
  storing.resolve();
  await stored;
  await settle();
  expect(await cache.lookup("k")).toMatchObject({ answer: anew });
});
