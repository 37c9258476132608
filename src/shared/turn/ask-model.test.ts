import { expect, test } from "vitest";
import { writeWholeAnswer } from "../stream/whole-answer.ts";
import { textOf } from "./ask-model.ts";

const answer = (content: string | null, finishReason: string): string =>
  writeWholeAnswer(
    {
      id: "chatcmpl-1",
      model: "m",
      createdSeconds: 1,
      choices: [{ content, reasoning: null, toolCalls: [], finishReason }],
      usage: { promptTokens: 1, completionTokens: 1, cachedTokens: 0, reasoningTokens: 0 },
      price: undefined,
    },
    "chat",
  );

test("what a model of ours was asked is its answer's text, also where its length has cut it", () => {
  expect(textOf(answer("Tides", "stop"))).toEqual({ ok: true, value: "Tides" });
  expect(textOf(answer("Tides and", "length"))).toEqual({ ok: true, value: "Tides and" });
  expect(textOf(answer(null, "stop"))).toEqual({ ok: true, value: "" });
});

test("one that the policy for answers has stopped is none: half a summary would stand for all that was said", () => {
  expect(textOf(answer("Ann wants to know", "content_filter"))).toMatchObject({
    ok: false,
    error: { kind: "content-refused" },
  });
});
