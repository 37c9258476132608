import { expect, test } from "vitest";
import type { Grounding } from "../../grounding/ground.ts";
import { AnswerCollector } from "../../stream/answer-collector.ts";
import type { ChatRequest } from "../../wire/chat-request.ts";
import { answerItems, type AnswerPast, withoutPast } from "./answer-items.ts";
import { itemsOfMessages } from "./conversation-items.ts";
import { noUsage, type Round, type RoundsNote } from "./round-history.ts";

const request = {
  chat: { model: "m", messages: [{ role: "user", content: "?" }] } as unknown as ChatRequest,
};

function said(text: string): AnswerCollector {
  const collected = new AnswerCollector(2_000_000, false);
  collected.content(0, text);
  return collected;
}

const passage = { fileId: "f", filename: "a.md", attributes: {}, ordinal: 0, start: 0, end: 5, score: 1 };
const grounding: Grounding = { queries: ["q"], passages: [{ ...passage, text: "Blue." }], fault: null };
const call = { type: "web_search_call", name: "web_search", arguments: "{}" } as const;
const rounds: readonly Round[] = [
  { said: said("See [1] and [2]."), calls: [{ id: "c", call, told: "Found." }] },
];
const note: RoundsNote = {
  prior: noUsage,
  told: {},
  sources: [{ url: "https://c.example/", title: "C" }],
  known: { 0: 0 },
};

const annotationsOf = (past: AnswerPast, text = "So [2].", chat = request) =>
  answerItems(chat, said(text), past, "completed").flatMap(({ json }) => {
    const { content } = JSON.parse(json) as { content?: { annotations: { type: string }[] }[] };
    return content === undefined ? [] : [(content[0]?.annotations ?? []).map(({ type }) => type)];
  });

test("what an answer cites is kept with it, and what was found later is no source of what was said before", () => {
  expect(annotationsOf({ rounds, note, grounding })).toEqual([["file_citation"], ["url_citation"]]);
  // What older code kept does not say when.
  const { known: _known, ...older } = note;
  expect(annotationsOf({ rounds, note: older, grounding })[0]).toEqual(["file_citation", "url_citation"]);
});

test("where there is nothing to cite it is kept as before, and in JSON only what strings say counts", () => {
  expect(answerItems(request, said("So [1]."), withoutPast, "completed")).toEqual(
    itemsOfMessages([{ role: "assistant", content: "So [1]." }]),
  );
  const chat = { ...request.chat, response_format: { type: "json_object" } } as ChatRequest;
  const past = { ...withoutPast, grounding };
  expect(annotationsOf(past, '{"a":[1]}', { chat })).toEqual([[]]);
  expect(annotationsOf(past, '{"a":"[1]"}', { chat })).toEqual([["file_citation"]]);
});

test("a long answer is kept with what it cites", () => {
  const past = { ...withoutPast, grounding };
  expect(annotationsOf(past, `[1]${"x".repeat(990_000)}`)).toEqual([["file_citation"]]);
});
