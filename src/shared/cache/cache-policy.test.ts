import { expect, test } from "vitest";
import {
  type CacheableRequest,
  decideCaching,
  isStorable,
  isTooOld,
  wantsOnlyStored,
} from "./cache-policy.ts";
import { cacheStatus } from "./cache-status.ts";
import type { CachedAnswer } from "./ports.ts";

function shown(url: string): object {
  return {
    role: "user",
    content: [
      { type: "text", text: "What is it?" },
      { type: "image_url", image_url: { url } },
    ],
  };
}

test.each([
  [{ temperature: 0 }, "deterministic", null, "allowed"],
  [{ temperature: 0 }, "deterministic", null, "allowed"],
  [{ temperature: 0, n: 1, retrieval: false }, "deterministic", "max-age=60", "allowed"],
  [{ temperature: 0 }, "deterministic", "max-age=0", "client-no-cache"],
  [{ temperature: 0 }, "deterministic", "max-age=sixty", "allowed"],
  [{}, "deterministic", null, "not-deterministic"],
  [{ temperature: null }, "deterministic", null, "not-deterministic"],
  [{ temperature: 0.1 }, "deterministic", null, "not-deterministic"],
  [{ temperature: 0.7 }, "all", null, "allowed"],
  [{}, "all", null, "allowed"],
  [{ temperature: 0 }, "off", null, "policy-off"],
  [{ temperature: 0, n: 2 }, "all", null, "not-replayable"],
  [{ temperature: 0, logprobs: true }, "all", null, "not-replayable"],
  [{ temperature: 0, conversation_id: "c" }, "all", null, "not-replayable"],
  [{ temperature: 0, retrieval: { vector_store_ids: ["v"] } }, "all", null, "not-replayable"],
  [{ temperature: 0, messages: [shown("data:image/png;base64,AA==")] }, "all", null, "allowed"],
  [{ temperature: 0, messages: [shown("DATA:image/png;base64,AA==")] }, "all", null, "allowed"],
  [{ temperature: 0, messages: [shown("https://cam.example/now.jpg")] }, "all", null, "not-replayable"],
  [{ temperature: 0 }, "all", "No-Store", "client-no-store"],
  [{ temperature: 0 }, "all", "max-age=0, no-cache", "client-no-cache"],
  [{ temperature: 0 }, "all", "no-cache,no-store", "client-no-store"],
] as [CacheableRequest, "all" | "off" | "deterministic", string | null, string][])(
  "%j under %s with Cache-Control %s: %s",
  (request, mode, header, reason) => {
    const decision = decideCaching(request, mode, header);
    expect(decision.reason).toBe(reason);
    expect(decision.lookup).toBe(reason === "allowed");
    expect(decision.store).toBe(reason === "allowed" || reason === "client-no-cache");
  },
);

test.each([
  [null, null],
  ["max-age=60", 60],
  ['Max-Age="7", max-age=9', 7],
  ["max-age=-1", null],
  ["s-maxage=5", null],
])("Cache-Control %s: no answer older than %s seconds", (header, seconds) => {
  expect(decideCaching({ temperature: 0 }, "all", header).maxAgeSeconds).toBe(seconds);
});

const answer: CachedAnswer = {
  model: "m",
  createdMs: 1,
  choices: [{ content: "x", reasoning: null, toolCalls: [], finishReason: "stop" }],
  usage: { promptTokens: 1, completionTokens: 1, cachedTokens: 0, reasoningTokens: 0 },
};

test("only answers that passed the guard, and whose choices an engine ended, are kept", () => {
  expect(isStorable(answer, true)).toBe(true);
  expect(isStorable(answer, false)).toBe(false);
  expect(isStorable({ ...answer, choices: [] }, true)).toBe(false);
  const filtered = answer.choices.map((choice) => ({ ...choice, finishReason: "content_filter" }));
  expect(isStorable({ ...answer, choices: filtered }, true)).toBe(false);
});

test("an answer is too old for a client that says so, and its Cache-Status says whose wish it was", () => {
  const young = decideCaching({ temperature: 0 }, "all", "max-age=60");
  expect(isTooOld(young, { ...answer, createdMs: 1000 }, 61_000)).toBe(false);
  expect(isTooOld(young, { ...answer, createdMs: 1000 }, 61_001)).toBe(true);
  expect(isTooOld(decideCaching({ temperature: 0 }, "all", null), answer, 1e12)).toBe(false);
  const hit = { result: "hit", answer, ttlSeconds: 3400, tier: "kv" } as const;
  expect(cacheStatus(young, hit, true)).toBe("edgewise; fwd=request");
});

test("Cache-Status tells a hit with its rest of life, a miss, and why a request was none for the cache", () => {
  const allowed = decideCaching({ temperature: 0 }, "all", null);
  expect(cacheStatus(allowed, { result: "hit", answer, ttlSeconds: 3400, tier: "kv" }, false)).toBe(
    "edgewise; hit; ttl=3400; detail=exact",
  );
  expect(cacheStatus(allowed, { result: "miss" }, false)).toBe("edgewise; fwd=miss");
  expect(cacheStatus(allowed, { result: "slow" }, false)).toBe("edgewise; fwd=miss; detail=slow");
  expect(cacheStatus(decideCaching({}, "all", "no-cache"), null, false)).toBe("edgewise; fwd=request");
  expect(cacheStatus(decideCaching({}, "deterministic", null), null, false)).toBe(
    "edgewise; fwd=bypass; detail=not-deterministic",
  );
});

test.each([
  [null, false],
  ["no-cache", false],
  ["only-if-cached", true],
  ["max-age=60, Only-If-Cached", true],
  ["x-only-if-cached", false],
])("Cache-Control %s: only a stored answer is wanted: %s", (header, expected) => {
  expect(wantsOnlyStored(header)).toBe(expected);
});
