import { expect, test } from "vitest";
import { AnswerCollector } from "../stream/answer-collector.ts";
import { createEncoder } from "../stream/answer-encoder.ts";
import { citingAnswer } from "./citing-encoder.ts";
import type { Grounding } from "./ground.ts";

const passage = { fileId: "f", filename: "a.md", attributes: {}, ordinal: 0, start: 0, end: 5, score: 1 };
const grounding: Grounding = { queries: ["q"], passages: [{ ...passage, text: "Blue." }], fault: null };

const encoderOf = (told: AnswerCollector | null, choices: number) =>
  citingAnswer(
    createEncoder("openai-chat", { id: "c", model: "m", createdSeconds: 1, includeUsage: false }),
    grounding,
    told,
    { choices, format: "openai-chat", contentIsJson: false },
  );

test("of several answers the last to end says what they cite, also where an earlier run told the end of some", () => {
  const whole = encoderOf(null, 2);
  whole.content(0, '"Blue [1]."');
  expect(whole.finish(0, "stop")).not.toContain("citations");
  expect(whole.finish(1, "stop")).toContain('"citations":[{"index":1,');
  const told = new AnswerCollector(1000, false);
  told.content(0, "Blue [1].");
  told.finish(0, "stop");
  told.content(1, "So");
  expect(encoderOf(told, 2).finish(1, "stop")).toContain('"citations":[{"index":1,');
});
