import { expect, test } from "vitest";
import { parseChatRequest } from "./chat-request.ts";

/** The single form that later stages see. */
function normalised(fields: Record<string, unknown>) {
  const base = { model: "auto", messages: [{ role: "user", content: "Hi" }] };
  const result = parseChatRequest(JSON.stringify({ ...base, ...fields }));
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const { model: _, messages: __, ...rest } = result.value;
  return rest;
}
const tool = (name: string) => ({ type: "function", function: { name } });

test("a top_p of 0, which engines refuse, keeps the likeliest token", () => {
  expect(normalised({ top_p: 0 })).toEqual({ top_p: 0.000_001 });
});
test("several answers at temperature 0, which engines refuse, are each sampled greedily", () => {
  expect(normalised({ temperature: 0, n: 2 })).toEqual({ temperature: 0.01, top_k: 1, n: 2 });
  expect(normalised({ temperature: 0, n: 1 })).toEqual({ temperature: 0, n: 1 });
  expect(normalised({ temperature: 0.5, n: 2 })).toEqual({ temperature: 0.5, n: 2 });
});
test("a response format of text is the default, and a JSON schema without one is any object", () => {
  expect(normalised({ response_format: { type: "text" } })).toEqual({});
  expect(normalised({ response_format: { type: "json_schema", json_schema: { name: "x" } } })).toEqual({
    response_format: { type: "json_object" },
  });
});
test("an empty list of tools is none, and then nothing steers their use", () => {
  expect(normalised({ tools: [], tool_choice: "none", parallel_tool_calls: true })).toEqual({});
  expect(normalised({ tool_choice: "auto" })).toEqual({});
});
test("allowed tools are the only ones offered", () => {
  const choice = { type: "allowed_tools", allowed_tools: { mode: "required", tools: [tool("b")] } };
  expect(normalised({ tools: [tool("a"), tool("b")], tool_choice: choice })).toEqual({
    tools: [tool("b")],
    tool_choice: "required",
  });
});
