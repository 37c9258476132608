import { afterEach, expect, test, vi } from "vitest";
import { demoSession, turnEvents } from "./api.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test.each([
  ["cut off", () => new ReadableStream({ start: (body) => body.error(new TypeError("cut off")) })],
  ["no JSON", () => "<html>"],
])("a demo sign-in whose answer is %s has failed, and is no click that nothing comes of", async (_, body) => {
  vi.stubGlobal("fetch", async () => new Response(body()));
  expect(await demoSession()).toBeNull();
});

test("a chunk that says what the answer cites tells it before the end", () => {
  const citation = {
    index: 1,
    file_id: "file-1",
    filename: "a.md",
    start: 0,
    end: 4,
    score: 1,
    text: "Blue",
  };
  const chunk = { choices: [{ delta: {}, finish_reason: "stop" }], citations: [citation, "no citation"] };
  expect(turnEvents(JSON.stringify(chunk))).toEqual([
    { type: "cited", sources: [{ index: 1, filename: "a.md", text: "Blue" }] },
    { type: "finished", reason: "stop" },
  ]);
  expect(turnEvents(JSON.stringify({ ...chunk, citations: [] }))).toEqual([
    { type: "finished", reason: "stop" },
  ]);
});
