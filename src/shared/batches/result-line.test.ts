import * as fc from "fast-check";
import { expect, test } from "vitest";
import { answeredText, noTally, tallyOf, unexecutedText } from "./result-line.ts";

test("a line of a result file is one line of JSON, whatever stands in it", () =>
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.jsonValue(),
      fc.constantFrom(200, 400),
      (name, body, statusCode) => {
        const answered = { statusCode, requestId: "batch_req_x-1", body: JSON.stringify(body) };
        const text = answeredText("batch_req_x-1", name, answered);
        expect(text.indexOf("\n")).toBe(text.length - 1);
        expect(JSON.parse(text)).toEqual({
          id: "batch_req_x-1",
          custom_id: name,
          response: {
            status_code: statusCode,
            request_id: "batch_req_x-1",
            body: JSON.parse(answered.body) as unknown,
          },
          error: null,
        });
      },
    ),
  ));

test("what never began says why", () => {
  expect(JSON.parse(unexecutedText("r", "a", "expired"))).toMatchObject({
    custom_id: "a",
    response: null,
    error: { code: "batch_expired" },
  });
});

const details = { input: { cached_tokens: 3 }, output: { reasoning_tokens: 2 } };
test.for([
  [
    "a chat",
    {
      prompt_tokens: 10,
      completion_tokens: 5,
      prompt_tokens_details: details.input,
      completion_tokens_details: details.output,
    },
  ],
  [
    "a response",
    {
      input_tokens: 10,
      output_tokens: 5,
      input_tokens_details: details.input,
      output_tokens_details: details.output,
    },
  ],
] as const)("the tokens of %s are counted", ([, usage]) => {
  expect(tallyOf({ statusCode: 200, requestId: "r", body: JSON.stringify({ usage }) })).toEqual({
    completed: 1,
    failed: 0,
    inputTokens: 10,
    cachedTokens: 3,
    outputTokens: 5,
    reasoningTokens: 2,
  });
});

test("an error counts as failed, and no tokens", () => {
  expect(tallyOf({ statusCode: 429, requestId: "r", body: '{"error":{}}' })).toEqual({
    ...noTally,
    failed: 1,
  });
});
