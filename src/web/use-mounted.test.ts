import { expect, test } from "vitest";
import type { ChatMessage } from "./chat-state.ts";
import { earlier, later } from "./more-messages.tsx";
import { mostMounted, placesOf } from "./use-mounted.ts";

const many = (from: number, to: number): readonly ChatMessage[] =>
  Array.from({ length: to - from }, (_, at) => ({
    id: `m${from + at}`,
    role: "user",
    text: "",
    reasoning: "",
    status: "done",
  }));

test("of a conversation of any length so many messages are on the page, the latest at first", () => {
  expect(placesOf(many(0, 100), null)).toEqual({ from: 0, to: 100 });
  expect(placesOf(many(0, 5000), null)).toEqual({ from: 4800, to: 5000 });
});

test("whoever goes up and down again sees all of them, and never more at once", () => {
  const messages = many(0, 730);
  const seen = new Set<number>();
  let last: string | null = null;
  const look = (): void => {
    const { from, to } = placesOf(messages, last);
    expect(to - from).toBe(mostMounted);
    for (let at = from; at < to; at += 1) seen.add(at);
  };
  for (look(); placesOf(messages, last).from > 0; look()) last = earlier(messages, placesOf(messages, last));
  expect(seen.size).toBe(730);
  expect(placesOf(messages, last)).toEqual({ from: 0, to: mostMounted });
  for (look(); last !== null; look()) last = later(messages, placesOf(messages, last));
  expect(placesOf(messages, last)).toEqual({ from: 530, to: 730 });
});

test("those that are loaded before the first have room, whatever is behind them", () => {
  const messages = many(500, 700);
  const last = earlier(messages, placesOf(messages, null));
  expect(placesOf(messages, last)).toEqual({ from: 0, to: 100 });
  expect(placesOf(many(400, 700), last)).toEqual({ from: 0, to: 200 });
  // A short conversation is shown whole.
  const few = many(500, 580);
  expect(earlier(few, placesOf(few, null))).toBeNull();
});

test("where the last one is there no more, the end is shown", () => {
  expect(placesOf(many(0, 300), "gone")).toEqual({ from: 100, to: 300 });
});
