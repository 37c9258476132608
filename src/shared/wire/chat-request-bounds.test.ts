/** How large and how deeply nested a chat completion may be. */
import { expect, test } from "vitest";
import { accepted, refused, tool, user } from "./chat-request-fixture.ts";

function nested(levels: number): unknown {
  let schema: unknown = {};
  for (let level = 1; level < levels; level += 1) schema = { items: schema };
  return schema;
}
const param = "tools[0].function.parameters";
const withParameters = (parameters: unknown) => ({
  tools: [{ type: "function", function: { name: "f", parameters } }],
});

test("a schema may be 64 levels deep and not 65", () => {
  accepted(withParameters(nested(64)));
  expect(refused(withParameters(nested(65)))).toMatchObject({ kind: "value-invalid", param });
});

test.each([
  ["values", { enum: Array.from({ length: 20_001 }, () => 1) }],
  ["characters", { description: "x".repeat(131_073) }],
  ["half a surrogate", { description: "\ud800" }],
  ["a forbidden key", JSON.parse('{"properties":{"__proto__":{}}}') as unknown],
])("a schema with too many or too odd %s is refused", (_, parameters) => {
  expect(refused(withParameters(parameters))).toMatchObject({ kind: "value-invalid", param });
});

test.each([
  ["messages", { messages: Array.from({ length: 2049 }, () => user) }, "messages"],
  ["tools", { tools: Array.from({ length: 129 }, () => tool) }, "tools"],
  [
    "logit_bias",
    { logit_bias: Object.fromEntries(Array.from({ length: 1025 }, (_, id) => [id, 1])) },
    "logit_bias",
  ],
  [
    "metadata",
    { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, id) => [`k${id}`, ""])) },
    "metadata",
  ],
  ["regex", { structured_outputs: { regex: "a".repeat(2049) } }, "structured_outputs.regex"],
  ["grammar", { structured_outputs: { grammar: "a".repeat(32_769) } }, "structured_outputs.grammar"],
])("%s is bounded", (_, fields, param) => {
  expect(refused(fields)).toMatchObject({ kind: "value-invalid", param });
});

test("a request has at most 32 media parts", () => {
  const image = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };
  const messages = [{ role: "user", content: Array.from({ length: 33 }, () => image) }];
  expect(refused({ messages })).toMatchObject({ kind: "value-invalid", param: "messages[0].content" });
});
