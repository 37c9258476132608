import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CitationScanner, type CitationMark } from "./citation-scanner.ts";

function marksOf(pieces: readonly string[], most = 12): CitationMark[] {
  const scanner = new CitationScanner(most);
  return pieces.flatMap((piece) => scanner.read(piece));
}

describe("what cites", () => {
  test.each([
    ["The sky is blue [1].", [[1, 16]]],
    [
      "Blue[1][2].",
      [
        [1, 4],
        [2, 7],
      ],
    ],
    [
      "Both [1, 3] and [2,4] .",
      [
        [1, 5],
        [3, 5],
        [2, 16],
        [4, 16],
      ],
    ],
    ["[ 12 ]", [[12, 0]]],
    ["[[1]]", [[1, 1]]],
    ["[1, 1]", [[1, 0]]],
    ["ünïcödé 😀 [2]", [[2, 11]]],
    ["``` [1] ``` [2]", [[2, 12]]],
    ["`list[1]` is it [1]", [[1, 16]]],
    ["a lone ` here\nand [1]", [[1, 18]]],
    ["```\nx[1]\n`\ny[2]\n```\nthen [3]", [[3, 25]]],
    ["~ ``a`b[1]`` [2]", [[2, 13]]],
    ["Write ``` to begin code [1].", []],
    ["Write ``` to begin code.\nThen [1].", [[1, 30]]],
    ["```\na[1] ``` b[2]\n```\n[3]", [[3, 22]]],
    ["~~~py\nx[1]\n~~~\n[2]", [[2, 15]]],
  ])("%j", (text, marks) => {
    expect(marksOf([text]).map(({ number, at }) => [number, at])).toEqual(marks);
  });
});

describe("what does not", () => {
  test.each([
    "[0]",
    "[13]",
    "[01]",
    "[1 2]",
    "[a1]",
    "[1a]",
    "[]",
    "[,1]",
    "[1,]",
    "[^1]",
    "1]",
    "[1",
    "[-1]",
    "[1.]",
    `[${" ".repeat(60)}1]`,
    "[\n1]",
    "```js\nlist[1]",
  ])("%j", (text) => {
    expect(marksOf([text])).toEqual([]);
  });
});

/** Texts of what matters to the scanner, cut anywhere. */
const texts = fc
  .array(
    fc.constantFrom(
      "[",
      "]",
      "1",
      "12",
      "0",
      ",",
      " ",
      "`",
      "``",
      "```",
      "\n",
      "a",
      "😀",
      "[1]",
      "[2, 3]",
      "x[4]",
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

test("however a text is cut, the same is found in it", () => {
  fc.assert(
    fc.property(texts, fc.array(fc.nat(80), { maxLength: 8 }), (text, cuts) => {
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, text.length)).toSorted((a, b) => a - b),
        text.length,
      ];
      const pieces = places.slice(1).map((end, at) => text.slice(places[at], end));
      expect(marksOf(pieces)).toEqual(marksOf([text]));
      expect(marksOf(text.split(""))).toEqual(marksOf([text]));
    }),
    { numRuns: 2_000 },
  );
});

test("outside of code it finds what a pattern finds in the whole", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const plain = text.replaceAll("`", "");
      const expected = [...plain.matchAll(/\[ *[1-9]\d* *(?:, *[1-9]\d* *)*\]/g)].flatMap((match) => {
        const numbers = (match[0].match(/\d+/g) ?? []).map(Number);
        return match[0].length > 48 || numbers.some((number) => number > 12)
          ? []
          : [...new Set(numbers)].map((number) => ({
              number,
              at: match.index,
              end: match.index + match[0].length,
            }));
      });
      expect(marksOf([plain])).toEqual(expected);
    }),
    { numRuns: 2_000 },
  );
});
