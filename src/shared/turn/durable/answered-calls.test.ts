import { expect, test } from "vitest";
import type { ChatMessage } from "../../wire/chat-messages.ts";
import { takeableHistory } from "./answered-calls.ts";

const user = (content: string): ChatMessage => ({ role: "user", content });
const call = (id: string, given = "{}") => ({
  id,
  type: "function" as const,
  function: { name: "weather", arguments: given },
});
const calls = (content: string | null, ...ids: string[]): ChatMessage => ({
  role: "assistant",
  content,
  tool_calls: ids.map((id) => call(id)),
});
const result = (id: string): ChatMessage => ({ role: "tool", content: `of ${id}`, tool_call_id: id });
const answer: ChatMessage = { role: "assistant", content: "It rains." };

test("calls with their results stay as they are, the last one's results being the turn's own", () => {
  const history = [user("Kyoto?"), calls("I look.", "a", "b"), result("b"), result("a"), answer];
  expect(takeableHistory(history, [user("Oslo?")])).toEqual({ messages: history, unasked: null });
  const open = [...history, user("Oslo?"), calls(null, "c")];
  expect(takeableHistory(open, [{ role: "system", content: "Short." }, result("c")])).toEqual({
    messages: open,
    unasked: null,
  });
});

test("a call that nobody answered is not read again, what was said beside it is", () => {
  const history = [user("Kyoto?"), calls("I look.", "a"), user("Oslo?"), calls(null, "b")];
  expect(takeableHistory(history, [user("Never mind.")]).messages).toEqual([
    user("Kyoto?"),
    { role: "assistant", content: "I look." },
    user("Oslo?"),
  ]);
  // Of two, one was.
  expect(takeableHistory([calls(null, "a", "b"), result("b")], [user("And?")]).messages).toEqual([
    calls(null, "b"),
    result("b"),
  ]);
});

test("arguments that are no JSON object were answered so, and are read as none", () => {
  for (const broken of ['{"city":"Kyo', "", "[]", "null", "3"]) {
    const history: ChatMessage[] = [
      { role: "assistant", content: null, tool_calls: [call("a", broken)] },
      result("a"),
    ];
    expect(takeableHistory(history, [user("Again.")]).messages).toEqual([calls(null, "a"), result("a")]);
  }
});

test("a result whose call is gone is left out, and one of the turn's own is told", () => {
  const history = [result("a"), answer];
  expect(takeableHistory(history, [user("And?")])).toEqual({ messages: [answer], unasked: null });
  expect(takeableHistory(history, [result("a")])).toEqual({ messages: [answer], unasked: 0 });
  // Answered already.
  const over = [calls(null, "a"), result("a"), answer];
  expect(takeableHistory(over, [result("a"), user("?")]).unasked).toBe(0);
});

test("an id that an engine uses again is answered for its latest call", () => {
  const history = [calls(null, "a"), user("Oslo?"), calls("Now.", "a"), result("a")];
  expect(takeableHistory(history, [user("And?")]).messages).toEqual(history.slice(1));
});

test("calls that an engine gave no ids are answered in their order, and have the ids that they were answered by", () => {
  const history = [calls(null, "", ""), result("call_x1"), result("call_x2"), answer, calls(null, "")];
  expect(takeableHistory(history, [result("call_y")])).toEqual({
    messages: [
      calls(null, "call_x1", "call_x2"),
      result("call_x1"),
      result("call_x2"),
      answer,
      calls(null, "call_y"),
    ],
    unasked: null,
  });
});
