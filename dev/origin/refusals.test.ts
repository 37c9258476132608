import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFleet, type RunningFleet, type RunningReplica } from "./fleet.ts";
import { answerOf, chat, llama, post, qwen } from "./testing.ts";

let fleet: RunningFleet;
let replica: RunningReplica;
beforeAll(async () => {
  fleet = await startFleet({ basePort: 0, replicas: 1, ttftMs: 0, tokenMs: 0 });
  const first = fleet.replicas[0];
  if (first === undefined) throw new Error("no replica was started");
  replica = first;
});
afterAll(async () => fleet.stop());

const tool = { type: "function", function: { name: "look", parameters: { type: "object", properties: {} } } };
const image = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };
const schema = (value: unknown) => ({
  response_format: { type: "json_schema", json_schema: { name: "x", schema: value } },
});
const call = (name: string) => ({ id: name, type: "function", function: { name, arguments: "{}" } });

test.each([-9_223_372_036_854_774_784, 2 ** 53, 9_223_372_036_854_774_784])(
  "a seed of 64 bits (%d) is taken, as vLLM takes it, and several answers differ",
  async (seed) => {
    const answer = await answerOf(
      await post(replica, "/v1/chat/completions", chat("x", { seed, n: 2, temperature: 0.5 })),
    );
    const [first, second] = answer.choices;
    expect(first?.message.content).not.toBe(second?.message.content);
  },
);

describe("what vLLM refuses is refused, in its form", () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ["a temperature below 0", chat("x", { temperature: -1 }), /temperature must be non-negative/],
    ["a temperature over 2", chat("x", { temperature: 2.1 }), /temperature must be in \[0, 2\]/],
    ["top_p 0", chat("x", { top_p: 0 }), /top_p must be in \(0, 1\]/],
    ["top_k -2", chat("x", { top_k: -2 }), /top_k must be 0/],
    ["min_p over 1", chat("x", { min_p: 1.5 }), /min_p must be in/],
    ["a penalty over 2", chat("x", { presence_penalty: 3 }), /presence_penalty must be in/],
    ["repetition_penalty 0", chat("x", { repetition_penalty: 0 }), /greater than zero/],
    ["n 0", chat("x", { n: 0 }), /n must be at least 1/],
    ["n 2 when greedy", chat("x", { n: 2, temperature: 0 }), /greedy sampling/],
    ["max_tokens 0", chat("x", { max_tokens: 0 }), /max_tokens must be at least 1/],
    [
      "min_tokens over max_tokens",
      chat("x", { max_tokens: 2, min_tokens: 3 }),
      /less than or equal to max_tokens=2/,
    ],
    ["an empty stop string", chat("x", { stop: [""] }), /stop cannot contain an empty string/],
    ["half a seed", chat("x", { seed: 0.5 }), /seed/],
    ["a seed of 65 bits", chat("x", { seed: 2 ** 64 }), /seed/],
    ["a word for a number", chat("x", { temperature: "hot" }), /temperature/],
    ["a word for a flag", chat("x", { stream: "yes please" }), /stream/],
    [
      "stream options without a stream",
      chat("x", { stream_options: { include_usage: true } }),
      /`stream=True`/,
    ],
    ["top_logprobs without logprobs", chat("x", { top_logprobs: 2 }), /`logprobs` must be set to true/],
    ["21 top_logprobs", chat("x", { logprobs: true, top_logprobs: 21 }), /greater than max allowed: 20/],
    ["a logit bias for a word", chat("x", { logit_bias: { hello: 1 } }), /integer token IDs/],
    ["no messages", { model: llama, messages: [] }, /messages/],
    ["an unknown role", { model: llama, messages: [{ role: "wizard", content: "x" }] }, /role/],
    ["an empty tools array", chat("x", { tools: [] }), /must not be an empty array/],
    ["tool_choice without tools", chat("x", { tool_choice: "auto" }), /`tools` must be set/],
    [
      "an unknown tool_choice",
      chat("x", { tools: [tool], tool_choice: "maybe" }),
      /Invalid value for `tool_choice`/,
    ],
    [
      "a named tool that was not offered",
      chat("x", { tools: [tool], tool_choice: { type: "function", function: { name: "other" } } }),
      /does not match any/,
    ],
    [
      "an image for a model without eyes",
      { model: llama, messages: [{ role: "user", content: [image] }] },
      /not a multimodal model/,
    ],
    [
      "an unknown part",
      { model: llama, messages: [{ role: "user", content: [{ type: "smell" }] }] },
      /Unknown part type/,
    ],
    [
      "json_schema without a schema",
      chat("x", { response_format: { type: "json_schema" } }),
      /must be provided/,
    ],
    ["a schema of an unknown type", chat("x", schema({ type: "thing" })), /Unsupported type/],
    ["a schema that refers to nothing", chat("x", schema({ $ref: "#/$defs/gone" })), /Cannot find field/],
    ["a schema that demands too much", chat("x", schema({ type: "string", minLength: 1e9 })), /minLength/],
    [
      "a pattern that explodes",
      chat("x", schema({ type: "string", pattern: "((a{999}){999}){999}" })),
      /not supported/,
    ],
    ["an empty cache_salt", chat("x", { cache_salt: "" }), /cache_salt/],
    ["continuing with a generation prompt", chat("x", { continue_final_message: true }), /Cannot set both/],
    [
      "two tool calls in one of Llama's turns",
      {
        model: llama,
        messages: [
          { role: "user", content: "x" },
          { role: "assistant", content: null, tool_calls: [call("a"), call("b")] },
        ],
      },
      /single tool-calls at once/,
    ],
    [
      "tool arguments that are no JSON",
      {
        model: qwen,
        messages: [
          { role: "user", content: "x" },
          { role: "assistant", tool_calls: [{ ...call("a"), function: { name: "a", arguments: "{" } }] },
        ],
      },
      /Expecting value/,
    ],
    ["a prompt over the window", chat("word ".repeat(33_000)), /maximum context length is 32768 tokens/],
    [
      "an answer over the window",
      chat("x", { max_tokens: 32_768 }),
      /maximum context length is 32768 tokens/,
    ],
    [
      "a chat with an embedding model",
      { ...chat("x"), model: "BAAI/bge-small-en-v1.5" },
      /does not support Chat/,
    ],
  ])("%s", async (_, body, message) => {
    const response = await post(replica, "/v1/chat/completions", body);
    const { error } = await answerOf(response);
    expect(response.status).toBe(400);
    expect(error).toMatchObject({ code: 400, message: expect.stringMatching(message) as string });
    expect(error?.type).toMatch(/^Bad ?Request(Error)?$/);
    expect(error).toHaveProperty("param");
  });

  test.each<[string, string, unknown, number]>([
    ["an unknown model", "/v1/chat/completions", { ...chat("x"), model: "gpt-9" }, 404],
    ["an unknown route", "/v1/chat/nonsense", {}, 404],
    ["a body that is no JSON", "/v1/chat/completions", "{", 400],
    ["a prompt of nothing", "/v1/completions", { model: llama, prompt: "" }, 400],
    ["a suffix", "/v1/completions", { model: llama, prompt: "x", suffix: "y" }, 400],
    ["token ids out of the vocabulary", "/v1/completions", { model: llama, prompt: [3] }, 400],
    ["embeddings of a chat model", "/v1/embeddings", { model: llama, input: "x" }, 400],
    [
      "other dimensions",
      "/v1/embeddings",
      { model: "BAAI/bge-small-en-v1.5", input: "x", dimensions: 8 },
      400,
    ],
    [
      "an input over the window",
      "/v1/embeddings",
      { model: "BAAI/bge-small-en-v1.5", input: "word ".repeat(600) },
      400,
    ],
    [
      "a rerank without documents",
      "/v1/rerank",
      { model: "BAAI/bge-reranker-v2-m3", query: "x", documents: [] },
      400,
    ],
  ])("%s", async (_, path, body, status) => {
    const response = await post(replica, path, body);
    expect(response.status).toBe(status);
    expect((await answerOf(response)).error?.code).toBe(status);
  });

  test("a wrong method and a wrong media type", async () => {
    expect((await fetch(`${replica.url}/v1/chat/completions`)).status).toBe(405);
    const plain = await fetch(`${replica.url}/v1/chat/completions`, { method: "POST", body: "{}" });
    expect(plain.status).toBe(400);
  });
});

