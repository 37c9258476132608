import { expect, test } from "vitest";
import { assembleAnswer } from "./assemble-answer.ts";
import { brokenStreams, chatText, completionStream, goodStreams } from "./fixtures/engine-streams.ts";
import { replayStream, replayWhole } from "./replay-answer.ts";
import { rewriteAnswer } from "./rewrite-answer.ts";

const base = {
  id: "chatcmpl-ours",
  model: "llama",
  createdMs: 1_700_000_000_000,
  promptTokens: 3,
};
const relay = { firstTokenTimeoutMs: 1000, gapTimeoutMs: 1000, deadlineMs: 10_000 };

function streamOf(text: string, chunkBytes = 100): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += chunkBytes)
        controller.enqueue(bytes.subarray(at, at + chunkBytes));
      controller.close();
    },
  });
}

function assemble(text: string, choices = 1, maxCharacters = 10_000) {
  return assembleAnswer(
    streamOf(text),
    { ...base, engineApi: "chat", shape: "chat", choices, maxCharacters },
    relay,
  );
}

test.each(Object.entries(goodStreams))("the stream %s becomes one object", async (name, stream) => {
  const answer = await assemble(stream, name === "twoChoices" ? 2 : 1);
  expect(answer.end).toBe("done");
  const body = JSON.parse(answer.body ?? "null") as unknown;
  expect(body).toMatchObject({ id: "chatcmpl-ours", object: "chat.completion", model: "llama" });
});

test("the object holds text, reasoning, tool calls and log probabilities of each choice", async () => {
  const message = async (stream: string, choices = 1): Promise<unknown> => {
    const { body } = await assemble(stream, choices);
    return (JSON.parse(body ?? "") as { choices: unknown }).choices;
  };
  expect(await message(goodStreams.vllmChat)).toMatchObject([
    { message: { role: "assistant", content: chatText, refusal: null }, finish_reason: "stop" },
  ]);
  expect(await message(goodStreams.reasoning)).toMatchObject([
    { message: { reasoning: "Let me think.", reasoning_content: "Let me think.", content: "42" } },
  ]);
  expect(await message(goodStreams.toolCalls)).toMatchObject([
    {
      message: { tool_calls: [{ id: "call_1", type: "function" }, { id: "call_2" }] },
      finish_reason: "tool_calls",
    },
  ]);
  expect(await message(goodStreams.twoChoices, 2)).toMatchObject([
    { index: 0, message: { content: "left" } },
    { index: 1, message: { content: "right side" }, finish_reason: "length" },
  ]);
  expect(await message(goodStreams.logprobs)).toMatchObject([
    { logprobs: { content: [{ token: "Hi", top_logprobs: [{ bytes: [72, 105] }] }] } },
  ]);
});

test.each(Object.entries(brokenStreams))("%s becomes no object", async (name, stream) => {
  const answer = await assemble(stream, name.startsWith("one of two") ? 2 : 1);
  expect(answer).toMatchObject({ end: "origin-error", body: null });
});

test("an answer over the size cap is refused, and the engine let go", async () => {
  expect(await assemble(goodStreams.vllmChat, 1, 10)).toMatchObject({ end: "origin-error", body: null });
});

test("a completions stream becomes a text_completion object", async () => {
  const answer = await assembleAnswer(
    streamOf(completionStream),
    { ...base, engineApi: "completions", shape: "completion", choices: 1, maxCharacters: 1000 },
    relay,
  );
  const body = JSON.parse(answer.body ?? "null") as unknown;
  expect(body).toMatchObject({
    object: "text_completion",
    choices: [{ text: chatText, finish_reason: "length" }],
  });
});

const engineJson = JSON.stringify({
  id: "chatcmpl-engine",
  object: "chat.completion",
  created: 1_760_000_000,
  model: "meta-llama/Llama",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "Hi", reasoning_content: "Hm", tool_calls: [], refusal: null },
      logprobs: null,
      finish_reason: "stop",
      stop_reason: null,
      token_ids: null,
    },
  ],
  usage: { prompt_tokens: 5, total_tokens: 9, completion_tokens: 4 },
  prompt_logprobs: null,
  kv_transfer_params: null,
});

test("an engine's JSON answer is rewritten like a stream", () => {
  const result = rewriteAnswer(engineJson, {
    ...base,
    engineApi: "chat",
    shape: "chat",
    price: { input: 1, output: 1 },
  });
  if (!result.ok) throw new Error(result.error);
  const body = JSON.parse(result.value.body) as unknown;
  expect(body).toMatchObject({
    id: "chatcmpl-ours",
    created: 1_760_000_000,
    model: "llama",
    usage: { total_tokens: 9, cost: 0.000009 },
  });
  expect(result.value.body).not.toMatch(/stop_reason|prompt_logprobs|engine|tool_calls/);
  expect(result.value.totals).toMatchObject({ basis: "exact", finishReasons: ["stop"] });
});

test.each([
  "",
  "[]",
  "{}",
  '{"error":{}}',
  '{"choices":[]}',
  '{"choices":[{"message":{},"finish_reason":"abort"}]}',
])("the engine's answer %j is none", (json) => {
  expect(rewriteAnswer(json, { ...base, engineApi: "chat", shape: "chat" }).ok).toBe(false);
});

test("a cached answer replays as the stream or the object it once was", async () => {
  for (const stream of [goodStreams.vllmChat, goodStreams.reasoning, goodStreams.toolCalls]) {
    const first = await assemble(stream);
    const cached = first.collected.toCached("llama", base.createdMs, first.totals.usage);
    if (cached === null) throw new Error("a complete answer can be kept");
    expect(JSON.parse(replayWhole(cached, "chat", base))).toEqual({
      ...(JSON.parse(first.body ?? "") as object),
      created: 1_700_000_000,
    });
    const replayed = await assemble(replayStream(cached, "openai-chat", { ...base, includeUsage: true }));
    expect(JSON.parse(replayed.body ?? "")).toEqual(JSON.parse(replayWhole(cached, "chat", base)));
    const text = replayStream(cached, "text", {
      ...base,
      includeUsage: false,
      price: { input: 0, output: 0 },
    });
    expect(text).toMatch(/"done":true,"tokens":\d+,.*"cost":0/);
  }
});
