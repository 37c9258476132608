import { expect, test } from "vitest";
import { parseChatRequest } from "./chat-request.ts";
import { engineChatBody, type EngineChatOptions } from "./engine-chat-body.ts";

function body(fields: Record<string, unknown>, options: Partial<EngineChatOptions> = {}) {
  const base = { model: "auto", messages: [{ role: "user", content: "Hi" }] };
  const result = parseChatRequest(JSON.stringify({ ...base, ...fields }));
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const {
    model,
    messages: _,
    ...rest
  } = engineChatBody(result.value, {
    servedName: "meta/llama",
    stream: false,
    ...options,
  });
  expect(model).toBe("meta/llama");
  return rest;
}

test("what stays here never reaches the engine", () => {
  expect(
    body({
      user: "alice",
      metadata: { a: "b" },
      store: true,
      conversation_id: "c",
      retrieval: false,
      stream: true,
      stream_options: { include_usage: true },
      stream_format: "text",
      service_tier: "priority",
      length_penalty: 1,
    }),
  ).toEqual({});
});
test("sampling passes, and what was converted goes in the engine's words", () => {
  expect(
    body({ temperature: 0, top_p: 0, stop: "\n", seed: 7, top_k: 5, response_format: { type: "text" } }),
  ).toEqual({ temperature: 0, top_p: 0.000_001, stop: "\n", seed: 7, top_k: 5 });
});
test("either name of the length goes on as max_tokens, and what was left decides over both", () => {
  expect(body({ max_completion_tokens: 9 })).toEqual({ max_tokens: 9 });
  expect(body({ max_tokens: 9, min_tokens: 5 }, { maxTokens: 3 })).toEqual({ max_tokens: 3, min_tokens: 3 });
});
test("the edge decides whether the engine streams, and adds its salt", () => {
  expect(body({}, { stream: true, continuousUsage: true, cacheSalt: "s" })).toEqual({
    stream: true,
    stream_options: { include_usage: true, continuous_usage_stats: true },
    cache_salt: "s",
  });
  expect(body({ stream: true }, { stream: true, streamUsage: true })).toEqual({
    stream: true,
    stream_options: { include_usage: true },
  });
});
