import * as fc from "fast-check";
import { expect, test } from "vitest";
import { beginsBroken, beginsWithError, isBrokenText, isBrokenWhole, judge } from "./engine-error.ts";

const vllm = (message: string, code = 400) =>
  JSON.stringify({ error: { message, type: "BadRequestError", param: null, code } });

test.each([
  [400, "rejected"],
  [404, "lacking"],
  [413, "rejected"],
  [422, "rejected"],
  [429, "busy"],
  [301, "failed"],
  [401, "failed"],
  [403, "failed"],
  [408, "failed"],
  [500, "failed"],
  [503, "failed"],
] as const)("status %d is %s, whatever the body", (status, kind) => {
  for (const body of ["", "<html>", vllm("no", status), '{"detail":[{"input":"secret"}]}'])
    expect(judge(status, null, body, 0).kind).toBe(kind);
});

const notFound = (error: object) => JSON.stringify({ error: { message: "no", ...error } });

test.each([
  ["/v1/chat/completions", "", "lacking"],
  ["/v1/chat/completions", '{"detail":"Not Found"}', "lacking"],
  ["/v1/embeddings", notFound({ message: "The model `x` does not exist.", code: 404 }), "lacking"],
  ["/v1/embeddings", notFound({ type: "NotFoundError", code: 404 }), "lacking"],
  ["/v1/completions", notFound({ code: "model_not_found" }), "lacking"],
  ["/v1/completions", notFound({ message: 'model "x" not found, try pulling it first' }), "lacking"],
  ["/v1/completions", notFound({ message: "This is a chat model and not supported here" }), "rejected"],
  ["/v1/rerank", "404 page not found", "rejected"],
  ["/v1/completions", "\n<!DOCTYPE html><h1>404 Not Found</h1>", "lacking"],
  ["/v1/embeddings", "<html><center>nginx</center></html>", "lacking"],
  ["/v1/rerank", '{"detail":"Not Found"}', "rejected"],
] as const)("404 of %s with %s is %s: the model and the path are not the client's", (path, body, kind) => {
  expect(judge(404, null, body, 0, "openai", path).kind).toBe(kind);
  expect(judge(400, null, body, 0, "openai", path).kind).toBe("rejected");
});

test.each([
  ["2", 2000],
  ["Thu, 01 Jan 1970 00:00:05 GMT", 5000],
  ["soon", null],
  [null, null],
] as const)("Retry-After %j", (value, retryAfterMs) => {
  expect(judge(429, value, "", 0)).toMatchObject({ kind: "busy", retryAfterMs });
});

test.each([
  [
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8500 in the messages, 500 in the completion). Please reduce the length of the messages or completion.",
    8192,
    8500,
    500,
  ],
  [
    "'max_tokens' or 'max_completion_tokens' is too large: 1000. This model's maximum context length is 8192 tokens and your request has 8000 input tokens (1000 > 8192 - 8000). None",
    8192,
    8000,
    1000,
  ],
  [
    "The decoder prompt (length 9001) is longer than the maximum model length of 8192. Make sure…",
    8192,
    9001,
    0,
  ],
  [
    "This model's maximum context length is 4096 tokens. However, you requested 16 output tokens and your prompt contains at least 4081 input tokens, for a total of at least 4097 tokens.",
    4096,
    4081,
    16,
  ],
  [
    "You passed 99073 input tokens and requested 32000 output tokens. However, the model's context length is only 131072 tokens, resulting in a maximum input length of 99072 tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=99073)",
    131_072,
    99_073,
    32_000,
  ],
  [
    "You passed 900000 input characters and requested 100 output tokens. However, the model's context length is only 8192 tokens, resulting in a maximum input length of 8092 tokens (at most 809200 characters). Please reduce the length of the input prompt.",
    8192,
    0,
    100,
  ],
  [
    "max_tokens=9000cannot be greater than max_model_len=max_total_tokens=8192. Please request fewer output tokens.",
    8192,
    0,
    9000,
  ],
] as const)(
  "a prompt over the window is known by its words: %s",
  (message, windowTokens, promptTokens, answerTokens) => {
    expect(judge(400, null, vllm(message), 0)).toEqual({
      kind: "context-too-long",
      windowTokens,
      promptTokens,
      answerTokens,
    });
  },
);

test("an error under HTTP 200 counts by its own code", () => {
  const event = (code: number) => `data: ${vllm("no", code)}\n\n`;
  expect(judge(200, null, event(400), 0).kind).toBe("rejected");
  expect(judge(200, null, event(500), 0).kind).toBe("failed");
  expect(judge(200, null, event(429), 0).kind).toBe("busy");
  expect(judge(200, null, 'data: {"error": cut', 0).kind).toBe("failed");
});

test("the detail keeps the engine's words and nothing that it quotes of the request", () => {
  const secret = fc
    .stringMatching(/^[a-z]{12,20}$/)
    .filter((text) => !"unexpectedvalueforfield".includes(text));
  fc.assert(
    fc.property(secret, fc.constantFrom('"', "'", "`", "{", "[", "<"), (text, quote) => {
      const verdict = judge(400, null, vllm(`Unexpected value ${quote}${text} more ${text}`), 0);
      if (verdict.kind !== "rejected") throw new Error(verdict.kind);
      expect(verdict.detail).not.toContain(text);
      expect(verdict.detail).toContain("Unexpected value");
    }),
  );
});

test.each([
  ['data: {"error": {"message": "x"}}\n\n', true],
  ['data: {"error":"x"}\n\n', true],
  ['data:{"object":"error","message":"x"}\n\n', true],
  [': keep-alive\n\nevent: error\ndata: {"error":{', true],
  ['{"object": "error", "message": "x", "code": 400}', true],
  ['{"error":{"message":"x"}}', true],
  ['data: {"id":"chatcmpl-1","object":"chat.completion.chunk"}\n\n', false],
  ['data: {"object":"chat.completion.chunk","error":null}\n\n', false],
  ['{"id":"x","error":null}', false],
  ['{"error":null,"id":"x"}', false],
  ["data: [DONE]\n\n", false],
] as const)("%j begins with an error: %s", (text, expected) => {
  expect(beginsWithError(new TextEncoder().encode(text))).toBe(expected);
});

test.each([
  ['data: {"id":"chatcmpl-1"}\n\n', false],
  ['data: {"id":"chatcmpl-1"}\r\n\r\n', false],
  ['data: {"id":"chatcmpl-1","choices":[{"ind', false],
  ["data: [DONE]\n\n", false],
  [": keep-alive\n\n", false],
  ['event: message\ndata: {"id"', false],
  ['data: {"id":"chatcmpl-1","choices":[{"index":0,"del\n\n', true],
  ["data:\n\n", true],
  ["<html>Sign in</html>", true],
  ['{"id":"chatcmpl-1","object":"chat.completion"}', true],
  ["", true],
] as const)("as a stream %j begins broken: %s", (text, expected) => {
  expect(beginsBroken(new TextEncoder().encode(text))).toBe(expected);
});

test.each([
  ['{"id":"one","choices":[]}', false],
  [' {"id":"one"}\r\n', false],
  ["{}", false],
  ["", true],
  [" ", true],
  ['{"id":"one","choices":[{"index":0', true],
  ['"id":"one"}', true],
  ["<html>Sign in</html>", true],
  ["[]", true],
  ["null", true],
])("a whole answer %j is broken: %s", (text, broken) => {
  expect(isBrokenText(text)).toBe(broken);
  expect(isBrokenWhole(new TextEncoder().encode(text))).toBe(broken);
});