test("an id that is still running is refused, and taken again when it is over", async () => {
  replica.setFaults({ fault: "stall_before_first" });
  const gone = new AbortController();
  const send = (signal?: AbortSignal) =>
    fetch(`${replica.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-request-id": "twice" },
      body: JSON.stringify(chat("x", { stream: true })),
      ...(signal === undefined ? {} : { signal }),
    });
  expect((await send(gone.signal)).status).toBe(200);
  replica.setFaults();
  const second = await send();
  expect(second.status).toBe(400);
  expect((await answerOf(second)).error?.message).toBe("Request id chatcmpl-twice already running.");
  gone.abort();
  await expect.poll(async () => (await send()).status).toBe(200);
});

test("unknown fields are ignored, as vLLM does", async () => {
  const response = await post(replica, "/v1/chat/completions", chat("x", { made_up: 1 }));
  expect(response.status).toBe(200);
  await response.body?.cancel();
});

test("media are recorded and never fetched", async () => {
  const url = "http://127.0.0.1:9/never.png";
  const content = [
    { type: "text", text: "What is this?" },
    { type: "image_url", image_url: { url } },
  ];
  const response = await post(replica, "/v1/chat/completions", {
    model: qwen,
    messages: [{ role: "user", content }],
  });
  expect((await answerOf(response)).choices[0]?.message.content).toContain("1 media part");
  expect(replica.requests().at(-1)?.media_urls).toEqual([url]);
});
