import { expect, test } from "vitest";
import { utf8 } from "../../../test/workers/make-archive.ts";
import { longestReferences } from "./pdf-references.ts";

test.each([
  ["", 0],
  ["/Annots [6 0 R 7 0 R\n8 0 R]", 3],
  ["/Annots[6 0 R]/Kids[7 0 R 8 0 R]", 2],
  ["/Nums [0 5 0 R 1 6 0 R 2 7 0 R]", 0],
  ["1 0 obj 2 0 R", 1],
  ["RRR R 1 R", 0],
])("%s names %i in a row", (text, count) => {
  expect(longestReferences(utf8(text))).toBe(count);
});

test("a large file is looked through in one pass", () => {
  expect(longestReferences(utf8(`[${"6 0 R ".repeat(500_000)}`))).toBe(500_000);
  expect(longestReferences(utf8("1 ".repeat(2_000_000)))).toBe(0);
});
