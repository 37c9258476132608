import { afterEach, expect, test, vi } from "vitest";
import { demoSession, failureIn, turnEvents } from "./api.ts";

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
  const model = "llama-3.1-8b";
  const choices = [{ delta: {}, finish_reason: "stop" }];
  const chunk = { model, choices, citations: [citation, "no citation"] };
  expect(turnEvents(JSON.stringify(chunk))).toEqual([
    { type: "cited", sources: [{ index: 1, filename: "a.md", text: "Blue" }] },
    { type: "finished", reason: "stop", model },
  ]);
  expect(turnEvents(JSON.stringify({ choices, citations: [] }))).toEqual([
    { type: "finished", reason: "stop", model: "" },
  ]);
});

test.each([
  [401, "<html>Sign in to the proxy</html>", 502],
  [404, "<html>Not found</html>", 502],
  [404, '{"message":"no route"}', 502],
  [404, '{"error":{"message":"There is no such conversation."}}', 404],
  [401, '{"error":{"message":"expired","code":"invalid_token"}}', 401],
  [413, "<html>Request entity too large</html>", 413],
  [429, "", 429],
  [503, "<html>", 503],
])(
  "a %i with %j is taken for %i: no page of a proxy says that a chat is deleted or a session ended",
  async (status, body, taken) => {
    expect((await failureIn(new Response(body, { status }))).status).toBe(taken);
  },
);
