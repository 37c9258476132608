import { expect, test } from "vitest";
import { documentBounds } from "./document-bounds.ts";
import { DocumentText } from "./document-text.ts";

test("pages begin where they do, empty ones included", () => {
  const text = new DocumentText("plain");
  for (const page of ["One", "", "Three", ""]) {
    text.beginPage();
    text.add(page);
  }
  const { text: all, pageStarts } = text.end();
  expect([all, pageStarts]).toEqual(["One\n\nThree", [0, 5, 5, 10]]);
});

test("what is no text is left away: controls, halves of characters, blanks", () => {
  const text = new DocumentText("plain");
  text.add(" a\u0000\u0007\ufeff\u00a0\n b\rc\u000bd\ud800 ");
  text.endParagraph();
  text.endParagraph();
  text.add(" ");
  expect(text.end().text).toBe("a b c d\ufffd");
});

test("every byte counts, those of line ends and of letters beyond ASCII", () => {
  const euros = new DocumentText("plain", 12);
  euros.add("€€€€");
  expect(() => euros.add("a")).toThrow("too-much-text");
  const lines = new DocumentText("plain", 4);
  lines.add("a");
  lines.endParagraph();
  lines.add("b");
  expect(() => lines.endLine()).toThrow("too-much-text");
  const astral = new DocumentText("plain", 4);
  astral.add("😀");
});

test("more pages than a document may have, and no text at all, are faults", () => {
  const text = new DocumentText("plain");
  for (let page = 0; page < documentBounds.pages; page += 1) text.beginPage();
  expect(() => text.end()).toThrow("no-text");
  expect(() => text.beginPage()).toThrow("too-many-pages");
});

test("what looks like a heading or a fence, and is none, is told so; in plain text nothing is", () => {
  for (const [kind, expected] of [
    ["markdown", "# Head\n\\# | Name\n#1\n\\```\n- # x"],
    ["plain", "# Head\n# | Name\n#1\n```\n- # x"],
  ] as const) {
    const text = new DocumentText(kind);
    for (const [line, prefix] of [
      ["Head", "# "],
      ["# | Name", ""],
      ["#1", ""],
      ["```", ""],
      ["# x", "- "],
    ] as const) {
      text.add(line);
      text.endLine(prefix);
    }
    expect(text.end()).toEqual({ kind, text: expected });
  }
});
