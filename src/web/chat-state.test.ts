import { expect, test } from "vitest";
import { emptyChat, reduceChat, type ChatEvent, type ChatState } from "./chat-state.ts";
import { keepShown } from "./keep-shown.ts";

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

test("neither what was typed since nor the message that is rolled back is lost", () => {
  const state = after(
    sent,
    { type: "draft-changed", text: "next" },
    { type: "failed", userId: "u", answerId: "a", notice },
  );
  expect(state.draft).toBe("hello\n\nnext");
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

test("what an answer cites stays with it when the server tells of it under its own id, and is no other's", () => {
  const sources = [{ index: 1, filename: "guide.md", text: "Blue." }];
  const state = after(
    sent,
    { type: "delta", answerId: "a", text: "Blue [1].", reasoning: "" },
    { type: "cited", answerId: "a", sources },
    { type: "ended", answerId: "a", status: "done" },
    {
      type: "refreshed",
      join: keepShown,
      hasEarlier: false,
      messages: [
        { id: "i1", role: "user", text: "Blue [1].", reasoning: "", status: "done" },
        { id: "i2", role: "assistant", text: "Blue [1].", reasoning: "", status: "done" },
        { id: "i3", role: "user", text: "more", reasoning: "", status: "done" },
        { id: "i4", role: "assistant", text: "More.", reasoning: "", status: "done" },
      ],
    },
  );
  expect(state.messages.map((message) => message.sources)).toEqual([
    undefined,
    sources,
    undefined,
    undefined,
  ]);
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
  const refreshed: ChatEvent = { type: "refreshed", messages: [kept], join: keepShown, hasEarlier: false };
  for (const [here, shown] of [
    ["done", "cut"],
    ["stopped", "stopped"],
  ] as const) {
    const state = after(sent, told, { type: "ended", answerId: "a", status: here }, refreshed);
    expect(state.messages.at(-1)?.status).toBe(shown);
  }
});

test("how an answer ended here, what was thought before it, and which model it is of, stays to be seen behind the next turn", () => {
  const told = (answerId: string, text: string): ChatEvent[] => [
    { type: "delta", answerId, text, reasoning: `thought of ${text}` },
    { type: "ended", answerId, status: answerId === "a" ? "stopped" : "done", model: `model ${answerId}` },
  ];
  const item = (id: string, role: "user" | "assistant", text: string) =>
    ({ id, role, text, reasoning: "", status: text === "Qu" ? "cut" : "done" }) as const;
  const first = [item("i1", "user", "hello"), item("i2", "assistant", "Qu")];
  const second = [item("i3", "user", "more"), item("i4", "assistant", "All")];
  const state = after(
    sent,
    ...told("a", "Qu"),
    { type: "refreshed", messages: first, join: keepShown, hasEarlier: false },
    { type: "sent", userId: "u2", answerId: "b", text: "more" },
    ...told("b", "All"),
    { type: "refreshed", messages: [...first, ...second], join: keepShown, hasEarlier: false },
  );
  expect(state.messages.map(({ status, reasoning, model }) => [status, reasoning, model])).toEqual([
    ["done", "", undefined],
    ["stopped", "thought of Qu", "model a"],
    ["done", "", undefined],
    ["done", "thought of All", "model b"],
  ]);
});

test("what is read anew takes the word of a lost connection away, and no other", () => {
  const refreshed: ChatEvent = { type: "refreshed", messages: [], join: keepShown, hasEarlier: false };
  const lost = { ...notice, kind: "offline" } as const;
  expect(after({ type: "noticed", notice: lost }, refreshed).notice).toBeNull();
  expect(after({ type: "noticed", notice }, refreshed).notice).toEqual(notice);
});

test("what another device asks leaves alone what is being typed here", () => {
  const theirs: ChatEvent = { type: "sent", userId: "u", answerId: "a", text: "theirs" };
  expect(after(theirs).draft).toBe("hello");
  expect(after(theirs, { type: "failed", userId: "u", answerId: "a", notice, watched: true }).draft).toBe(
    "hello",
  );
});

const kept = [
  { id: "q", role: "user", text: "question", reasoning: "", status: "done", behind: "root" },
  { id: "r", role: "assistant", text: "answer", reasoning: "", status: "done" },
] as const;
const anew = (text: string): ChatEvent[] => [
  { type: "restored", messages: kept, hasEarlier: false },
  { type: "draft-changed", text: "" },
  { type: "sent", userId: "u", answerId: "a", text, insteadOf: "q" },
  { type: "failed", userId: "u", answerId: "a", notice },
];

test("where asking anew is refused, what it would have replaced is on screen as before, and Try again asks anew", () => {
  const state = after(...anew("question"));
  expect(state).toMatchObject({
    messages: kept,
    draft: "",
    unsent: { text: "question", insteadOf: kept[0] },
  });
  expect(reduceChat(state, { type: "noticed", notice: null }).unsent).toBeNull();
});

test("the words of an edit that was refused are kept", () => {
  const state = after(...anew("better question"));
  expect(state).toMatchObject({ messages: kept, draft: "better question" });
  const again: ChatEvent = {
    type: "sent",
    userId: "v",
    answerId: "b",
    text: "better question",
    insteadOf: "q",
  };
  expect(reduceChat(state, again)).toMatchObject({ draft: "", unsent: null });
});

test("a stop that the server was not told of is no stop", () => {
  const delta: ChatEvent = { type: "delta", answerId: "a", text: "Qu", reasoning: "" };
  expect(after(sent, delta, { type: "stop-asked" }, { type: "stop-failed", notice })).toMatchObject({
    phase: "streaming",
    notice,
  });
  expect(after(sent, { type: "stop-asked" }, { type: "stop-failed", notice }).phase).toBe("waiting");
  expect(
    after(sent, { type: "ended", answerId: "a", status: "done" }, { type: "stop-failed", notice }).notice,
  ).toBeNull();
});
