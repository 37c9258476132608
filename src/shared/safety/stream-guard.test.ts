import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { guardPieces, policyOf, samples } from "./guard-fixture.ts";
import { screen } from "./screen.ts";
import { spanKinds } from "./span.ts";

const mask = policyOf("mask");
const block = policyOf("block");
const flag = policyOf("flag");
const all = samples();

const before = "Write to ";
const behind = ", or call (555) 0100 today.";

function chunks(text: string, size: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size));
  return pieces;
}

test("there are a hundred values or more, of every kind", () => {
  expect(all.length).toBeGreaterThanOrEqual(100);
  for (const kind of spanKinds)
    expect(all.filter((sample) => sample.kind === kind).length).toBeGreaterThan(4);
});

describe.each(all)("$kind $value", ({ kind, value }) => {
  const text = before + value + behind;

  test("is found whole, and nothing else is", () => {
    const { spans } = screen(text, flag);
    expect(spans).toEqual([
      {
        start: before.length,
        end: before.length + value.length,
        kind,
        action: "flag",
        source: expect.any(String),
      },
    ]);
  });

  test("no character leaves, wherever the stream is cut", () => {
    const masked = screen(text, mask).text;
    expect(masked.startsWith(`${before}[`) && masked.endsWith(`]${behind}`)).toBe(true);
    const cuts = [[text], chunks(text, 1), chunks(text, 3)];
    for (let at = 1; at < text.length; at += 1) cuts.push([text.slice(0, at), text.slice(at)]);
    for (const pieces of cuts) {
      expect(guardPieces(pieces, mask).released).toBe(masked);
      const stopped = guardPieces(pieces, block);
      expect(stopped.released).toBe(before);
      expect(stopped.blocked).toBe(true);
      expect(guardPieces(pieces, flag).released).toBe(text);
    }
  });

  test("no character leaves where it is the text's end", () => {
    const pieces = chunks(before + value, 2);
    expect(guardPieces(pieces, block).released).toBe(before);
    expect(guardPieces(pieces, mask).released).toMatch(/^Write to \[[^\]]+\]$/);
  });
});

const fragment = fc.oneof(
  fc.constantFrom(...all.map((sample) => sample.value)),
  fc
    .tuple(fc.constantFrom(...all.map((sample) => sample.value)), fc.nat(80), fc.nat(80))
    .map(([value, a, b]) => value.slice(Math.min(a, b), Math.max(a, b))),
  fc.constantFrom(
    " ",
    "\n",
    ".",
    "@",
    "-",
    "-----",
    "sk-",
    "eyJ",
    "3.",
    "Hello",
    "de",
    "字",
    "é",
    "😀",
    ",",
    "=",
    "_",
  ),
  fc.string({ unit: "grapheme", maxLength: 4 }),
  fc.stringMatching(/^[0-9 -]{1,24}$/),
);
const anyText = fc.array(fragment, { maxLength: 7 }).map((fragments) => fragments.join(""));
const mixed = policyOf("mask", { email: "flag", iban: "block", "api-key": "off" });

test("the verdict on the stream is the verdict on the whole text, over 10,000 random cuts", () => {
  const cutting = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(anyText, cutting, fc.constantFrom(mask, block, flag, mixed), (text, sizes, policy) => {
      const pieces: string[] = [];
      for (let at = 0, turn = 0; at < text.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        pieces.push(text.slice(at, at + size));
        at += size;
      }
      const whole = screen(text, policy);
      const streamed = guardPieces(pieces, policy);
      expect(streamed.spans).toEqual(whole.spans);
      expect(streamed.released).toBe(whole.text);
      expect(streamed.blocked).toBe(whole.action === "block");
    }),
    { numRuns: 10_000 },
  );
});

test("spans are in order, apart, inside the text, and masking changes nothing else", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const { spans } = screen(text, flag);
      let at = 0;
      for (const span of spans) {
        expect(span.start).toBeGreaterThanOrEqual(at);
        expect(span.end).toBeGreaterThan(span.start);
        at = span.end;
      }
      expect(at).toBeLessThanOrEqual(text.length);
      const kept = spans.reduceRight((rest, span) => rest.slice(0, span.start) + rest.slice(span.end), text);
      const unmasked = screen(text, mask).text;
      expect(unmasked.length - kept.length).toBeGreaterThanOrEqual(spans.length === 0 ? 0 : 5 * spans.length);
      if (spans.length === 0) expect(unmasked).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

test("ordinary text is held by no more than the word that is being written, and not at all when only flagged", () => {
  const prose =
    "In 2024 the sky-high price fell by 3.75 % - to 1 200 euros; see e.g. de Vries (1998), sketch 12-34. ".repeat(
      20,
    );
  const held = guardPieces(chunks(prose, 4), mask);
  expect(held.released).toBe(prose);
  expect(held.spans).toEqual([]);
  expect(held.mostHeld).toBeLessThanOrEqual(16);
  expect(guardPieces(chunks(prose, 4), flag).mostHeld).toBe(0);
});

test("whatever comes, what is held back is bounded", () => {
  const hostile = ["@", "a", "a".repeat(70), "-", "4", "eyJ", "sk-", "AKIa", "a@", "de", "1 ", "-----BEGIN "];
  for (const unit of hostile) {
    const { mostHeld, spans } = guardPieces(chunks(unit.repeat(400), 1), mask);
    expect(spans).toEqual([]);
    expect(mostHeld, unit).toBeLessThanOrEqual(64 + 1 + 256);
  }
});

test.each([
  ["a number with a wrong check digit", "4532015112830367"],
  ["a number of no issuer", "1234567812345670"],
  ["a decimal", "0.4532015112830366"],
  ["a number in a word", "id4532015112830366"],
  ["a longer number", "45320151128303660000000000"],
  ["a list of numbers", "45 32 01 51 12 83 03 66"],
  ["a date and time", "2024-05-17 12:34:56"],
  ["a wrong IBAN", "DE89370400440532013001"],
  ["an IBAN that goes on", "NO93860111179470x"],
  ["a handle", "@alice and bob@home"],
  ["a version", "react@19.3.1"],
  ["an English word", "sk-learn-is-a-library-for-machine-learning"],
  ["a public key", `${"-".repeat(5)}BEGIN PUBLIC KEY${"-".repeat(5)}`],
  ["base64 of JSON", "eyJmb28iOiJiYXIiLCJiYXoiOjEyMywicXV4IjpbMSwyLDNdfQ"],
  ["a ruler", "-".repeat(80)],
])("%s is nobody's secret", (_, text) => {
  expect(screen(`x ${text} y`, flag).spans).toEqual([]);
});

test("a private key that is never closed does not silence the rest of the answer for ever", () => {
  const text = `${"-".repeat(5)}BEGIN PRIVATE KEY${"-".repeat(5)}\n${"word ".repeat(3_000)}end`;
  const { released } = guardPieces(chunks(text, 7), mask);
  expect(released.startsWith("[private key]")).toBe(true);
  expect(released.endsWith("word end")).toBe(true);
  expect(text.length - released.length).toBeLessThan(8_300);
});

test("a kind that is off is not looked for, and one that is on is found beside it", () => {
  const text = "a@b.co 4532015112830366";
  const { text: masked } = screen(text, policyOf("off", { "payment-card": "mask" }));
  expect(masked).toBe("a@b.co [card number]");
});

test("behind a block nothing leaves any more", () => {
  expect(guardPieces(["mail a@b.co ", "and more", " and more"], block).released).toBe("mail ");
});
