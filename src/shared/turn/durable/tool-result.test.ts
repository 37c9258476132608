import { expect, test } from "vitest";
import type { WebSource } from "../../grounding/citable.ts";
import type { ToolBox } from "../../tools/tool-box.ts";
import type { Passage } from "../../tools/server-tool.ts";
import { cutTo } from "../../tools/run-call.ts";
import { ToldRoom, toldOf } from "./tool-result.ts";

const page = (name: string, text = `Of ${name}.`): Passage => ({
  url: `https://${name}.example/`,
  title: name.toUpperCase(),
  text,
});

type Box = Pick<ToolBox, "mostCharacters" | "screened" | "results" | "cut">;

function box(mostCharacters = 8000, blocked: readonly string[] = []): Box {
  return {
    mostCharacters,
    screened: (text) => Promise.resolve(text),
    results: (results) =>
      Promise.resolve(
        results
          .filter(({ title }) => !blocked.includes(title))
          .map((read) => ({ read, shown: { url: read.url, title: read.title } })),
      ),
    cut: (text, most = mostCharacters) => cutTo(text, most),
  };
}

const told = (passages: readonly Passage[], sources: WebSource[], own = box(), room = new ToldRoom()) =>
  toldOf({ text: "", passages }, own, room, { passages: 0, sources });

test("a result that is blocked has no number, is no source, and takes no other with it", async () => {
  const sources: WebSource[] = [];
  const made = await told([page("a"), page("bad"), page("c")], sources, box(8000, ["BAD"]));
  expect(made.isGood).toBe(true);
  expect(made.text).toContain("[1] A (https://a.example/)\nOf a.");
  expect(made.text).toContain("[2] C (https://c.example/)\nOf c.");
  expect(made.text).not.toContain("bad");
  expect(sources.map(({ title }) => title)).toEqual(["A", "C"]);
});

test("where all are blocked the search is refused, and nothing can be cited", async () => {
  const sources: WebSource[] = [];
  expect(await told([page("bad")], sources, box(8000, ["BAD"]))).toEqual({
    isGood: false,
    text: "The call was refused: its answer may not be shown.",
  });
  expect(await told([], sources)).toEqual({ isGood: true, text: "Nothing was found." });
  expect(sources).toEqual([]);
});

test("what the model is not told of for want of room is no source", async () => {
  const sources: WebSource[] = [];
  const made = await told([page("a"), page("b", "x".repeat(400)), page("c")], sources, box(300));
  expect(made.text).toContain("[1] A");
  expect(made.text).toMatch(/\(2 more were found, for which there is no room\.\)$/);
  expect(sources.map(({ title }) => title)).toEqual(["A"]);
  // One that is too long by itself is cut: something was found.
  const cut = await told([page("a", "x".repeat(400))], sources, box(300));
  expect(cut.text).toHaveLength(300);
  expect(sources).toHaveLength(2);
});

test("a search for which the answer has no room left leaves no sources", async () => {
  const sources: WebSource[] = [];
  const room = new ToldRoom();
  room.add("x".repeat(149_950));
  expect(await told([page("a")], sources, box(), room)).toMatchObject({ isGood: false });
  expect(sources).toEqual([]);
});

test("two searches at once number one behind the other, whichever ends first", async () => {
  const sources: WebSource[] = [];
  const [first, second] = await Promise.all([told([page("a")], sources), told([page("b")], sources)]);
  expect([first?.text, second?.text].join()).toContain("[2] B");
  expect(sources.map(({ title }) => title)).toEqual(["A", "B"]);
});
