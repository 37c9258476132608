import { expect, test } from "vitest";
import { turnEvents } from "./api.ts";
import { keptSources, withQuotes } from "./kept-sources.ts";

const file = (index: number, filename: string) => ({ type: "file_citation", index, file_id: "f", filename });

test("a mark's number is the one that its text says, each once, in their order", () => {
  const part = {
    text: "😀 Red [2], blue [ 1, 3 ] and [2].",
    annotations: [
      file(7, "b.md"),
      file(17, "a.md"),
      { type: "url_citation", start_index: 17, end_index: 25, url: "https://c.example/", title: "C" },
      file(30, "b.md"),
    ],
  };
  expect(keptSources(part)).toEqual([
    { index: 1, filename: "a.md", text: "" },
    { index: 2, filename: "b.md", text: "" },
    { index: 3, filename: "C", text: "", url: "https://c.example/" },
  ]);
});

test("a document's page is named behind a reload as it is live, and what it says there stays to be seen once the turn is saved", () => {
  const citation = { index: 1, filename: "a.pdf", page: 3, text: "Red." };
  const [cited] = turnEvents(JSON.stringify({ choices: [{ delta: {} }], citations: [citation] }));
  const seen = cited?.type === "cited" ? cited.sources : [];
  expect(seen).toEqual([citation]);
  const text = "Red [1].";
  const kept = keptSources({ text, annotations: [{ ...file(4, "a.pdf"), page: 3 }] });
  expect(kept).toEqual([{ ...citation, text: "" }]);
  expect(withQuotes(kept, seen)).toEqual(seen);
  // Annotations stored by older code have no page.
  expect(withQuotes(keptSources({ text, annotations: [file(4, "a.pdf")] }), seen)).toEqual(seen);
});

test("what is no annotation, stands at no mark, or was kept by older code cites nothing", () => {
  expect(keptSources({ text: "[1]" })).toEqual([]);
  expect(keptSources({ text: "[1]", annotations: [] })).toEqual([]);
  expect(keptSources({ text: "Red [1]", annotations: [null, "x", file(0, "a.md"), { type: "?" }] })).toEqual(
    [],
  );
});

test("what a file says stays to be seen as long as the page knows it, and is no other file's", () => {
  const seen = [
    { index: 1, filename: "a.md", text: "Red." },
    { index: 2, filename: "b.md", text: "Blue." },
  ];
  const kept = [
    { index: 1, filename: "a.md", text: "" },
    { index: 2, filename: "other.md", text: "" },
  ];
  expect(withQuotes(kept, seen)).toEqual([seen[0], kept[1]]);
  expect(withQuotes(undefined, seen)).toBe(seen);
});
