/** Answers that come back in a request, as ours were sent and as clients make them of it. */
import { describe, expect, test } from "vitest";
import { accepted, call, tool, user } from "./chat-request-fixture.ts";
import { parseChatRequest } from "./chat-request.ts";

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
    // Nothing of it reaches an engine.
    expect(JSON.parse(JSON.stringify(read.value.messages))).toEqual([
      { role: "user", content: "Hi" },
      plain,
      { role: "tool", tool_call_id: "c", content: "seen" },
    ]);
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
