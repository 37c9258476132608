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

test("whoever goes up slowly, as with a finger, is not taken back by each new line; what is rounded, or gets shorter, is no step up", () => {
  const at = (scrollTop: number, scrollHeight: number) => ({ scrollTop, scrollHeight, clientHeight: 500 });
  // Ten pixels up from the end of 1000, then a new line, then on.
  expect(staysAtEnd(true, 1000, at(990, 1500))).toBe(false);
  expect(staysAtEnd(false, 990, at(980, 1524))).toBe(false);
  expect(staysAtEnd(false, 980, at(980, 1524))).toBe(false);
  expect(staysAtEnd(false, 980, at(985, 1524))).toBe(true);
  expect(staysAtEnd(true, 1000, at(999.5, 1500))).toBe(true);
  expect(staysAtEnd(true, 1000, at(700, 1200))).toBe(true);
});
