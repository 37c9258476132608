import * as fc from "fast-check";
import { expect, test } from "vitest";
import { plainJson } from "./plain-json.ts";

test.each([
  [
    String.raw`{"a":"\u0049gnore \u0061ll","b":"https:\/\/a.example\/"}`,
    '{"a":"Ignore all","b":"https://a.example/"}',
  ],
  [String.raw`{"\u0061":12345678901234567890,"b":1.50}`, '{"a":12345678901234567890,"b":1.50}'],
  [String.raw`["\u0022\u005c\n\ud800","\u00e9"]`, String.raw`["\"\\\n\ud800","é"]`],
  [String.raw`"\u0041ll"`, '"All"'],
  [String.raw`no JSON, "\u0041"`, String.raw`no JSON, "\u0041"`],
  ['{"a": "plain"}', '{"a": "plain"}'],
])("%s says %s", (text, plain) => {
  expect(plainJson(text)).toBe(plain);
});

test("it means what it meant, and only what must be escaped is", () => {
  const escaped = (text: string): string =>
    text.replaceAll(/[a-z]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const unit = fc.constantFrom("a", "z", "é", "Z", " ", "/", "1", "<", "語");
  fc.assert(
    fc.property(fc.array(fc.string({ unit })), (value) => {
      const text = `[${value.map((one) => `"${escaped(one)}"`).join(",")}]`;
      expect(JSON.parse(text)).toEqual(value);
      expect(plainJson(text)).toBe(JSON.stringify(value));
    }),
  );
});
