import { expect, test } from "vitest";
import type { Fleet } from "../../src/shared/routing/fleet/fleet-config.ts";
import { fakeClock } from "./fault-fixture.ts";
import { turnWorld, underClock } from "./turn-world.ts";

fakeClock();

const [small, large] = ["llama-3.1-8b", "qwen3-reason"] as const;

/** The dev fleet, where the second model of an alias has a window four times the first one's. */
function withLargeWindow(fleet: Fleet): Fleet {
  return {
    ...fleet,
    aliases: { both: { strategy: "fallback", models: [small, large] } },
    clusters: fleet.clusters.map((cluster) => ({
      ...cluster,
      models: cluster.models.map((model) =>
        model.id === large ? { ...model, context_window: 131_072 } : model,
      ),
    })),
  };
}

test("a prompt that is too long by the engine's own count alone is answered by the alias's next model", async () => {
  const world = turnWorld({ replicas: 1, fleet: withLargeWindow });
  // A little over the window: our estimate leaves that to the engine.
  const content = `Explain quantum computing. ${"word ".repeat(33_500)}`;
  const result = await underClock(
    world.chat({ model: "both", messages: [{ role: "user", content }], max_tokens: 50 }),
  );
  expect(world.asked.map(({ body }) => body["model"])).toEqual([
    "meta-llama/Llama-3.1-8B-Instruct",
    "Qwen/Qwen3-VL-8B-Thinking",
  ]);
  expect(result.refused).toBeNull();
  expect(result.charged).toHaveLength(1);
  const own = await underClock(
    world.chat({ model: small, messages: [{ role: "user", content }], max_tokens: 50 }),
  );
  expect(own.refused).toBe("context-too-long");
});

test("a length that nobody asked for makes no prompt too long: the engine is asked again without it", async () => {
  const world = turnWorld({ replicas: 1 });
  // Two tokens a word for the engine, one for our estimate, which so sees room for the model's longest answer.
  const content = `Say hello. ${"extraordinary ".repeat(13_500)}`;
  const result = await underClock(world.chat({ model: small, messages: [{ role: "user", content }] }));
  expect(world.asked.map(({ body }) => body["max_tokens"])).toEqual([8192, undefined]);
  expect(result.refused).toBeNull();
  expect(result.charged).toHaveLength(1);
});
