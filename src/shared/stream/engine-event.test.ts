import { expect, test } from "vitest";
import { readEngineEvent } from "./engine-event.ts";
import { rewriteAnswer } from "./rewrite-answer.ts";

const said = "my secret";

test.each([
  [
    "vLLM's error",
    { error: { message: `Invalid tool call: {"q":"${said}"}`, type: "InternalServerError", code: 500 } },
    "the engine says: InternalServerError 500 Invalid tool call: …",
  ],
  [
    "its older form",
    { object: "error", message: `can't parse '${said}'`, type: "BadRequestError", code: 400 },
    "the engine says: BadRequestError 400 can't parse …",
  ],
  ["an error that is text", { error: `no room for "${said}"` }, "the engine says: no room for …"],
  ["an error of another form", { error: [said] }, "the engine says:"],
  ["a chunk of another form", { choices: { 0: { delta: { content: said } } } }, "an event is no chunk"],
  [
    "an answer that has none",
    { choices: [], prompt: said, error: { message: `"${said}"` } },
    "the engine says: …",
  ],
])("of %s the log has what it says, and nothing of what it quotes", (_what, value, detail) => {
  expect(readEngineEvent(JSON.stringify(value), "chat")).toEqual({ kind: "failure", detail });
});

test.each([
  { choices: [], prompt: said },
  { error: { message: `"${said}"`, code: 500 } },
  { object: "error", message: `"${said}"`, code: 500 },
])("nor of a whole one that is no answer: %j", (value) => {
  const read = rewriteAnswer(JSON.stringify(value), {
    engineApi: "chat",
    shape: "chat",
    id: "chatcmpl-1",
    model: "m",
    createdMs: 0,
    promptTokens: 1,
  });
  expect(read).toMatchObject({
    ok: false,
    error: expect.stringMatching(/^(no answer|the engine says: 500)/) as string,
  });
  expect(JSON.stringify(read)).not.toContain(said);
});
