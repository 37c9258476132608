/** A chat request with pieces of control tokens wherever a client may write text. */
import * as fc from "fast-check";
import { hostile } from "../../src/shared/prompt/control-tokens-fixture.ts";

export const texts = fc.array(hostile, { minLength: 16, maxLength: 16 });
export const at = (from: readonly string[], place: number): string => from[place] ?? "";

export function schemaOf(from: readonly string[]): object {
  return {
    type: "object",
    description: at(from, 0),
    properties: { [`k${at(from, 1)}`]: { type: "string", description: at(from, 2), enum: [at(from, 3)] } },
  };
}

/** A text that is more than blanks, as most fields want one. */
export const word = (from: readonly string[], place: number): string => `a ${at(from, place)}`;

/** A call's arguments, with escapes that a template decodes. */
export const argumentsOf = (key: string, value: string): string =>
  JSON.stringify({ [key]: value }).replaceAll("<", "\\u003c");

/** Ids hold no line breaks. */
const id = (from: readonly string[], place: number): string => word(from, place).replaceAll("\n", " ");

export function chatBody(from: readonly string[], plain: boolean): object {
  const call = { name: "add", arguments: argumentsOf(at(from, 4), at(from, 5)) };
  const parts = [word(from, 6), `${at(from, 7)}.`].map((text) => ({ type: "text", text }));
  return {
    model: "auto",
    max_tokens: 50,
    messages: [
      { role: "system", content: word(from, 8) },
      { role: "user", content: parts },
      ...(plain
        ? []
        : [
            {
              role: "assistant",
              content: null,
              tool_calls: [{ id: id(from, 9), type: "function", function: call }],
            },
            { role: "tool", tool_call_id: id(from, 9), content: word(from, 10) },
          ]),
      { role: "assistant", content: word(from, 11) },
      { role: "user", content: word(from, 12) },
    ],
    stop: [word(from, 13)],
    bad_words: [word(from, 13)],
    user: word(from, 14),
    metadata: { a: at(from, 14) },
    prediction: { type: "content", content: at(from, 14) },
    safety_identifier: "a",
    prompt_cache_key: word(from, 14),
    ...(!plain && {
      tools: [
        {
          type: "function",
          function: { name: "add", description: at(from, 15), parameters: schemaOf(from) },
        },
      ],
    }),
    response_format: {
      type: "json_schema",
      json_schema: { name: "answer", description: at(from, 15), schema: schemaOf(from) },
    },
  };
}
