import { expect, test } from "vitest";
import { isLong } from "./said.tsx";

test.each([
  ["a question", "Why is the sky blue?", false],
  ["a few paragraphs", `${"word ".repeat(200)}\n\n${"word ".repeat(100)}`, false],
  ["as many lines as are shown", "a\n".repeat(23), false],
  ["one line more", "a\n".repeat(24), true],
  ["one long line", "x".repeat(30_000), true],
  ["lines without a word", "\n".repeat(30_000), true],
])("%s: whether it is folded", (_, text, expected) => {
  expect(isLong(text)).toBe(expected);
});
