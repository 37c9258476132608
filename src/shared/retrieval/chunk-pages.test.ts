import { expect, test } from "vitest";
import { chunkPages } from "./chunk-pages.ts";
import { chunkText } from "./chunk.ts";

const bounds = { maxTokens: 100, overlapTokens: 50 };
const long = "A sentence of some words stands here. ".repeat(30).trim();

test("a passage is on one page, whose number it has; empty pages have none", () => {
  const pages = ["One.", "", long, "# Four\n\nFour."];
  const text = pages.join("\n\n");
  const pageStarts = pages.map((_, at) => pages.slice(0, at).reduce((sum, page) => sum + page.length + 2, 0));
  const passages = chunkPages({ text, kind: "markdown", pageStarts }, bounds);
  expect(new Set(passages.map(({ page }) => page))).toEqual(new Set([1, 3, 4]));
  for (const { start, end, text: said } of passages) expect(text.slice(start, end)).toBe(said);
  const third = passages.filter(({ page }) => page === 3);
  expect(third.map(({ text: said }) => said)).toEqual(
    chunkText(long, { ...bounds, kind: "markdown" }).map(({ text: said }) => said),
  );
  expect(third.length).toBeGreaterThan(1);
  expect(passages.at(-1)).toMatchObject({ headings: ["Four"], page: 4 });
});

test("a text without pages is cut as one text", () => {
  const passages = chunkPages({ text: long, kind: "plain" }, bounds);
  expect(passages).toEqual(chunkText(long, { ...bounds, kind: "plain" }));
  expect(passages[0]).not.toHaveProperty("page");
});
