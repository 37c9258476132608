import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createAnswerCache } from "../../../src/shared/cache/answer-cache.ts";
import { exactKey } from "../../../src/shared/cache/exact-key.ts";
import type { CachedAnswer } from "../../../src/shared/cache/ports.ts";
import { RecentMap } from "../../../src/shared/limits/recent-map.ts";
import { cacheApiTier } from "./cache-api.ts";
import { kvTier } from "./kv-answers.ts";

const answer: CachedAnswer = {
  model: "llama-3.1-8b",
  createdMs: 1_000,
  choices: [{ content: "Quantum", reasoning: null, toolCalls: [], finishReason: "stop" }],
  usage: { promptTokens: 4, completionTokens: 2, cachedTokens: 0, reasoningTokens: 0 },
};

test("an answer goes through the real Cache API, and on second sight through KV", async () => {
  const works: Promise<unknown>[] = [];
  const faults: string[] = [];
  const cache = createAnswerCache({
    memory: null,
    madeMs: new RecentMap<number>(4),
    near: cacheApiTier(caches.default),
    far: kvTier(env.ANSWERS),
    background: { run: (_, work) => void works.push(work) },
    nowMs: () => Date.now(),
    timer: () => () => undefined,
    onFault: (fault) => faults.push(fault),
  });
  const key = await exactKey({
    tenant: "demo",
    user: null,
    alias: "auto",
    model: { id: "m", weights: "fp8" },
    fleetVersion: "1",
    tenantVersion: "1",
    request: { messages: [{ role: "user", content: "answer-tiers.test" }] },
    policies: {
      defaultSystemPrompt: null,
      template: "1",
      safety: null,
    },
  });
  expect(await cache.lookup(key)).toEqual({ result: "miss" });
  await cache.store(key, answer, 3600);
  expect(await env.ANSWERS.get(`exact/${key}`)).toBeNull();
  expect(await cache.lookup(key)).toMatchObject({ result: "hit", answer, tier: "cache-api" });
  await Promise.all(works);
  const stored = await env.ANSWERS.get(`exact/${key}`);
  expect(stored).toContain("Quantum");
  expect(stored).not.toContain("answer-tiers.test");

  // Another location: its near tier is empty.
  expect(await caches.default.delete(`https://answers.edgewise.invalid/exact/${key}`)).toBe(true);
  expect(await cache.lookup(key)).toMatchObject({ result: "hit", answer, tier: "kv" });
  await Promise.all(works);
  expect(await cache.lookup(key)).toMatchObject({ result: "hit", answer, tier: "cache-api" });
  expect(faults).toEqual([]);
});
