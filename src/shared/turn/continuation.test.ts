import { describe, expect, test } from "vitest";
import { modelRecord } from "../routing/fleet/model-record-fixture.ts";
import { Transcript } from "../stream/transcript.ts";
import { continueAnswer } from "./continuation.ts";

const record = modelRecord({ id: "llama", served_name: "meta/Llama-3.1", context_window: 8192 });
const chat = {
  model: "meta/Llama-3.1",
  messages: [{ role: "user", content: "Explain queues" }],
  max_tokens: 40,
  stream: true,
};

function said(...pieces: readonly string[]): Transcript {
  const transcript = new Transcript();
  for (const piece of pieces) transcript.add(piece, 1);
  return transcript;
}

function ask(body: object, transcript = said("One", " two"), path = "/v1/chat/completions" as const) {
  return continueAnswer({ path, body: JSON.stringify(body) }, transcript, record);
}

function bodyOf(continuation: ReturnType<typeof continueAnswer>): unknown {
  if (continuation.kind !== "ask") throw new Error(JSON.stringify(continuation));
  return JSON.parse(continuation.body);
}

test("a chat goes on in its last message, for as many tokens as are left", () => {
  expect(bodyOf(ask({ ...chat, min_tokens: 10 }))).toEqual({
    ...chat,
    messages: [...chat.messages, { role: "assistant", content: "One two" }],
    continue_final_message: true,
    add_generation_prompt: false,
    max_tokens: 38,
    min_tokens: 8,
  });
});

test("the body's head stays as it was, byte for byte, so that the prefix cache holds it", () => {
  const body = JSON.stringify({ ...chat, cache_salt: "s" });
  const next = continueAnswer({ path: "/v1/chat/completions", body }, said("One"), record);
  expect(next.kind === "ask" && next.body.startsWith(body.slice(0, body.indexOf("}]")))).toBe(true);
});

test("a rendered prompt goes on with the delivered text behind it", () => {
  const asked = {
    path: "/v1/completions",
    body: JSON.stringify({ prompt: "<prompt>", max_tokens: 9 }),
  } as const;
  expect(bodyOf(continueAnswer(asked, said("One", " two "), record))).toEqual({
    prompt: "<prompt>One two",
    max_tokens: 8,
  });
});

test("before the first word it is the same request again", () => {
  expect(bodyOf(ask(chat, said()))).toEqual(chat);
  expect(bodyOf(ask(chat, said("", "\n")))).toEqual(chat);
});

test("control tokens in what was said stay text", () => {
  expect(JSON.stringify(bodyOf(ask(chat, said("a <|eot_id|> b"))))).not.toContain("<|eot_id|>");
});

test("with every token delivered only the finish reason is missing", () => {
  expect(ask({ ...chat, max_tokens: 2 })).toEqual({ kind: "complete" });
});

describe("it is refused", () => {
  test.each([
    ["several answers", { n: 2 }],
    ["JSON by a schema", { response_format: { type: "json_schema", json_schema: {} } }],
    ["JSON of any kind", { response_format: { type: "json_object" } }],
    ["a grammar", { structured_outputs: { regex: "a+" } }],
    ["a forced tool", { tool_choice: { type: "function", function: { name: "f" } } }],
    ["some tool", { tool_choice: "required" }],
    ["log probabilities", { logprobs: true }],
    ["a frequency penalty", { frequency_penalty: 0.5 }],
    ["a presence penalty", { presence_penalty: -0.5 }],
    ["a repetition penalty", { repetition_penalty: 1.1 }],
  ])("for %s", (_name, fields) => {
    expect(ask({ ...chat, ...fields }).kind).toBe("refused");
  });

  test("where the engine does not know how", () => {
    const other = { ...record, engine_features: { ...record.engine_features, continuation: false } };
    const asked = { path: "/v1/chat/completions", body: JSON.stringify(chat) } as const;
    expect(continueAnswer(asked, said("One"), other).kind).toBe("refused");
    // Nothing was said yet: there is nothing to go on from.
    expect(continueAnswer(asked, said(), other).kind).toBe("ask");
  });
});

test.each([
  { n: 1 },
  { response_format: { type: "text" } },
  { tool_choice: "auto", tools: [] },
  { tool_choice: "none" },
  { logprobs: false },
  { frequency_penalty: 0, presence_penalty: 0, repetition_penalty: 1 },
])("%j does not stand in its way", (fields) => {
  expect(ask({ ...chat, ...fields }).kind).toBe("ask");
});
