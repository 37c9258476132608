import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readEngineEvent } from "./engine-event.ts";
import { isTooDeep } from "./nesting.ts";
import { rewriteAnswer } from "./rewrite-answer.ts";

function levelsOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(levelsOf));
}

test("a text is too deep exactly when its value is, whatever its strings hold", () => {
  const key = fc.string({ unit: fc.constantFrom("a", "[", "}", '"', "\\") });
  const { value: json } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 6 }, key, tie("list"), tie("object")),
    list: fc.array(tie("value"), { maxLength: 3 }),
    object: fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  }));
  fc.assert(
    fc.property(json, fc.integer({ min: 0, max: 6 }), (value, most) => {
      expect(isTooDeep(JSON.stringify(value), most)).toBe(levelsOf(value) > most);
    }),
    { numRuns: 500 },
  );
});

const depth = 10_000;
const nest = (open: string, close: string): string => `${open.repeat(depth)}1${close.repeat(depth)}`;
const deep = {
  lists: nest("[", "]"),
  objects: nest('{"a":', "}"),
  thoughts: nest('[{"type":"thinking","thinking":', "}]"),
};
/** What an engine says of a choice, with the mark where it may hide something. */
const said: Readonly<Record<string, string>> = {
  content: '"content":@',
  "a part": '"content":[{"type":"text","text":@}]',
  thoughts: '"content":[{"type":"thinking","thinking":@}]',
  reasoning: '"reasoning":@',
  arguments: '"tool_calls":[{"index":0,"function":{"name":"f","arguments":@}}]',
  "a field of its own": '"own":@',
};

describe.each(Object.entries(deep))("%s ten thousand deep", (_what, text) => {
  test.each(Object.entries(said))(
    "as %s are a failure of the engine, told in a stream and whole",
    (_place, form) => {
      const member = form.replace("@", text);
      const options = { id: "chatcmpl-1", model: "m", createdMs: 0, promptTokens: 1 };
      for (const place of [`"delta":{${member}}`, `"delta":{"content":"a"},"logprobs":{${member}}`])
        expect(readEngineEvent(`{"choices":[{"index":0,${place}}]}`, "chat")).toEqual({
          kind: "failure",
          detail: "an event is nested too deeply",
        });
      const whole = `{"choices":[{"index":0,"finish_reason":"stop","message":{${member}}}]}`;
      expect(rewriteAnswer(whole, { ...options, engineApi: "chat", shape: "chat" })).toEqual({
        ok: false,
        error: "the answer is nested too deeply",
      });
    },
  );
});

test("thoughts in parts are read as before", () => {
  const content = [
    { type: "thinking", thinking: [{ type: "text", text: "well, " }, "x", { type: "text", text: "so" }] },
    { type: "thinking", thinking: " then" },
    { type: "text", text: "Hi" },
  ];
  expect(
    readEngineEvent(JSON.stringify({ choices: [{ index: 0, delta: { content } }] }), "chat"),
  ).toMatchObject({
    deltas: [{ content: "Hi", reasoning: "well, so then" }],
  });
});
