import { describe, expect, test } from "vitest";
import type { Refusal } from "../contracts/refusal.ts";
import type { OriginFailure } from "../routing/ports.ts";
import { givesWay, named, refusalToTell } from "./refused-candidate.ts";

const down: OriginFailure = { kind: "origin-unavailable", retryAfterMs: 1000, detail: "refused" };
const full: OriginFailure = { kind: "overloaded", retryAfterMs: 1000 };
const wrong: OriginFailure = { kind: "origin-rejected", status: 400, detail: "status 400" };
const gone: OriginFailure = { kind: "client-gone" };
const tooLong = (windowTokens: number): OriginFailure => ({
  kind: "context-too-long",
  windowTokens,
  promptTokens: 9000,
  answerTokens: 1,
});
const plain: Refusal = { kind: "parameter-unsupported", param: "tools", message: "plain chats only" };

test("the next model is asked where one is down, full, or too small; not where the request is wrong", () => {
  for (const failure of [down, full, tooLong(8192)]) expect(givesWay(failure)).toBe(true);
  for (const failure of [wrong, gone]) expect(givesWay(failure)).toBe(false);
});

test.each([
  ["the last of several that are down", down, full, full],
  ["that the first is down, where what stands in for it can't do this", down, wrong, down],
  ["that the first is down, where what stands in for it is too small", full, tooLong(4096), full],
  ["that the second, which may be large enough, is down", tooLong(8192), down, down],
  ["the largest window", tooLong(8192), tooLong(32_768), tooLong(32_768)],
  ["the largest window, whichever came first", tooLong(32_768), tooLong(8192), tooLong(32_768)],
  ["the prompt's length rather than what a plain model lacks", tooLong(8192), plain, tooLong(8192)],
  ["the prompt's length, also behind a plain model", plain, tooLong(8192), tooLong(8192)],
  ["nothing, to a client that is gone", down, gone, gone],
] as const)("a client is told of %s", (_, before, now, told) => {
  expect(refusalToTell(null, before)).toEqual(before);
  expect(refusalToTell(before, now)).toEqual(told);
});

describe("what an engine leaves unsaid", () => {
  const body = (fields: object) => ({ body: JSON.stringify({ model: "m", ...fields }), promptTokens: 50 });
  const said = (words: string): OriginFailure => ({
    kind: "origin-rejected",
    status: 400,
    detail: `status 400 BadRequestError: ${words}`,
  });

  test.each([
    ["Failed to transform json schema into a grammar: …", { response_format: {} }, "response_format"],
    [
      "The provided JSON schema contains features not supported by xgrammar.",
      { response_format: {} },
      "response_format",
    ],
    ["Grammar error: Unknown type: …", { response_format: {}, tools: [] }, "response_format"],
    ["Either prompt or prompt_embeds must be provided and non-empty.", { prompt: "" }, "prompt"],
    ["Failed to transform regex into a grammar: …", { structured_outputs: {} }, "structured_outputs"],
    ["Failed to transform json schema into a grammar: …", { tools: [] }, "tools"],
    [
      "… tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set",
      { tools: [] },
      "tools",
    ],
    ["token_id(s) …", { logit_bias: {} }, undefined],
    ["logit_bias contains out of vocab token ids", { logit_bias: {} }, "logit_bias"],
    ["At most 0 image(s) may be provided in one prompt.", { messages: [] }, "messages"],
    ["Model … does not support matryoshka representation", { dimensions: 8 }, "dimensions"],
    ["cache_salt is too long", { cache_salt: "s" }, undefined],
    ["no", { response_format: {} }, undefined],
  ])("%s, with %o: %s", (words, fields, param) => {
    expect(named(said(words), body(fields))).toEqual({
      ...said(words),
      ...(param !== undefined && { param }),
    });
  });

  test("how long a prompt is that an engine did not count is told by our estimate, and by no less than is too long", () => {
    const uncounted = { ...tooLong(8192), promptTokens: 0 } as OriginFailure;
    expect(named(uncounted, body({}))).toMatchObject({ promptTokens: 8192 });
    expect(named(uncounted, { ...body({}), promptTokens: 10_000 })).toMatchObject({
      promptTokens: 10_000,
    });
    expect(named(tooLong(8192), body({}))).toEqual(tooLong(8192));
  });
});
