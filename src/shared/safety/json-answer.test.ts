import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerGuard } from "./answer-guard.ts";
import { type Guarded, guardPieces, policyOf, samples } from "./guard-fixture.ts";
import { screen } from "./screen.ts";

const mask = policyOf("mask");
const block = policyOf("block");
const flag = policyOf("flag");
const mixed = policyOf("mask", { email: "flag", iban: "block", "api-key": "off" });
const policies = [mask, block, flag, mixed];
const all = samples();

const guard = (pieces: readonly string[], policy = mask): Guarded => guardPieces(pieces, policy, true);

/** How a character of a string is written: as itself if JSON allows that, by its short escape, or by its number. */
type Way = "plain" | "short" | "lower" | "upper";
const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "/": "\\/",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function written(character: string, way: Way): string {
  const mustEscape = character < " " || character === '"' || character === "\\";
  const code = character.charCodeAt(0).toString(16).padStart(4, "0");
  const byNumber = `\\u${way === "upper" ? code.toUpperCase() : code}`;
  if (way === "plain" && !mustEscape) return character;
  return way === "lower" || way === "upper" ? byNumber : (short[character] ?? byNumber);
}

/** Each UTF-16 unit in the next of the ways, in turn. */
function writeJson(text: string, ways: readonly Way[]): string {
  return Array.from({ length: text.length }, (_, at) =>
    written(text.charAt(at), ways[at % ways.length] ?? "plain"),
  ).join("");
}

function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, turn = 0; at < text.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
}

test.each([
  ["alice\\u0040example.com", "[e-mail address]"],
  ["\\u0061lice@example\\u002ecom", "[e-mail address]"],
  ["alice\\u0040example.com\\nbob\\u0040example.com", "[e-mail address]\\n[e-mail address]"],
  ["4111\\u00201111\\u00201111\\u00201111", "[card number]"],
  ["4111\\u002d1111\\u002D1111-1111", "[card number]"],
  ["\\u0034111111111111111", "[card number]"],
  // The letter of the escape before it does not belong to a word.
  ["card:\\n4111111111111111\\t", "card:\\n[card number]\\t"],
  ["\\/4111111111111111\\/", "\\/[card number]\\/"],
  ["\\nalice@example.com", "\\n[e-mail address]"],
  ["\\u00e9t\\u00E9@example.com", "[e-mail address]"],
  ["DE89\\u00203704\\u00200044\\u00200532\\u00200130\\u002000", "[IBAN]"],
  // A literal backslash, and text after it that only looks like an escape.
  ["alice\\\\u0040example.com", "alice\\\\u0040example.com"],
  ["C:\\\\4111111111111111", "C:\\\\[card number]"],
  ['\\"alice@example.com\\"', '\\"[e-mail address]\\"'],
])("%s in an answer's JSON reads %s", (value, expected) => {
  const text = `{"a":"${value}"}`;
  const masked = `{"a":"${expected}"}`;
  for (const size of [text.length, 1, 2, 3, 5]) expect(guard(cut(text, [size])).released).toBe(masked);
  expect(() => JSON.parse(masked) as unknown).not.toThrow();
});

test("text that is not JSON is read without escapes", () => {
  const text = "C:\\new\\u0040 alice\\u0040example.com";
  expect(screen(text, mask)).toEqual({ text, spans: [], action: "off" });
});

test("a number outside strings is masked by a string, so that the answer stays JSON", () => {
  const text = '{"card": 4111111111111111, "a\\"b": [4111111111111111,"4111111111111111"]}';
  const masked = '{"card": "[card number]", "a\\"b": ["[card number]","[card number]"]}';
  for (const size of [text.length, 1, 4]) expect(guard(cut(text, [size])).released).toBe(masked);
});

test.each(["\\", "a\\u00", "\\x41", "\\u12zz", "\\u12\\u0041", "\\ud83d\\ude00 \\ud83d", "a@b.co\\u00"])(
  "an escape that never ends, or is none of JSON's, is text: %s",
  (said) => {
    const text = `"${said}`;
    for (const policy of policies)
      expect({ ...guard(cut(text, [1]), policy), mostHeld: 0 }).toEqual({
        ...guard([text], policy),
        mostHeld: 0,
      });
    expect(guard([text]).released).toBe(text.replace("a@b.co", "[e-mail address]"));
  },
);

test("under a policy that only flags nothing is held back, not even an incomplete escape", () => {
  const text = '{"a":"x \\u0041\\n alice\\u0040example.com \\u00';
  expect(guard(cut(text, [1]), flag)).toMatchObject({
    released: text,
    mostHeld: 0,
    spans: [{ kind: "email" }],
  });
});

