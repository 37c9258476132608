import { expect, test } from "vitest";
import type { ChatMessage } from "./chat-message.ts";
import { pairCalls } from "./answered-calls.ts";

const call = (id: string, text = '{"a":1}') => ({
  id,
  type: "function",
  function: { name: "f", arguments: text },
});
const calls = (ids: readonly string[], content: string | null = null, text?: string): ChatMessage => ({
  role: "assistant",
  content,
  tool_calls: ids.map((id) => call(id, text)),
});
const result = (id: string): ChatMessage => ({ role: "tool", tool_call_id: id, content: id });
const user = (content: string): ChatMessage => ({ role: "user", content });
const half = '{"city":"Par';

function paired(history: readonly ChatMessage[], turn: readonly ChatMessage[] = [user("Go on")]) {
  const outcome = pairCalls(history, turn, 0);
  if (!outcome.ok) throw new Error(outcome.error.message);
  return outcome.value;
}

test("a history whose calls are all answered, here or by what is sent now, stays the same array", () => {
  const whole = [user("Q"), calls(["a", "b"]), result("b"), result("a"), { role: "assistant", content: "A" }];
  expect(paired(whole)).toBe(whole);
  const open = [user("Q"), calls(["a", "b"])];
  expect(paired(open, [result("a"), result("b"), user("And?")])).toBe(open);
  expect(paired([user("Q")])).toEqual([user("Q")]);
});

test("calls that were thought about one by one, and answered together, are all answered", () => {
  const apart = [user("Q"), calls(["a"]), calls(["b"]), result("a"), result("b"), user("So?")];
  expect(paired(apart)).toBe(apart);
  const open = apart.slice(0, 3);
  expect(paired(open, [result("b"), result("a")])).toBe(open);
  expect(paired([...open, user("Never mind")])).toEqual([user("Q"), user("Never mind")]);
});

test.each([
  ["half a call, cut off", [user("Q"), calls(["a"], null, half)], [user("Q")]],
  [
    "half a call behind words",
    [user("Q"), calls(["a"], "Let me see.", half)],
    [user("Q"), { role: "assistant", content: "Let me see." }],
  ],
  [
    "a whole call that nobody answered",
    [user("Q"), calls(["a"], ""), user("Never mind")],
    [user("Q"), user("Never mind")],
  ],
  [
    "the one of two that nobody answered",
    [user("Q"), calls(["a", "b"]), result("b"), user("So?")],
    [user("Q"), calls(["b"]), result("b"), user("So?")],
  ],
  ["a result without its call", [user("Q"), result("x"), user("So?")], [user("Q"), user("So?")]],
  [
    "a second result of the same call",
    [user("Q"), calls(["a"]), result("a"), result("a"), user("So?")],
    [user("Q"), calls(["a"]), result("a"), user("So?")],
  ],
])("%s is left out", (_, history, left) => {
  expect(paired(history)).toEqual(left);
});

test("calls that an engine gave no ids are answered in their order, and have the ids that they were answered by", () => {
  const told = [calls(["", ""]), result("x"), result("y"), user("And?"), calls([""])];
  expect(paired(told, [result("z")])).toEqual([
    calls(["x", "y"]),
    result("x"),
    result("y"),
    user("And?"),
    calls(["z"]),
  ]);
  expect(paired([calls(["", "b"]), result("b"), result("x"), user("So?")])).toEqual([
    calls(["x", "b"]),
    result("b"),
    result("x"),
    user("So?"),
  ]);
});

test("an id that an engine uses again is answered for its latest call", () => {
  const told = [calls(["a"]), user("Oslo?"), calls(["a"], "Now."), result("a"), user("So?")];
  expect(paired(told)).toEqual(told.slice(1));
});

test("half a call that was answered all the same keeps its place, without arguments", () => {
  const told = [user("Q"), calls(["a"], null, half), result("a"), user("So?")];
  expect(paired(told)).toEqual([user("Q"), calls(["a"], null, "{}"), result("a"), user("So?")]);
  expect(paired(told.slice(0, 2), [result("a")])).toEqual([user("Q"), calls(["a"], null, "{}")]);
});

test.each([
  ["another id", [user("Q"), calls(["a"])], [result("b")], 0],
  ["a call that was answered before", [user("Q"), calls(["a"]), result("a")], [result("a")], 0],
  ["the same call twice", [user("Q"), calls(["a"])], [result("a"), result("a")], 1],
  ["a call before other words", [calls(["a"]), user("Q")], [result("a")], 0],
  ["nothing, at a conversation's beginning", [], [result("a")], 0],
])("a result that is sent for %s is refused, and not lost without a word", (_, history, turn, at) => {
  expect(pairCalls(history, turn, 2)).toMatchObject({
    ok: false,
    error: { kind: "value-invalid", param: `messages[${2 + at}].tool_call_id` },
  });
});
