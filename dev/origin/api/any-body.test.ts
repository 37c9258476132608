import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fleetSchema } from "../../../src/shared/routing/fleet/fleet-config.ts";
import document from "../../../config/fleet.dev.json" with { type: "json" };
import { servedModels } from "../catalog.ts";
import { EngineMetrics } from "../engine/metrics.ts";
import { PrefixCache } from "../engine/prefix-cache.ts";
import { Scheduler } from "../engine/scheduler.ts";
import { llama, qwen } from "../testing.ts";
import { chatSchema } from "./chat-request.ts";
import { completionSchema } from "./completion-request.ts";
import { prepareChat, preparePlain, type GenerationDeps } from "./generation-routes.ts";

const [cluster] = fleetSchema.parse(document).clusters;
if (cluster === undefined) throw new Error("the document has no cluster");
const cache = new PrefixCache(8);
const deps: GenerationDeps = {
  models: servedModels(cluster),
  settings: { reasoningField: "reasoning" },
  running: new Set(),
  engine: {
    scheduler: new Scheduler(1),
    metrics: new EngineMetrics([]),
    speed: { ttftMs: 0, tokenMs: 0 },
    cacheOf: () => cache,
  },
};

/** Bodies near the schema: known fields with fitting and unfitting values, so that some get through. */
const scalar = fc.oneof(
  fc.constantFrom(0, 1, 2, 5, -1, 0.5, true, false, null, "", "a", "auto", "required"),
  fc.jsonValue(),
);
const messages = fc.oneof(
  fc.array(
    fc.record({
      role: fc.constantFrom("system", "user", "assistant", "tool", "developer"),
      content: fc.oneof(
        fc.string(),
        fc.constantFrom(null, "count to 30", "[1] a b c", "What is 1 + 2?"),
        fc.jsonValue(),
      ),
    }),
    { maxLength: 4 },
  ),
  fc.jsonValue(),
);
const tools = fc.array(
  fc.record({
    type: fc.constant("function"),
    function: fc.record({ name: fc.string({ minLength: 1 }), parameters: fc.object() }),
  }),
);
function bodies(names: readonly string[]) {
  const fields = names.filter((name) => !["model", "messages", "tools"].includes(name));
  return fc
    .tuple(
      fc.constantFrom(llama, qwen),
      messages,
      fc.oneof(fc.constant(undefined), tools),
      fc.dictionary(fc.constantFrom(...fields), scalar, { maxKeys: 4 }),
    )
    .map(([model, chat, offered, more]) => ({
      model,
      messages: chat,
      prompt: "Hello",
      ...(offered === undefined ? {} : { tools: offered }),
      ...more,
    }));
}

test.each([
  ["chat", prepareChat, Object.keys(chatSchema.shape)],
  ["plain", preparePlain, Object.keys(completionSchema.shape)],
] as const)("every %s body is answered or refused with a 4xx, never by an exception", (_, prepare, names) => {
  let answered = 0;
  fc.assert(
    fc.property(bodies(names), (body) => {
      const prepared = prepare(JSON.parse(JSON.stringify(body)), deps);
      if (prepared.ok) {
        answered++;
        expect(prepared.value.choices.every(({ deltas }) => deltas.length > 0)).toBe(true);
      } else expect(Math.floor(prepared.error.status / 100)).toBe(4);
    }),
    { numRuns: 500 },
  );
  expect(answered).toBeGreaterThan(0);
});
