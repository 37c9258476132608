import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Generation, type GenerationPlan } from "./generation.ts";
import { EngineMetrics } from "./metrics.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { Scheduler } from "./scheduler.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function engine(slots: number) {
  const cache = new PrefixCache(100);
  const scheduler = new Scheduler(slots);
  const speed = { ttftMs: 100, tokenMs: 20 };
  return { scheduler, metrics: new EngineMetrics(["m"]), speed, cacheOf: () => cache };
}

/** A run whose events are noted as "what@milliseconds". */
function run(parts: ReturnType<typeof engine>, name: string, more: Partial<GenerationPlan> = {}) {
  const seen: string[] = [];
  const beganMs = performance.now();
  const note = (what: string) => seen.push(`${what}@${Math.round(performance.now() - beganMs)}`);
  const generation = new Generation(
    {
      model: "m",
      priority: 0,
      prompts: [{ ids: Array.from({ length: 33 }, (_, at) => at), chain: 1 }],
      steps: 3,
      totalTokens: 3,
      stepwise: true,
      finishReason: "stop",
      remembered: undefined,
      onStart: () => note(`${name} starts`),
      onStep: (step) => {
        note(`${name} ${step}`);
        return "go";
      },
      onEnd: () => note(`${name} ends`),
      ...more,
    },
    parts,
  );
  parts.scheduler.submit(generation);
  return { seen, generation };
}

test("the first token comes after the prefill, each other one a step later", async () => {
  const { seen } = run(engine(1), "a");
  await vi.runAllTimersAsync();
  expect(seen).toEqual(["a starts@0", "a 0@100", "a 1@120", "a 2@140", "a ends@140"]);
});

test("what is cached is not computed again: the first token comes sooner", async () => {
  const parts = engine(1);
  run(parts, "a");
  await vi.runAllTimersAsync();
  const { seen } = run(parts, "a");
  await vi.runAllTimersAsync();
  // 32 of 33 tokens are cached; a tenth of the prefill is left.
  expect(seen[1]).toBe("a 0@10");
});

test("who waits for a slot starts when the other ends", async () => {
  const parts = engine(1);
  run(parts, "a");
  const { seen } = run(parts, "b");
  await vi.runAllTimersAsync();
  expect(seen.slice(0, 2)).toEqual(["b starts@140", "b 0@150"]);
});

test("an abort stops it at once and hands the slot on", async () => {
  const parts = engine(1);
  const first = run(parts, "a");
  const second = run(parts, "b");
  await vi.advanceTimersByTimeAsync(125);
  first.generation.abort();
  expect(first.generation.generatedTokens).toBe(2);
  expect(second.seen).toEqual(["b starts@125"]);
  await vi.runAllTimersAsync();
  expect(first.seen.at(-1)).toBe("a 1@120");
});

test("told only of the end, it takes as long", async () => {
  const { seen, generation } = run(engine(1), "a", { stepwise: false });
  await vi.advanceTimersByTimeAsync(121);
  expect(generation.generatedTokens).toBe(2);
  await vi.runAllTimersAsync();
  expect(seen).toEqual(["a starts@0", "a ends@140"]);
});

test("a hold stops the clock until it is resumed", async () => {
  let held = false;
  const { seen, generation } = run(engine(1), "a", {
    onStep: (step) => {
      if (step !== 1 || held) return "go";
      held = true;
      return "hold";
    },
  });
  await vi.runAllTimersAsync();
  expect(seen).toEqual(["a starts@0"]);
  expect(generation.generatedTokens).toBe(1);
  generation.resume();
  await vi.runAllTimersAsync();
  expect(seen.at(-1)).toMatch(/^a ends/);
});
