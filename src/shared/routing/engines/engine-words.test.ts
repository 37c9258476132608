import { expect, test } from "vitest";
import { engineWords } from "./engine-words.ts";

test.each([
  ["'temperature' must be below 2", "… must be below 2"],
  ["can't parse 'my secret'", "can't parse …"],
  ["can't parse 'the users' secret' at all", "can't parse … at all"],
  ['no room for "He said "hi" there", sorry', "no room for …, sorry"],
  ["unexpected `secret", "unexpected …"],
  ["it isn't so", "it isn't so"],
  ['Invalid call: {"q":"secret"} of it', "Invalid call: …"],
  ["a\n\n  b", "a b"],
  ["", ""],
])("%j is told as %j", (text, told) => {
  expect(engineWords(text)).toBe(told);
});
