import { expect, test } from "vitest";
import { itemSequenceFault } from "../wire/responses-item-order.ts";
import { readInput } from "../wire/responses-items.ts";
import type { Item } from "./item.ts";
import { messagesOf } from "./messages.ts";

/** As a client sends them. */
function items(...sent: readonly object[]): readonly Item[] {
  const read = readInput(sent);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value;
}

const call = (id: string, args = "{}") => ({
  type: "function_call",
  call_id: id,
  name: "look",
  arguments: args,
});
const result = (id: string) => ({ type: "function_call_output", call_id: id, output: `of ${id}` });
const said = (text: string) => ({ role: "assistant", content: text });
const asked = (text: string) => ({ role: "user", content: text });
const thought = (text: string) => ({
  type: "reasoning",
  summary: [],
  content: [{ type: "reasoning_text", text }],
});
const toolCall = (id: string, args = "{}") => ({
  id,
  type: "function",
  function: { name: "look", arguments: args },
});

test("what a model said behind its call, and thought between two, is one message with them: results follow at once", () => {
  const output = items(
    thought("a"),
    call("1"),
    said("\n"),
    thought("b"),
    call("2"),
    result("1"),
    result("2"),
  );
  expect(messagesOf(output)).toEqual([
    { role: "assistant", content: "\n", reasoning: "a\nb", tool_calls: [toolCall("1"), toolCall("2")] },
    { role: "tool", content: "of 1", tool_call_id: "1" },
    { role: "tool", content: "of 2", tool_call_id: "2" },
  ]);
});

test("an answer of ours is taken back as it was given, also where the model spoke on behind its call", () => {
  expect(itemSequenceFault(items(asked("?"), call("1"), said("wait"), result("1")), false)).toBeNull();
  expect(itemSequenceFault(items(asked("?"), call("1"), said("wait"), asked("so?")), false)).toMatchObject({
    param: "input[1].call_id",
  });
  expect(itemSequenceFault(items(asked("?"), call("1"), said("wait")), false)).not.toBeNull();
});

test("a call of the stored history is answered once, too", () => {
  expect(itemSequenceFault(items(result("1"), result("2")), true)).toBeNull();
  expect(itemSequenceFault(items(result("1"), result("1")), true)).toMatchObject({
    param: "input[1].call_id",
  });
  expect(itemSequenceFault(items(call("1"), result("1"), call("1"), result("1")), true)).toBeNull();
});

test("a thought that led to no answer is not told as the thought of the next one", () => {
  expect(messagesOf(items(asked("one"), thought("cut off"), asked("two"), thought("hm"), said("2")))).toEqual(
    [
      { role: "user", content: "one" },
      { role: "user", content: "two" },
      { role: "assistant", content: "2", reasoning: "hm" },
    ],
  );
});

test("a call that was cut off goes on without arguments: engines refuse a prompt with half of them", () => {
  const cut = (text: string): Item[] => [
    { type: "function_call", call_id: "1", name: "look", arguments: text, status: "incomplete" },
  ];
  for (const text of ["", '{"at":"sk', "[1]", '"sky"', `{"a":${"[".repeat(70)}${"]".repeat(70)}}`])
    expect(messagesOf(cut(text)), text).toEqual([
      { role: "assistant", content: null, tool_calls: [toolCall("1")] },
    ]);
  const large = JSON.stringify({ text: "x".repeat(200_000) });
  expect(messagesOf(cut(large))).toMatchObject([{ tool_calls: [toolCall("1", large)] }]);
});

test("an answer that was stopped in the middle of a character is told without the half", () => {
  const half = "Hello \ud83d";
  const output: Item[] = [
    { type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: half }] },
    {
      type: "message",
      role: "assistant",
      status: "incomplete",
      content: [{ type: "output_text", text: half, annotations: [], logprobs: [] }],
    },
  ];
  expect(messagesOf(output)).toEqual([
    { role: "assistant", content: "Hello \ufffd", reasoning: "Hello \ufffd" },
  ]);
});

test("a picture among a tool's results stays in its place, and texts alone are one", () => {
  const image_url = "data:image/png;base64,iVBORw0KGgo=";
  const text = (value: string) => ({ type: "input_text", text: value });
  const answered = (...output: readonly object[]) =>
    messagesOf(items(call("1"), { type: "function_call_output", call_id: "1", output })).at(-1);
  expect(answered(text("a"), { type: "input_image", image_url }, text("b"))).toEqual({
    role: "tool",
    tool_call_id: "1",
    content: [
      { type: "text", text: "a" },
      { type: "image_url", image_url: { url: image_url, detail: "auto" } },
      { type: "text", text: "b" },
    ],
  });
  expect(answered(text("a"), text("b"))).toMatchObject({ content: "a\nb" });
});
