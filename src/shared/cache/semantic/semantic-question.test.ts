import { expect, test } from "vitest";
import { maxQuestionCharacters, semanticQuestion } from "./semantic-question.ts";

function asked(content: unknown) {
  return semanticQuestion({ messages: [{ role: "user", content }] });
}

test("a question is as long as it is read: characters that stand for many are as many", () => {
  expect(asked("a".repeat(maxQuestionCharacters))?.text).toHaveLength(maxQuestionCharacters);
  expect(asked("a".repeat(maxQuestionCharacters + 1))).toBeNull();
  expect(asked("\ufdfa".repeat(maxQuestionCharacters / 18))).not.toBeNull();
  expect(asked("\ufdfa".repeat(maxQuestionCharacters / 10))).toBeNull();
  expect(asked([{ type: "text", text: "\ufdfa".repeat(maxQuestionCharacters) }])).toBeNull();
});
