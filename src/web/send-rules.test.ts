import { expect, test } from "vitest";
import { judgeSend, maxMessageCharacters } from "./send-rules.ts";

test.each([
  ["nothing", ""],
  ["only blanks", "  \n "],
  ["something that is no text", 42],
  ["a text that is too long", "x".repeat(maxMessageCharacters + 1)],
])("%s is not sent, and says why", (_, draft) => {
  const verdict = judgeSend(draft, [], 0);
  expect(verdict.send).toBe(false);
  expect(verdict).toHaveProperty("why");
});

test("a message is sent without the blanks around it", () => {
  expect(judgeSend("  hello ", [], 0)).toEqual({ send: true, text: "hello" });
});

test("the seventh message within ten seconds waits until the first is ten seconds old", () => {
  const sentAtMs = [1000, 2000, 3000, 4000, 5000, 6000];
  expect(judgeSend("x", sentAtMs, 7000)).toMatchObject({
    send: false,
    why: expect.stringContaining("4 s") as string,
  });
  expect(judgeSend("x", sentAtMs, 11_000).send).toBe(true);
});

test("a clock that is set back by an hour holds nobody up for an hour", () => {
  expect(
    judgeSend(
      "x",
      [1, 2, 3, 4, 5, 6].map((second) => 3_600_000 + second * 1000),
      7000,
    ).send,
  ).toBe(true);
});