describe.each(all)("$kind $value", ({ kind, value }) => {
  test.each<readonly [string, readonly Way[]]>([
    ["every character is an escape", ["lower"]],
    ["escapes where they must be", ["plain"]],
    ["every third is an escape", ["plain", "short", "upper"]],
  ])("%s: no character leaves, wherever the stream is cut", (_, ways) => {
    const before = '{"to":"';
    const escaped = writeJson(value, ways);
    const behind = '","n":1}';
    const text = before + escaped + behind;
    expect(guard([text], flag).spans).toMatchObject([
      { start: before.length, end: before.length + escaped.length, kind },
    ]);
    const masked = guard([text]).released;
    expect(masked.startsWith(`${before}[`) && masked.endsWith(`]${behind}`)).toBe(true);
    const cuts = [cut(text, [1]), cut(text, [4])];
    for (let at = 1; at < text.length; at += 1) cuts.push([text.slice(0, at), text.slice(at)]);
    for (const pieces of cuts) {
      expect(guard(pieces).released).toBe(masked);
      expect(guard(pieces, block)).toMatchObject({ released: before, blocked: true });
    }
  });
});

const values = all.map((sample) => sample.value);
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...values),
      fc
        .tuple(fc.constantFrom(...values), fc.nat(80), fc.nat(80))
        .map(([value, a, b]) => value.slice(Math.min(a, b), Math.max(a, b))),
      fc.constantFrom(" ", "\n", "\\", '"', "/", ".", "@", "-", "sk-", "eyJ", "3.", "de", "é", "😀", "u0040"),
      fc.string({ unit: "grapheme", maxLength: 4 }),
    ),
    { maxLength: 6 },
  )
  .map((fragments) => fragments.join(""));
const anyWays = fc.array(fc.constantFrom<Way>("plain", "short", "lower", "upper"), {
  minLength: 1,
  maxLength: 9,
});
const anySizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 12 });

test("a stream of escapes gets the verdict of their meaning, over 10,000 random texts, ways to write them, and cuts", () => {
  fc.assert(
    fc.property(anyText, anyWays, anySizes, fc.constantFrom(...policies), (text, ways, sizes, policy) => {
      const json = `"${writeJson(text, ways)}"`;
      const whole = guard([json], policy);
      const streamed = guard(cut(json, sizes), policy);
      expect({ ...streamed, mostHeld: 0 }).toEqual({ ...whole, mostHeld: 0 });
      const meant = screen(`"${text}"`, policy);
      expect(whole.spans.map(({ kind, action }) => [kind, action])).toEqual(
        meant.spans.map(({ kind, action }) => [kind, action]),
      );
      for (const [at, { start, end }] of whole.spans.entries()) {
        const span = meant.spans[at];
        // A private key that is never closed continues after the string.
        const found = JSON.parse(`"${json.slice(start, Math.min(end, json.length - 1))}"`);
        expect(found).toBe(text.slice((span?.start ?? 0) - 1, (span?.end ?? 0) - 1));
      }
      if (!whole.blocked && meant.text.endsWith('"'))
        expect(JSON.parse(whole.released)).toBe(meant.text.slice(1, -1));
    }),
    { numRuns: 10_000 },
  );
});

test("JSON without escapes is judged like plain text, over 10,000 random texts", () => {
  fc.assert(
    fc.property(anyText, anySizes, fc.constantFrom(...policies), (drawn, sizes, policy) => {
      const text = `"${drawn.replaceAll(/["\\]/g, "")}`;
      expect(guard(cut(text, sizes), policy)).toEqual(guardPieces(cut(text, sizes), policy));
    }),
    { numRuns: 10_000 },
  );
});

test("held-back escapes are bounded for any input", () => {
  for (const unit of ["\\", "\\u", "\\u00", "\\u0040", "\\u0061", "\\\\", '\\"', "\\n"])
    expect(guard(cut(unit.repeat(2000), [1])).mostHeld, unit).toBeLessThanOrEqual(6 * (64 + 1 + 256));
});

test("a whole answer of a million escapes is read in time that grows with its length", () => {
  const text = `"${"\\u0061\\n".repeat(500_000)}alice\\u0040example.com"`;
  expect(guard([text]).spans).toHaveLength(1);
});

test("tool calls are always JSON, content if requested, reasoning and refusals never", () => {
  const said = '{"to":"alice\\u0040example.com"}';
  const heard = (lane: Parameters<AnswerGuard["push"]>[0], contentIsJson: boolean): boolean => {
    const lanes = new AnswerGuard(mask, { contentIsJson });
    return `${lanes.push(lane, said)}${lanes.flush(lane)}` !== said;
  };
  expect([heard("0/call/0", false), heard("1/call/12", true)]).toEqual([true, true]);
  expect([heard("0/content", true), heard("0/content", false)]).toEqual([true, false]);
  expect([heard("0/reasoning", true), heard("0/refusal", true)]).toEqual([false, false]);
});
