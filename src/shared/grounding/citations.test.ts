import { expect, test } from "vitest";
import type { FoundPassage } from "../retrieval/passage.ts";
import { CitedPassages, citationsIn, withCitations } from "./citations.ts";

function passage(ordinal: number, text = `Text ${ordinal}.`): FoundPassage {
  return {
    fileId: `file-${ordinal}`,
    filename: `${ordinal}.md`,
    attributes: { secret: "never told" },
    ordinal,
    text,
    start: 10 * ordinal,
    end: 10 * ordinal + text.length,
    score: 0.5,
  };
}

test("only what is cited is told, once, by its number", () => {
  const passages = [passage(0), passage(1), passage(2)];
  expect(citationsIn([{ content: "So [3], and [1], and [3] again. Not [4]." }], passages, false)).toEqual([
    { index: 1, file_id: "file-0", filename: "0.md", start: 0, end: 7, score: 0.5, text: "Text 0." },
    { index: 3, file_id: "file-2", filename: "2.md", start: 20, end: 27, score: 0.5, text: "Text 2." },
  ]);
});

test("what several choices cite is told together, and a mark is not made of two choices' pieces", () => {
  const cited = new CitedPassages([passage(0), passage(1)], false);
  cited.read(0, "[");
  cited.read(1, "1]");
  expect(cited.citations()).toEqual([]);
  cited.read(0, "2]");
  cited.read(1, " [1]");
  expect(cited.citations().map(({ index }) => index)).toEqual([1, 2]);
});

test("a choice without text cites nothing", () => {
  expect(citationsIn([{ content: null }], [passage(0)], false)).toEqual([]);
});

test("a passage is shown by 300 characters of its beginning, none of them half", () => {
  const long = `${"a".repeat(299)}😀${"b".repeat(100)}`;
  const [citation] = citationsIn([{ content: "[1]" }], [passage(0, long)], false);
  expect(citation?.text).toBe("a".repeat(299));
  expect(citation?.end).toBe(long.length);
});

test("they are an object's last member", () => {
  const [citation] = citationsIn([{ content: "[1]" }], [passage(0, 'a "quoted" } text')], false);
  const json = withCitations('{"id":"a","usage":{"x":{}}}', citation === undefined ? [] : [citation], {
    passages: [],
    fault: null,
  });
  expect(JSON.parse(json)).toMatchObject({ id: "a", citations: [{ text: 'a "quoted" } text' }] });
});

test("where a search was late, it is said beside them, since nothing cited looks like nothing found", () => {
  const json = withCitations('{"id":"a"}', [], { passages: [passage(0)], fault: "late" });
  expect(JSON.parse(json)).toEqual({ id: "a", citations: [], retrieval: { passages: 1, complete: false } });
  expect(withCitations('{"id":"a"}', [], { passages: [], fault: null })).not.toContain("retrieval");
  const lame = withCitations('{"id":"a"}', [], { passages: [], fault: null, lacking: ["rerank"] });
  expect(JSON.parse(lame)).toMatchObject({
    retrieval: { passages: 0, complete: false, lacking: ["rerank"] },
  });
});
