import * as fc from "fast-check";
import { expect, test } from "vitest";
import { guardPieces, policyOf, samples } from "./guard-fixture.ts";
import { applyMasks } from "./masks.ts";
import { screen } from "./screen.ts";

/** Text in another script, or with invisible characters, counts as what its reader sees. */
const mask = policyOf("mask");
const block = policyOf("block");
const flag = policyOf("flag");
const mixed = policyOf("mask", { email: "flag", iban: "block", "api-key": "off" });

const digitsFrom =
  (zero: number) =>
  (text: string): string =>
    text.replace(/\d/g, (digit) => String.fromCodePoint(zero + Number(digit)));
const wide = (text: string): string =>
  text.replace(/[0-9A-Za-z@._+-]/g, (one) => String.fromCharCode(one.charCodeAt(0) + 0xfee0));
const between =
  (sign: string) =>
  (text: string): string =>
    Array.from(text).join(sign);

const disguises: readonly (readonly [string, (text: string) => string])[] = [
  ["Arabic-Indic digits", digitsFrom(0x660)],
  ["Persian digits", digitsFrom(0x6f0)],
  ["Devanagari digits", digitsFrom(0x966)],
  ["Thai digits", digitsFrom(0xe50)],
  ["digits of mathematics", digitsFrom(0x1d7ce)],
  ["wide forms", wide],
  ["zero-width spaces", between("\u200b")],
  ["soft hyphens", between("\u00ad")],
  ["marks of direction", between("\u202d")],
  ["joiners and byte order marks", between("\u2060\ufeff")],
  ["variation selectors", between("\ufe0f")],
  ["tags", between("\u{e0041}")],
];
/** Without private keys: PEM is read as bytes. */
const values = samples().filter(({ kind }) => kind !== "private-key");

test.each(disguises)("values in %s are found whole, wherever the stream is cut", (_, disguise) => {
  for (const { kind, value } of values) {
    const disguised = disguise(value);
    const text = `Write to ${disguised}, or call.`;
    const { spans } = screen(text, flag);
    expect(spans, value).toEqual([
      { start: 9, end: 9 + disguised.length, kind, action: "flag", source: expect.any(String) },
    ]);
    const masked = screen(text, mask).text;
    expect(masked).toMatch(/^Write to \[[^\]]+\], or call\.$/);
    const spansToMask = spans.map((span) => ({ ...span, action: "mask" as const }));
    expect(applyMasks(text, spansToMask)).toBe(masked);
    for (const size of [1, 3]) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      expect(guardPieces(pieces, mask).released).toBe(masked);
      expect(guardPieces(pieces, block).released).toBe("Write to ");
      expect(guardPieces(pieces, flag)).toMatchObject({ released: text, mostHeld: 0 });
    }
  }
});

const shown = "[e-mail address]";
test.each([
  ["иван@пример.рф", shown],
  ["δοκιμή@παράδειγμα.δοκιμή", shown],
  ["علي@مثال.السعودية", shown],
  ["trần.thị@ví-dụ.vn", shown],
  ["ნინო@მაგალითი.გე", shown],
  ...["josé@example.com", "jörg.müller@müller.de", "trần.thị@ví-dụ.vn"].map((address) => [
    address.normalize("NFD"),
    shown,
  ]),
  // Letters that look like Latin ones.
  ["аlіce@exаmple.com", shown],
  ["ali\u00adce@exam\u00adple.com", shown],
  // Words separated by the script's own punctuation.
  ["بريد،alice@example.com", `بريد،${shown}`],
  ["请发到alice@example.com，谢谢", `请发到${shown}，谢谢`],
  ["карта4111111111111111", "карта[card number]"],
  ["４１１１\u3000１１１１\u3000１１１１\u3000１１１１", "[card number]"],
  // Invisible characters stay where nothing was found, and after a finding.
  ["\u200fشكرا 👍\ufe0f 4111\u200f", "\u200fشكرا 👍\ufe0f 4111\u200f"],
  ["4111111111111111\u200f!", "[card number]\u200f!"],
])("%s reads %s", (text, expected) => {
  expect(screen(text, mask).text).toBe(expected);
  expect(guardPieces(Array.from(text), mask).released).toBe(expected);
});

test.each([
  ['{"a":-4111111111111111}', '{"a":"[card number]"}'],
  ['{"a":4111111111111111.50}', '{"a":"[card number]"}'],
  ['[4111111111111111e0,"4111111111111111"]', '["[card number]","[card number]"]'],
  ['{"a": 4111111111111111}', '{"a": "[card number]"}'],
  ['{"a":"\\u0664\\u200b111111111111111"}', '{"a":"[card number]"}'],
  ['{"a":"\\u200b\\"4111111111111111"}', '{"a":"\\u200b\\"[card number]"}'],
])("%s stays JSON: %s", (text, expected) => {
  const whole = screen(text, mask, true);
  expect(whole.text).toBe(expected);
  expect(applyMasks(text, whole.spans, true)).toBe(expected);
  expect(() => JSON.parse(expected) as unknown).not.toThrow();
  for (const size of [1, 2, 3, 5]) {
    const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
    expect(guardPieces(pieces, mask, true).released).toBe(expected);
  }
});

const signs = [
  "\u200b",
  "\u00ad",
  "\u202d\u202c",
  "\ufe0f",
  "\u{e0041}",
  "\u200b".repeat(400),
  "\ud835",
  "\udb40",
];
const fragment = fc.oneof(
  fc
    .tuple(fc.constantFrom(...values.map(({ value }) => value)), fc.constantFrom(...disguises), fc.nat(90))
    .map(([value, [, disguise], end]) => disguise(value).slice(0, end)),
  fc.constantFrom(
    ...signs,
    " ",
    "\n",
    ".",
    "@",
    "-",
    '"',
    "\\",
    "\\u",
    "\\u0664",
    "\\u200b",
    "字",
    "é",
    "😀",
  ),
  fc.string({ unit: "grapheme", maxLength: 4 }),
);

test("a stream of them gets the same verdict as the whole text, over 10,000 random cuts, and unmasked text is unchanged", () => {
  fc.assert(
    fc.property(
      fc.array(fragment, { maxLength: 6 }).map((fragments) => fragments.join("")),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom(mask, block, flag, mixed),
      fc.boolean(),
      (text, sizes, policy, isJson) => {
        const pieces: string[] = [];
        for (let at = 0, turn = 0; at < text.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          pieces.push(text.slice(at, at + size));
          at += size;
        }
        const whole = screen(text, policy, isJson);
        const streamed = guardPieces(pieces, policy, isJson);
        expect(streamed.spans).toEqual(whole.spans);
        expect(streamed.released).toBe(whole.text);
        expect(streamed.blocked).toBe(whole.action === "block");
        if (whole.action !== "block") expect(applyMasks(text, whole.spans, isJson)).toBe(whole.text);
      },
    ),
    { numRuns: 10_000 },
  );
});

test("held-back text is bounded, however many invisible characters come", () => {
  for (const sign of signs) {
    const { mostHeld, released } = guardPieces(Array.from(`a@b${sign.repeat(600)} c`), mask);
    expect(mostHeld, JSON.stringify(sign)).toBeLessThanOrEqual(255 * 200);
    expect(released).toBe(`a@b${sign.repeat(600)} c`);
  }
  expect(guardPieces(Array.from("\u200b".repeat(5_000)), mask).mostHeld).toBeLessThanOrEqual(192 + 1);
});
