import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type ChatMessage, chatMessageSchema } from "../../wire/chat-messages.ts";
import { itemsOfMessages, messagesOfItems, publicItem, shownItems } from "./conversation-items.ts";

const turn: ChatMessage[] = [
  { role: "user", content: "Weather in Kyoto?", name: "ada" },
  {
    role: "assistant",
    content: "Let me look.",
    tool_calls: [
      { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Kyoto"}' } },
    ],
  },
  { role: "tool", content: "rain", tool_call_id: "call_1" },
  { role: "assistant", content: "It rains." },
];

test("what a turn said comes back as it was, tool calls and names included", () => {
  expect(messagesOfItems(itemsOfMessages(turn))).toEqual(turn);
});

const withFile: ChatMessage[] = [
  {
    role: "user",
    content: [
      { type: "text", text: "Read this" },
      { type: "file_text", filename: "a.pdf", texts: ["One", "Two"], has_pages: true, file_id: "file-1" },
    ],
  },
];

test("a file that came with a message is kept with its text, and shown without, also while its turn runs", () => {
  const [item] = itemsOfMessages(withFile);
  if (item === undefined) throw new Error("no item");
  expect(messagesOfItems([item])).toEqual(withFile);
  const content = [
    { type: "input_text", text: "Read this" },
    { type: "input_file", filename: "a.pdf", file_id: "file-1" },
  ];
  const stored = { ...item, id: "msg_1", sequence: 0, turnId: "t", createdMs: 0 };
  expect(publicItem(stored)).toMatchObject({ id: "msg_1", content });
  expect(JSON.parse(shownItems(withFile))).toEqual([
    { type: "message", role: "user", status: "completed", content },
  ]);
});

test("a file that nobody has read is kept by nobody", () => {
  const content = [{ type: "file" as const, file: { file_data: "YQ==" } }];
  expect(() => itemsOfMessages([{ role: "user", content }])).toThrow("was not read");
});

test("items have OpenAI's form, and show no name", () => {
  const items = itemsOfMessages(turn);
  expect(items.map((item) => item.type)).toEqual([
    "message",
    "message",
    "function_call",
    "function_call_output",
    "message",
  ]);
  const shown = items.map((item, at) =>
    publicItem({ ...item, id: `id_${at}`, sequence: at, turnId: "t", createdMs: 0 }),
  );
  expect(shown.slice(0, 3)).toEqual([
    {
      id: "id_0",
      type: "message",
      role: "user",
      status: "completed",
      content: [{ type: "input_text", text: "Weather in Kyoto?" }],
    },
    {
      id: "id_1",
      type: "message",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: "Let me look.", annotations: [], logprobs: [] }],
    },
    {
      id: "id_2",
      type: "function_call",
      call_id: "call_1",
      name: "weather",
      arguments: '{"city":"Kyoto"}',
      status: "completed",
    },
  ]);
});

test("system messages and reasoning are of their turn alone", () => {
  const items = itemsOfMessages([
    { role: "system", content: "Be brief." },
    { role: "assistant", content: "Yes.", reasoning: "hm" },
  ]);
  expect(messagesOfItems(items)).toEqual([{ role: "assistant", content: "Yes." }]);
});

test("pictures and several parts survive", () => {
  const message: ChatMessage = {
    role: "user",
    content: [
      { type: "text", text: "What is it?" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "low" } },
    ],
  };
  expect(messagesOfItems(itemsOfMessages([message]))).toEqual([message]);
});

const text = fc.string({ unit: "grapheme", maxLength: 20 });
const call = fc.record({
  id: fc.stringMatching(/^call_[a-z0-9]{1,8}$/),
  type: fc.constant("function" as const),
  function: fc.record({ name: fc.stringMatching(/^[a-z_]{1,12}$/), arguments: fc.constant('{"a":1}') }),
});
const part = fc.record({ type: fc.constant("text" as const), text });
const content = fc.oneof(text, fc.array(part, { minLength: 1, maxLength: 3 }));
const message: fc.Arbitrary<ChatMessage> = fc.oneof(
  fc.record({ role: fc.constant("user" as const), content }),
  fc.record({ role: fc.constant("assistant" as const), content }),
  fc.record({
    role: fc.constant("assistant" as const),
    content: fc.constant(null),
    tool_calls: fc.array(call, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ role: fc.constant("tool" as const), content, tool_call_id: fc.constant("call_1") }),
);

test("items that became messages become the same items again, and every message is one that the schema takes", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      const items = itemsOfMessages(messages);
      const back = messagesOfItems(items);
      expect(itemsOfMessages(back)).toEqual(items);
      for (const each of back) expect(chatMessageSchema.parse(each)).toEqual(each);
    }),
  );
});

test("a call that was cut off, or is no object, is told without arguments: an engine would refuse every turn after it", () => {
  const cut = (text: string) => messagesOfItems(itemsOfMessages([called(text)], "incomplete"));
  for (const text of ['{"city":"Ky', "", "null", "[]"]) expect(cut(text), text).toEqual([called("{}")]);
  expect(cut('{"city":"Kyoto"}')).toEqual([called('{"city":"Kyoto"}')]);
});

test("an answer that was stopped in the middle of a character is told without the half", () => {
  const items = itemsOfMessages([{ role: "assistant", content: "Hello \ud83d" }], "incomplete");
  expect(messagesOfItems(items)).toEqual([{ role: "assistant", content: "Hello \ufffd" }]);
});

function called(text: string): ChatMessage {
  return {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: text } }],
  };
}
