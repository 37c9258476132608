import { expect, test } from "vitest";
import { annotationOf, annotationsIn, type Citable, citationScanner } from "./citable.ts";

const citable: Citable = {
  passages: [
    { fileId: "file-1", filename: "a.md" },
    { fileId: "file-2", filename: "b.md" },
  ],
  sources: [{ url: "https://c.example/", title: "C" }],
  isJson: false,
};

test("passages are numbered first, the web behind them, and each is cited in its own form", () => {
  expect(annotationsIn("😀 So [1, 3], but [2] and not [4].", citable)).toEqual([
    { type: "file_citation", index: 6, file_id: "file-1", filename: "a.md" },
    { type: "url_citation", start_index: 6, end_index: 12, url: "https://c.example/", title: "C" },
    { type: "file_citation", index: 18, file_id: "file-2", filename: "b.md" },
  ]);
});

test("of a document with pages an annotation names the page", () => {
  const passages = [{ fileId: "file-1", filename: "a.pdf", page: 3 }];
  expect(annotationsIn("So [1].", { ...citable, passages })).toEqual([
    { type: "file_citation", index: 3, file_id: "file-1", filename: "a.pdf", page: 3 },
  ]);
});

test("where there is nothing to cite, nothing is looked for", () => {
  expect(citationScanner({ passages: [], sources: [], isJson: false })).toBeNull();
  expect(annotationsIn("[1]", { passages: [], sources: [], isJson: false })).toEqual([]);
  expect(annotationOf(citable, { number: 4, at: 0, end: 3 })).toBeNull();
});

test("a list of numbers in JSON cites nothing; what its strings say does", () => {
  const json = '{"years":[1, 2],"why":"As said [1]."}';
  expect(annotationsIn(json, { ...citable, isJson: true })).toMatchObject([{ index: 31 }]);
  expect(annotationsIn(json, citable)).toHaveLength(3);
});

test("of an answer that cites for ever so much is kept as a conversation has room for", () => {
  expect(annotationsIn("[1]".repeat(5000), citable)).toHaveLength(200);
  const sources = [{ url: `https://c.example/${"x".repeat(2000)}`, title: "C" }];
  const kept = annotationsIn("[3]".repeat(5000), { ...citable, sources });
  expect(JSON.stringify(kept).length).toBeLessThan(33_000);
  expect(kept.length).toBeGreaterThan(10);
});
