import * as fc from "fast-check";
import { expect, test } from "vitest";
import { estimateTokens } from "../prompt/token-estimate.ts";
import { chunkText } from "./chunk.ts";

const small = { maxTokens: 100, overlapTokens: 50, kind: "plain" } as const;

function sentences(count: number, words = 12): string {
  return Array.from(
    { length: count },
    (_, at) => `Sentence ${at} ${"says something of note ".repeat(words / 4)}at its end. `,
  ).join("");
}

const piece = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.constantFrom("\n", "\n\n", "\r\n", ". ", "# Title\n", "## Part\n", "```\n", "   ", "😀", "。", "word "),
  fc.nat({ max: 300 }).map((count) => "x".repeat(count)),
  fc.nat({ max: 300 }).map((count) => "😀".repeat(count)),
);
const anyText = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""));

test("of any text: offsets are exact, order is the text's, nothing but white space is left out, no pair is split", () => {
  fc.assert(
    fc.property(
      anyText,
      fc.integer({ min: 100, max: 160 }),
      fc.integer({ min: 0, max: 50 }),
      fc.constantFrom("plain" as const, "markdown" as const),
      (text, maxTokens, overlapTokens, kind) => {
        let covered = 0;
        let before = -1;
        for (const { start, end, text: passage, headings } of chunkText(text, {
          maxTokens,
          overlapTokens,
          kind,
        })) {
          expect(text.slice(start, end)).toBe(passage);
          expect(passage.trim()).toBe(passage);
          expect(start).toBeGreaterThan(before);
          // What lies between two passages is white space.
          expect(text.slice(covered, Math.max(covered, start)).trim()).toBe("");
          expect(end).toBeGreaterThan(covered);
          expect(estimateTokens(passage)).toBeLessThanOrEqual(maxTokens);
          expect(Math.max(0, covered - start)).toBeLessThanOrEqual(overlapTokens * 12);
          if (text.isWellFormed()) expect(passage.isWellFormed()).toBe(true);
          for (const heading of headings) expect(heading.length).toBeLessThanOrEqual(200);
          before = start;
          covered = end;
        }
        expect(text.slice(covered).trim()).toBe("");
      },
    ),
    { numRuns: 1000 },
  );
});

test("what adds nothing but white space is no passage of its own", () => {
  const text = `${sentences(8)}${" ".repeat(2000)}`;
  const ends = chunkText(text, small).map(({ end }) => end);
  expect(ends.at(-1)).toBe(text.trimEnd().length);
  expect(new Set(ends).size).toBe(ends.length);
});

test("a short text is one passage, and an empty one none", () => {
  expect(chunkText("  Hello there.\n", small)).toEqual([
    { text: "Hello there.", start: 2, end: 14, headings: [] },
  ]);
  expect(chunkText(" \n\t ", small)).toEqual([]);
});

test("passages end with sentences and repeat whole ones", () => {
  const text = sentences(30);
  const passages = chunkText(text, small);
  expect(passages.length).toBeGreaterThan(5);
  for (const { text: passage } of passages) {
    expect(passage).toMatch(/^Sentence/);
    expect(passage).toMatch(/end\.$/);
  }
  for (let at = 1; at < passages.length; at += 1)
    expect(passages[at]?.start).toBeLessThan(passages[at - 1]?.end ?? 0);
  const apart = chunkText(text, { ...small, overlapTokens: 0 });
  for (let at = 1; at < apart.length; at += 1)
    expect(apart[at]?.start).toBeGreaterThanOrEqual(apart[at - 1]?.end ?? 0);
});

test("a paragraph that ends late in a passage ends it", () => {
  const text = `${sentences(4)}\n\n${sentences(4)}\n\n${sentences(4)}`;
  const [first] = chunkText(text, { maxTokens: 110, overlapTokens: 0, kind: "plain" });
  expect(first?.end).toBe(sentences(4).trimEnd().length);
});

test("sections of Markdown are told by their headings, and code's comments are none", () => {
  const body = sentences(2);
  const text = `Before.\n\n# Guide\n${body}\n## Setup ##\n${body}\n\`\`\`sh\n# no heading\n\`\`\`\n${body}\n## Use\n${body}\n# Other\n${body}`;
  const passages = chunkText(text, { ...small, kind: "markdown" });
  const under = (words: string) =>
    passages.filter(({ text: passage }) => passage.includes(words)).map(({ headings }) => headings.join("/"));
  expect(under("## Setup")).toContain("Guide/Setup");
  expect(under("# no heading")).toEqual(expect.arrayContaining(["Guide/Setup"]));
  expect(passages.map(({ headings }) => headings.join("/"))).toEqual(
    expect.arrayContaining(["Guide/Setup", "Guide/Use", "Other"]),
  );
  expect(passages.flatMap(({ headings }) => headings)).not.toContain("no heading");
  expect(chunkText(text, small).every(({ headings }) => headings.length === 0)).toBe(true);
});

test("seven marks, a hashtag and a line without end are no headings", () => {
  for (const line of ["####### seven", "#hashtag", `# ${"x".repeat(1000)}`])
    expect(
      chunkText(`${line}\ntext`, { ...small, kind: "markdown" }).flatMap(({ headings }) => headings),
    ).toEqual([]);
});

test("languages without blanks are cut at their own full stops", () => {
  const text = "今天天气很好。".repeat(200);
  const passages = chunkText(text, small);
  expect(passages.length).toBeGreaterThan(10);
  for (const { text: passage } of passages) expect(passage).toMatch(/^今.*。$/);
});

test.each([
  ["one word", "x"],
  ["full stops", "."],
  ["blanks", " "],
  ["line ends", "\n"],
  ["blank lines", "\n  "],
  ["emoji", "😀"],
  ["high surrogates", "\ud83d"],
  ["headings", "# a\n"],
  ["empty headings", "# \n"],
  ["fences", "```\n"],
  ["hashes", "#"],
  ["closing brackets", ")"],
  ["carriage returns", "\r"],
  ["digits", "1 "],
])(
  "a megabyte of %s is cut in one pass",
  (_, unit) => {
    const text = unit.repeat(Math.floor(1_000_000 / unit.length));
    const passages = chunkText(text, { maxTokens: 800, overlapTokens: 400, kind: "markdown" });
    for (const { start, end, text: piece } of passages) expect(text.slice(start, end)).toBe(piece);
  },
  // For hangs: half a second where nothing else runs; quadratic time would be many minutes.
  60_000,
);
