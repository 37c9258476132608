/** Answers that come back in a request, as we sent them and as clients change them. */
import { describe, expect, test } from "vitest";
import { accepted, call, tool, user } from "./chat-request-fixture.ts";
import { parseChatRequest } from "./chat-request.ts";
import { publicMessages } from "./public-message.ts";

test("an answer of ours can be sent back whole", () => {
  const message = {
    role: "assistant",
    content: null,
    refusal: null,
    annotations: [],
    audio: null,
    function_call: null,
    tool_calls: [{ ...call, index: 0 }],
    reasoning_content: "Let me add.",
  };
  const messages = [user, message, { role: "tool", tool_call_id: "call_1", content: "2" }];
  expect(accepted({ messages, tools: [tool] }).messages[1]).toEqual({
    role: "assistant",
    content: null,
    tool_calls: [call],
    reasoning_content: "Let me add.",
  });
});

test("an empty list of calls counts as none, empty arguments as an empty object", () => {
  expect(
    accepted({ messages: [user, { role: "assistant", content: "Hi", tool_calls: [] }] }).messages[1],
  ).toEqual({ role: "assistant", content: "Hi" });
  const empty = { ...call, function: { name: "add", arguments: "" } };
  const messages = [
    user,
    { role: "assistant", tool_calls: [empty] },
    { role: "tool", tool_call_id: "call_1", content: "2" },
  ];
  expect(accepted({ messages }).messages[1]).toMatchObject({
    tool_calls: [{ function: { arguments: "{}" } }],
  });
});

test("a refusal reaches the engine as text", () => {
  expect(
    accepted({ messages: [user, { role: "assistant", content: [{ type: "refusal", refusal: "No." }] }] })
      .messages[1],
  ).toEqual({ role: "assistant", content: [{ type: "text", text: "No." }] });
  expect(accepted({ messages: [user, { role: "assistant", refusal: "No." }] }).messages[1]).toEqual({
    role: "assistant",
    content: "No.",
  });
});
describe("an answer is taken as clients send it back", () => {
  const call = { id: "c", type: "function", function: { name: "look", arguments: "{}" } };
  const plain = { role: "assistant", content: "Hi", tool_calls: [call] };

  test.each([
    [
      "of the official client's parse()",
      {
        ...plain,
        parsed: null,
        tool_calls: [{ ...call, function: { ...call.function, parsed_arguments: {} } }],
      },
    ],
    [
      "of its stream helper",
      { ...plain, refusal: null, parsed: { a: 1 }, tool_calls: [{ ...call, index: 0, type: "function" }] },
    ],
    [
      "of LiteLLM",
      {
        ...plain,
        function_call: null,
        provider_specific_fields: { refusal: null },
        tool_calls: [{ ...call, function: { ...call.function, provider_specific_fields: null } }],
      },
    ],
    [
      "with null for what it has not",
      { ...plain, name: null, reasoning: null, audio: null, annotations: null },
    ],
  ])("%s", (_, answer) => {
    const messages = [{ role: "user", content: "Hi", name: null }, answer];
    const result = { role: "tool", tool_call_id: "c", content: "seen", name: null };
    const read = parseChatRequest(JSON.stringify({ model: "auto", messages: [...messages, result] }));
    if (!read.ok) throw new Error(JSON.stringify(read.error));
    // None of it reaches an engine.
    expect(JSON.parse(JSON.stringify(read.value.messages))).toEqual([
      { role: "user", content: "Hi" },
      plain,
      { role: "tool", tool_call_id: "c", content: "seen" },
    ]);
  });
});

describe("the messages of a stored completion", () => {
  const parsed = (messages: readonly unknown[]) =>
    parseChatRequest(JSON.stringify({ model: "auto", messages }));
  const call = { id: "c", type: "function", function: { name: "look", arguments: "{}" } };

  test("can be sent again as they are told, and are the same", () => {
    const first = parsed([
      { role: "developer", content: "Be brief." },
      { role: "system", content: [{ type: "text", text: "Be kind." }] },
      {
        role: "user",
        name: "ann",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
        ],
      },
      { role: "assistant", content: [{ type: "refusal", refusal: "I can't look." }] },
      { role: "assistant", tool_calls: [call], reasoning: "I should look." },
      { role: "tool", tool_call_id: "c", content: [{ type: "text", text: "seen" }] },
    ]);
    if (!first.ok) throw new Error(JSON.stringify(first.error));
    const { messages } = first.value;
    const told = publicMessages("chatcmpl-1", JSON.stringify(messages.map((message, at) => [at, message])));
    const again = parsed(told);
    if (!again.ok) throw new Error(JSON.stringify(again.error));
    expect(JSON.parse(JSON.stringify(again.value.messages))).toEqual(JSON.parse(JSON.stringify(messages)));
  });

  test("hide no field that a message may not have, and no message without content", () => {
    const told = { id: "x-0", role: "user", content: null, refusal: null, name: null, content_parts: null };
    expect(parsed([told])).toMatchObject({ error: { param: "messages[0].content" } });
    const said = { ...told, content: "Hi" };
    expect(parsed([{ ...said, nonsense: 1 }])).toMatchObject({ error: { param: "messages[0].nonsense" } });
    expect(parsed([{ ...said, refusal: "No." }])).toMatchObject({ error: { param: "messages[0].refusal" } });
    expect(parsed([{ role: "user", content: "Hi", id: "x-0" }])).toMatchObject({
      error: { param: "messages[0].id" },
    });
  });
});

test("what comes beside an answer goes no further: who keeps the request need not walk what nobody has measured", () => {
  const deep = "[".repeat(50_000) + "]".repeat(50_000);
  const read = parseChatRequest(
    `{"model":"auto","messages":[{"role":"assistant","content":"Hi","deep":${deep}},{"role":"user","content":"Hi"}]}`,
  );
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  expect(JSON.stringify(read.value)).not.toContain("[[");
});
