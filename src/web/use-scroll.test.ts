import { expect, test } from "vitest";
import { emptyChat, reduceChat, type ChatEvent } from "./chat-state.ts";
import { askedHere, staysAtEnd } from "./use-scroll.ts";

test("whoever reads what was said before is taken to the end by a message of his own, and by no other device's", () => {
  const sent: ChatEvent = { type: "sent", userId: "u", answerId: "a", text: "hi" };
  expect(askedHere(reduceChat(emptyChat, sent).messages)).toBe("a");
  expect(askedHere(reduceChat(emptyChat, { ...sent, watched: true }).messages)).toBeUndefined();
});

test("an answer that has grown by more when a scroll is told is followed on; whoever goes up is not taken back, until he is down again", () => {
  const at = (scrollTop: number, scrollHeight: number) => ({ scrollTop, scrollHeight, clientHeight: 500 });
  expect(staysAtEnd(true, 400, at(500, 1500))).toBe(true);
  expect(staysAtEnd(true, 500, at(300, 1500))).toBe(false);
  expect(staysAtEnd(false, 300, at(350, 1500))).toBe(false);
  expect(staysAtEnd(false, 350, at(950, 1500))).toBe(true);
});
