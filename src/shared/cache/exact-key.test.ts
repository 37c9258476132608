import * as fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalText, exactKey, type ExactKeyParts } from "./exact-key.ts";
import { chatShape } from "../wire/chat-fields.ts";
import { keyFields } from "./key-fields.ts";

const parts: ExactKeyParts = {
  tenant: "demo",
  user: "alice",
  alias: "auto",
  model: { id: "llama-3.1-8b", weights: "fp8" },
  fleetVersion: "1",
  tenantVersion: "7",
  request: { model: "auto", messages: [{ role: "user", content: "Hi" }], temperature: 0 },
  policies: {
    defaultSystemPrompt: null,
    template: "1.1",
    safety: null,
  },
};

test("a key is a SHA-256 in hexadecimal and holds nothing of the prompt", async () => {
  const key = await exactKey(parts);
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(await exactKey(structuredClone(parts))).toBe(key);
});

test.each<[string, Partial<ExactKeyParts>]>([
  ["tenant", { tenant: "other" }],
  ["user", { user: "bob" }],
  ["sharing", { user: null }],
  ["alias", { alias: "llama-3.1-8b" }],
  ["model", { model: { id: "llama-3.1-70b", weights: "fp8" } }],
  ["weights", { model: { id: "llama-3.1-8b", weights: "gptq-int4" } }],
  ["fleet version", { fleetVersion: "2" }],
  ["tenant version", { tenantVersion: "8" }],
  ["default system prompt", { policies: { ...parts.policies, defaultSystemPrompt: "" } }],
  ["template", { policies: { ...parts.policies, template: "2" } }],
  ["safety policy", { policies: { ...parts.policies, safety: "" } }],
])("another %s is another key", async (_, change) => {
  expect(await exactKey({ ...parts, ...change })).not.toBe(await exactKey(parts));
});

test("every field of the table is in the key, or is not, as the table says", async () => {
  const key = await exactKey(parts);
  for (const [field, meaning] of Object.entries(keyFields)) {
    const changed = await exactKey({ ...parts, request: { ...parts.request, [field]: "something else" } });
    expect(changed === key, field).toBe(meaning === "delivery");
  }
});

test("every field of the public schema is classified, and no other", () => {
  expect(Object.keys(keyFields).sort()).toEqual(Object.keys(chatShape).sort());
});

test("a field that nobody classified is in the key", async () => {
  expect(await exactKey({ ...parts, request: { ...parts.request, new_field: 1 } })).not.toBe(
    await exactKey(parts),
  );
});

test("the order of keys means nothing, except in schemas, which the model reads in their order", async () => {
  const reordered = { temperature: 0, messages: [{ content: "Hi", role: "user" }], model: "auto" };
  expect(await exactKey({ ...parts, request: reordered })).toBe(await exactKey(parts));
  const schema = (properties: object) => ({
    ...parts,
    request: {
      ...parts.request,
      response_format: { type: "json_schema", json_schema: { schema: { properties } } },
    },
  });
  expect(canonicalText(schema({ a: {}, b: {} }))).not.toBe(canonicalText(schema({ b: {}, a: {} })));
});

test("what says the same in other words is no other question", async () => {
  const keyOf = (more: object) => exactKey({ ...parts, request: { ...parts.request, ...more } });
  const plain = await keyOf({});
  for (const more of [{ n: 1 }, { logprobs: false }, { retrieval: false }])
    expect(await keyOf(more), JSON.stringify(more)).toBe(plain);
  expect(await keyOf({ max_tokens: 5 })).toBe(await keyOf({ max_completion_tokens: 5 }));
  expect(await keyOf({ max_tokens: 5, max_completion_tokens: 5 })).toBe(await keyOf({ max_tokens: 5 }));
  expect(await keyOf({ max_tokens: 5 })).not.toBe(await keyOf({ max_tokens: 6 }));
  expect(await keyOf({ max_tokens: 5 })).not.toBe(plain);
  // An engine's own default may be another: saying it is not the same as saying nothing.
  expect(await keyOf({ top_p: 1 })).not.toBe(plain);
});

/** Values that try to break out of their quotes, and everything else that JSON can say. */
const hostile = fc.oneof(
  fc.constantFrom('"', '","', "[", "]", "{}", "\\", '\\"', "null", ":", "\u0000", "\ud800"),
  fc.string({ maxLength: 5 }),
);
/**
 * No backslash in keys: V8 13.6's JSON.parse, which this test reads back with, takes `{"[":0,"\\ud800":0}` for
 * `{"[":0,"\\\\":0}` once it has parsed the latter.
 */
const key = hostile.filter((text) => !text.includes("\\"));
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    hostile,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
})).value;
const anyParts: fc.Arbitrary<ExactKeyParts> = fc.record({
  tenant: hostile,
  user: fc.option(hostile),
  alias: hostile,
  model: fc.record({ id: hostile, weights: hostile }),
  fleetVersion: hostile,
  tenantVersion: hostile,
  request: fc.record({ messages: json, stop: json }),
  policies: fc.record({
    defaultSystemPrompt: fc.option(hostile),
    template: hostile,
    safety: fc.option(hostile),
  }),
});

/** JSON whose keys are in one order, by other means than the code under test. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

test("the encoding is injective: what can be read back from it is what was put in", () => {
  fc.assert(
    fc.property(anyParts, (each) => {
      const [head, fields] = JSON.parse(canonicalText(each)) as [unknown[], Record<string, unknown>];
      const { policies } = each;
      expect(head.slice(1)).toEqual([
        each.tenant,
        each.user,
        each.alias,
        each.model.id,
        each.model.weights,
        each.fleetVersion,
        each.tenantVersion,
        policies.defaultSystemPrompt,
        policies.template,
        policies.safety,
      ]);
      expect(sorted(fields)).toBe(sorted(each.request));
    }),
    { numRuns: 1_000 },
  );
});
