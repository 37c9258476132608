import { expect, test } from "vitest";
import { model, mount } from "./workers-ai-fixture.ts";

test.each([
  ["AiError: 3040: Capacity temporarily exceeded, please try again.", 429],
  ["3036: You have used up your daily free allocation", 429],
  ["5007: No such model @cf/x or task", 404],
  ["3006: Request is too large", 413],
])("%s is status %i, without its words", async (message, status) => {
  const { chat } = mount(new Error(message));
  const response = await chat({});
  expect(response.status).toBe(status);
  expect(await response.text()).not.toContain(message.slice(-20));
});

test("an error without a known code is a connection that failed", async () => {
  const { chat } = mount(new Error("internal error; reference = abc"));
  await expect(chat({})).rejects.toThrow("internal error");
});

test.each([
  [{ n: 2 }],
  [{ logprobs: true }],
  [{ logit_bias: { "1": 5 } }],
  [{ tool_choice: "required" }],
  [{ structured_outputs: { regex: "a" } }],
  [{ allowed_token_ids: [1] }],
])("%j, which the binding has no word for, is refused and not ignored", async (body) => {
  const { runs, chat } = mount({ response: "x" });
  expect((await chat(body)).status).toBe(400);
  expect(runs).toEqual([]);
});

test("a JSON schema stands alone there, and an object comes out as text", async () => {
  const schema = { type: "object" };
  const { runs, chat } = mount({ response: { a: 1 } });
  const format = { type: "json_schema", json_schema: { name: "n", schema } };
  expect(await (await chat({ response_format: format })).json()).toMatchObject({
    choices: [{ message: { content: '{"a":1}' } }],
  });
  expect(runs[0]?.input).toMatchObject({ response_format: { type: "json_schema", json_schema: schema } });
});

test("plain completions go in raw, and embeddings as texts", async () => {
  const plain = mount({ response: " world" });
  expect(await (await plain.chat({ prompt: "Hello" }, "/v1/completions")).json()).toMatchObject({
    object: "text_completion",
    choices: [{ text: " world", finish_reason: "stop" }],
  });
  expect(plain.runs[0]?.input).toMatchObject({ prompt: "Hello", raw: true });
  const embedding = mount({ shape: [1, 2], data: [[0.1, 0.2]] });
  expect(await (await embedding.chat({ input: "a" }, "/v1/embeddings")).json()).toEqual({
    object: "list",
    model,
    data: [{ object: "embedding", index: 0, embedding: [0.1, 0.2] }],
  });
  expect(embedding.runs[0]?.input).toEqual({ text: ["a"] });
  // A vector of another length than was asked for would be found out much later.
  expect((await embedding.chat({ input: "a", dimensions: 1 }, "/v1/embeddings")).status).toBe(400);
  expect((await plain.chat({ prompt: "Hello", echo: true }, "/v1/completions")).status).toBe(400);
  expect(plain.runs).toHaveLength(1);
});

test("reranking goes in as contexts and comes out as scores by index", async () => {
  const { runs, chat } = mount({
    response: [
      { id: 1, score: 0.9 },
      { id: 0, score: 0.1 },
    ],
  });
  const asked = await chat({ query: "q", documents: ["a", "b"], top_n: 1 }, "/v1/rerank");
  expect(await asked.json()).toEqual({
    model,
    results: [
      { index: 1, relevance_score: 0.9 },
      { index: 0, relevance_score: 0.1 },
    ],
  });
  expect(runs[0]?.input).toEqual({ query: "q", contexts: [{ text: "a" }, { text: "b" }], top_k: 2 });
  for (const body of [{ query: "q", documents: [{ text: "a" }] }, { query: "q" }, { documents: ["a"] }])
    expect((await chat(body, "/v1/rerank")).status).toBe(400);
  expect((await mount({}).chat({ query: "q", documents: ["a"] }, "/v1/rerank")).status).toBe(502);
});
