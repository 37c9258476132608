import { expect, test } from "vitest";
import { AnswerCollector } from "./answer-collector.ts";
import { chunks, send } from "./answer-pass-fixture.ts";
import type { TextFilter } from "./text-filter.ts";

const entry = (token: string, bytes: readonly number[]) => ({
  token,
  logprob: -0.5,
  bytes,
  top_logprobs: [],
});
const event = (delta: object, content: readonly object[] | null, finish: string | null = null) =>
  `data: ${JSON.stringify({ created: 1, choices: [{ index: 0, delta, logprobs: content === null ? null : { content }, finish_reason: finish }] })}\n\n`;

/** As vLLM says an emoji that takes three tokens: two come without text. */
const stream = [
  event({ role: "assistant", content: "" }, null),
  event({ content: "Hi " }, [entry("Hi ", [72, 105, 32])]),
  event({ content: "" }, [entry("\ufffd", [0xf0, 0x9f])]),
  event({ content: "" }, [entry("\ufffd", [0xa7])]),
  event({ content: "🧪" }, [entry("\ufffd", [0xaa])]),
  event({ content: "" }, [], "stop"),
  "data: [DONE]\n\n",
].join("");

test("each token's log probability is told, also of one that makes no character by itself", () => {
  const collect = new AnswerCollector(10_000, false);
  const { text } = send(stream, [], { collect });
  const bytesOf = (lists: readonly { readonly content?: unknown }[]): unknown[] =>
    lists.flatMap(({ content }) => content as { readonly bytes: unknown }[]).map(({ bytes }) => bytes);
  const told = chunks(text).flatMap(({ choices }) =>
    choices.flatMap(
      (choice) => (choice as { readonly logprobs?: { readonly content: unknown } }).logprobs ?? [],
    ),
  );
  const all = [[72, 105, 32], [0xf0, 0x9f], [0xa7], [0xaa]];
  expect(bytesOf(told)).toEqual(all);
  expect(bytesOf([collect.choices[0]?.logprobs ?? {}])).toEqual(all);
  // Nothing is told of a list without entries.
  expect(chunks(text).filter(({ choices }) => choices.length > 0)).toHaveLength(6);
});

test("a filter that only looks leaves it so", () => {
  const filter: TextFilter = {
    changesNothing: true,
    push: (_lane, text) => text,
    held: () => 0,
    flush: () => "",
  };
  expect(send(stream, [], { filter }).text).toBe(send(stream, []).text);
});

test("a plain completion's as well", () => {
  const plain = (text: string, tokens: readonly string[], finish: string | null = null) =>
    `data: ${JSON.stringify({ choices: [{ index: 0, text, logprobs: { tokens, token_logprobs: tokens.map(() => -1), text_offset: [] }, finish_reason: finish }] })}\n\n`;
  const said = plain("Hi", ["Hi"]) + plain("", ["bytes:\\xf0"]) + plain("", [], "stop") + "data: [DONE]\n\n";
  const { text } = send(said, [], { engineApi: "completions", format: "openai-completion" });
  expect(text).toContain("bytes:\\\\xf0");
  expect(chunks(text).filter(({ choices }) => choices.length > 0)).toHaveLength(3);
});
