import { describe, expect, test } from "vitest";
import { answersOf, buildEngineCompletionBody, parseCompletionRequest } from "./completions-request.ts";
import { buildEngineEmbeddingBody, parseEmbeddingRequest } from "./embeddings-request.ts";

const options = {
  servedName: "meta/llama",
  stream: true,
  streamUsage: true,
  continuousUsage: true,
  cacheSalt: "salt",
  maxTokens: 16,
};

function completion(fields: Record<string, unknown>) {
  return parseCompletionRequest(JSON.stringify({ model: "auto", prompt: "Once", ...fields }));
}

describe("plain completions", () => {
  test("the engine gets what it may, and not what stays here", () => {
    const result = completion({
      user: "u",
      best_of: 1,
      echo: true,
      stream: true,
      top_p: 0,
      length_penalty: 1,
    });
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    expect(JSON.parse(buildEngineCompletionBody(result.value, options))).toEqual({
      model: "meta/llama",
      prompt: "Once",
      echo: true,
      top_p: 0.000_001,
      max_tokens: 16,
      stream: true,
      stream_options: { include_usage: true, continuous_usage_stats: true },
      cache_salt: "salt",
    });
  });
  test("the least length is no more than the longest that the model may give", () => {
    const result = completion({ max_tokens: 1000, min_tokens: 500 });
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    expect(JSON.parse(buildEngineCompletionBody(result.value, { ...options, maxTokens: 100 }))).toMatchObject(
      {
        max_tokens: 100,
        min_tokens: 100,
      },
    );
  });
  test("without a stream nothing of one is asked for", () => {
    const result = completion({});
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    expect(
      JSON.parse(buildEngineCompletionBody(result.value, { ...options, stream: false, cacheSalt: null })),
    ).toEqual({ model: "meta/llama", prompt: "Once", max_tokens: 16 });
  });
  test("answers are counted over all prompts", () => {
    const result = completion({ prompt: ["a", "b", "c"], n: 2 });
    expect(result.ok && answersOf(result.value)).toBe(6);
  });
  test.each<[Record<string, unknown>, string, string]>([
    [{ prompt: [1, 2, 3] }, "value-invalid", "prompt[0]"],
    [{ prompt: null }, "value-invalid", "prompt"],
    [{ prompt: "\ud800" }, "value-invalid", "prompt"],
    [{ prompt: ["a", "b", "c", "d", "e"], n: 4 }, "value-invalid", "n"],
    [{ suffix: "end" }, "parameter-unsupported", "suffix"],
    [{ best_of: 3 }, "parameter-unsupported", "best_of"],
    [{ prompt_embeds: "AA" }, "parameter-unsupported", "prompt_embeds"],
    [{ cache_salt: "x" }, "parameter-unsupported", "cache_salt"],
    [{ messages: [] }, "parameter-unsupported", "messages"],
    [{ max_tokens: 0 }, "value-invalid", "max_tokens"],
    [{ min_tokens: 17 }, "value-invalid", "min_tokens"],
    [{ logprobs: true }, "value-invalid", "logprobs"],
    [{ stream_options: {} }, "value-invalid", "stream_options"],
  ])("%j is refused", (fields, kind, param) => {
    expect(completion(fields)).toMatchObject({ ok: false, error: { kind, param } });
  });
});

describe("embeddings", () => {
  test.each([["one"], [["one", "two"]], [[1, 2]], [[[1], [2, 3]]]])("%j is an input", (input) => {
    const result = parseEmbeddingRequest(JSON.stringify({ model: "embed", input, user: "u" }));
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    expect(JSON.parse(buildEngineEmbeddingBody(result.value, "bge"))).toEqual({ model: "bge", input });
  });
  test.each<[Record<string, unknown>, string, string]>([
    [{ input: "" }, "value-invalid", "input"],
    [{ input: [] }, "value-invalid", "input"],
    [{ input: ["a", 1] }, "value-invalid", "input[1]"],
    [{ input: null }, "value-invalid", "input"],
    [{ input: "a", dimensions: 0 }, "value-invalid", "dimensions"],
    [{ input: "a", encoding_format: "hex" }, "value-invalid", "encoding_format"],
    [{ input: "a", priority: 1 }, "parameter-unsupported", "priority"],
    [{ input: "a", temperature: 1 }, "parameter-unknown", "temperature"],
  ])("%j is refused", (fields, kind, param) => {
    expect(parseEmbeddingRequest(JSON.stringify({ model: "embed", ...fields }))).toMatchObject({
      ok: false,
      error: { kind, param },
    });
  });
});
