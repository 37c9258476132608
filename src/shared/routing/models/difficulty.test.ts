import * as fc from "fast-check";
import { expect, test } from "vitest";
import { difficulty, traitNames, traits } from "./difficulty.ts";

const plain = { earlierMessages: 0, hasMedia: false };

test("is between 0 and 1, finite, and the same each time, for any text", () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 6000 }),
      fc.nat(500),
      fc.boolean(),
      (text, earlierMessages, hasMedia) => {
        const question = { text, earlierMessages, hasMedia };
        const score = difficulty(question);
        return score >= 0 && score <= 1 && score === difficulty(question);
      },
    ),
  );
});

test("a small errand is easy, a proof is difficult", () => {
  expect(difficulty({ ...plain, text: "What is the capital of Australia?" })).toBeLessThan(0.1);
  expect(
    difficulty({ ...plain, text: "Prove by induction that every tree with n vertices has n - 1 edges." }),
  ).toBeGreaterThan(0.5);
});

test.each([
  ["Übersetze: guten Tag", "errand"],
  ["¿Por qué? Dime por qué.", "reasoning"],
  ["Évalue ces arguments", "reasoning"],
  ["Erkläre das", "reasoning"],
] as const)("a word that begins or ends with no letter of ASCII counts: %s (%s)", (text, trait) => {
  expect(traits({ ...plain, text })[trait]).toBe(1);
});

test("an image, and a longer conversation, make the same words harder", () => {
  const text = "What do you make of it?";
  const score = difficulty({ ...plain, text });
  expect(difficulty({ text, earlierMessages: 0, hasMedia: true })).toBeGreaterThan(score);
  expect(difficulty({ text, earlierMessages: 12, hasMedia: false })).toBeGreaterThan(score);
});

test("no trait counts without bound: a word repeated is no harder, and a text of any length is looked at in part", () => {
  expect(traits({ ...plain, text: "why ".repeat(900) }).reasoning).toBe(1);
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("why", "prove", "sql", "must", "7", "1) a\n", "?"), { maxLength: 3000 }),
      (parts) => {
        const counted = traits({ text: parts.join(" "), earlierMessages: 1e9, hasMedia: true });
        return traitNames.every((trait) => counted[trait] >= 0 && counted[trait] <= 5);
      },
    ),
  );
  const middle = "a".repeat(10_000);
  expect(traits({ ...plain, text: `Hi ${middle}${"prove why ".repeat(5)}${middle}` }).mathematics).toBe(0);
});
