import { expect, test } from "vitest";
import { emptyChat, reduceChat, type ChatEvent, type ChatState } from "./chat-state.ts";

const notice = { kind: "error", title: "No", advice: "Do this", retry: true } as const;
const sent: ChatEvent = { type: "sent", userId: "u", answerId: "a", text: "hello" };

function after(...events: ChatEvent[]): ChatState {
  return events.reduce(reduceChat, { ...emptyChat, draft: "hello" });
}

test("a message appears at once and empties the draft", () => {
  const state = after(sent);
  expect(state.messages.map((message) => [message.role, message.text, message.status])).toEqual([
    ["user", "hello", "done"],
    ["assistant", "", "waiting"],
  ]);
  expect(state.draft).toBe("");
});

test("a failed turn is rolled back into the draft, with advice", () => {
  const state = after(sent, { type: "failed", userId: "u", answerId: "a", notice });
  expect(state).toMatchObject({ messages: [], draft: "hello", phase: "idle", notice });
});

test("what was typed since is not overwritten by the roll-back", () => {
  const state = after(
    sent,
    { type: "draft-changed", text: "next" },
    { type: "failed", userId: "u", answerId: "a", notice },
  );
  expect(state.draft).toBe("next");
});

test("an answer grows by its deltas and ends done", () => {
  const state = after(
    sent,
    { type: "delta", answerId: "a", text: "Quan", reasoning: "" },
    { type: "delta", answerId: "a", text: "tum", reasoning: "hm" },
    { type: "ended", answerId: "a", status: "done" },
  );
  expect(state.messages[1]).toMatchObject({ text: "Quantum", reasoning: "hm", status: "done" });
  expect(state.phase).toBe("idle");
});

test("a stop before the first token leaves no empty answer", () => {
  const state = after(sent, { type: "stop-asked" }, { type: "ended", answerId: "a", status: "stopped" });
  expect(state.messages.map((message) => message.role)).toEqual(["user"]);
});

test("text that was still under way when stop was asked is shown, and the stop goes on", () => {
  const state = after(
    sent,
    { type: "stop-asked" },
    { type: "delta", answerId: "a", text: "late", reasoning: "" },
  );
  expect(state.phase).toBe("stopping");
  expect(state.messages[1]?.text).toBe("late");
});

test("an answer that the server calls incomplete is shown so, and a stop of one's own as a stop", () => {
  const kept = { id: "m", role: "assistant", text: "Qu", reasoning: "", status: "cut" } as const;
  const told: ChatEvent = { type: "delta", answerId: "a", text: "Qu", reasoning: "" };
  const refreshed: ChatEvent = { type: "refreshed", messages: [kept], hasEarlier: false };
  for (const [here, shown] of [
    ["done", "cut"],
    ["stopped", "stopped"],
  ] as const) {
    const state = after(sent, told, { type: "ended", answerId: "a", status: here }, refreshed);
    expect(state.messages.at(-1)?.status).toBe(shown);
  }
});

test("what is read anew takes the word of a lost connection away, and no other", () => {
  const refreshed: ChatEvent = { type: "refreshed", messages: [], hasEarlier: false };
  const lost = { ...notice, kind: "offline" } as const;
  expect(after({ type: "noticed", notice: lost }, refreshed).notice).toBeNull();
  expect(after({ type: "noticed", notice }, refreshed).notice).toEqual(notice);
});
