import { expect, test } from "vitest";
import { emptyChat, reduceChat, type ChatEvent } from "./chat-state.ts";
import { askedHere } from "./use-scroll.ts";

test("whoever reads what was said before is taken to the end by a message of his own, and by no other device's", () => {
  const sent: ChatEvent = { type: "sent", userId: "u", answerId: "a", text: "hi" };
  expect(askedHere(reduceChat(emptyChat, sent).messages)).toBe("a");
  expect(askedHere(reduceChat(emptyChat, { ...sent, watched: true }).messages)).toBeUndefined();
});
