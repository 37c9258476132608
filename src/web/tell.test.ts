import { expect, test } from "vitest";
import { emptyChat, reduceChat, type ChatEvent, type ChatMessage } from "./chat-state.ts";
import { keepShown } from "./keep-shown.ts";
import { toldOf } from "./tell.ts";

function told(...events: ChatEvent[]): (string | null)[] {
  let state = emptyChat;
  return events.map((event) => {
    const before = state;
    state = reduceChat(before, event);
    return toldOf(before, state);
  });
}
const sent: ChatEvent = { type: "sent", userId: "u", answerId: "a", text: "hi" };
const delta = (text: string): ChatEvent => ({ type: "delta", answerId: "a", text, reasoning: "" });
const notice = { kind: "error", title: "No", advice: "Do this", retry: true } as const;
const old: ChatMessage = { id: "m", role: "assistant", text: "long ago", reasoning: "", status: "done" };

test("an answer is read once, when it has ended, and not as it is written", () => {
  expect(
    told(sent, delta("**Quan"), delta("tum**\n\n- `x`"), { type: "ended", answerId: "a", status: "done" }),
  ).toEqual(["Waiting for the answer", null, null, "Assistant: Quantum - x"]);
});

test("an answer without a word is said to be none, and is no silence", () => {
  expect(told(sent, { type: "ended", answerId: "a", status: "done" }).at(-1)).toContain("no answer");
});

test("that it was stopped is said; that it was refused its notice says", () => {
  expect(
    told(sent, delta("half"), { type: "stop-asked" }, { type: "ended", answerId: "a", status: "stopped" }).at(
      -1,
    ),
  ).toBe("Stopped. Assistant: half");
  expect(told(sent, { type: "stop-asked" }, { type: "ended", answerId: "a", status: "stopped" }).at(-1)).toBe(
    "Stopped",
  );
  expect(told(sent, { type: "failed", userId: "u", answerId: "a", notice }).at(-1)).toBe("");
  expect(told(sent, { type: "stop-asked" }, { type: "stop-failed", notice }).at(-1)).toBeNull();
});

test("a chat that is opened, or looked at again, is not read from its beginning", () => {
  const shown = { messages: [old], hasEarlier: false };
  expect(
    told(
      { type: "restore-started" },
      { type: "restored", ...shown },
      { type: "refreshed", join: keepShown, ...shown },
    ),
  ).toEqual([null, null, null]);
});
