import { describe, expect, test } from "vitest";
import { accepted, call, refused, tool, user } from "./chat-request-fixture.ts";
import { parseChatRequest } from "./chat-request.ts";

describe("what is taken", () => {
  test("a plain request stays as it was sent", () => {
    const body = {
      model: "auto",
      messages: [{ role: "system", content: "Be brief." }, user],
      temperature: 0,
    };
    expect(parseChatRequest(JSON.stringify(body))).toEqual({ ok: true, value: body });
  });
  test("null means absent, for refused fields too", () => {
    expect(accepted({ temperature: null, tools: null, audio: null, functions: null })).toEqual({
      model: "auto",
      messages: [user],
    });
  });
  test("the least and the largest seed are numbers of 64 bits also as JSON writes them, rounded", () => {
    for (const seed of [-9_223_372_036_854_774_784, 9_223_372_036_854_774_784]) {
      const written = BigInt(JSON.stringify(accepted({ seed }).seed));
      expect(BigInt.asIntN(64, written)).toBe(written);
    }
    // JSON would write it as -9223372036854776000, which engines refuse.
    expect(refused({ seed: -9_223_372_036_854_775_808 })).toMatchObject({ param: "seed" });
  });
  test("fields without effect are dropped, so that no unbounded value is stored", () => {
    const deep = "[".repeat(50_000) + "]".repeat(50_000);
    const result = parseChatRequest(
      `{"model":"auto","messages":[${JSON.stringify(user)}],"store":true,` +
        `"prompt_cache_options":{"a":${deep}},"prediction":{"type":"content","content":${deep}}}`,
    );
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    expect(JSON.stringify(result.value)).toBe(
      JSON.stringify({ model: "auto", messages: [user], store: true }),
    );
  });
  test("a developer message reaches the engine as a system message", () => {
    expect(accepted({ messages: [{ role: "developer", content: "Be brief." }] }).messages).toEqual([
      { role: "system", content: "Be brief." },
    ]);
  });
  test.each([
    { prompt_cache_breakpoint: { mode: "explicit" } },
    { cache_control: { type: "ephemeral", ttl: "1h" } },
  ])("where a prefix may be cached is taken of a part and left out: %j", (mark) => {
    const part = { type: "text", text: "Hi", ...mark };
    expect(
      JSON.parse(JSON.stringify(accepted({ messages: [{ role: "user", content: [part] }] }).messages)),
    ).toEqual([{ role: "user", content: [{ type: "text", text: "Hi" }] }]);
  });
  test("a seed of 64 bits passes", () => {
    expect(accepted({ seed: 2 ** 62 }).seed).toBe(2 ** 62);
  });
  test("with a stored conversation the first message may answer its last call", () => {
    const messages = [{ role: "tool", tool_call_id: "call_1", content: "2" }];
    expect(accepted({ messages, conversation_id: "holiday" }).messages).toEqual(messages);
    // Instructions are sent with each turn.
    const instructed = [{ role: "system", content: "Be short." }, ...messages];
    expect(accepted({ messages: instructed, conversation_id: "holiday" }).messages).toEqual(instructed);
    expect(refused({ messages })).toMatchObject({ param: "messages[0].tool_call_id" });
  });
});

describe("what is refused, and how it is named", () => {
  test.each([
    ["not JSON", "{", { kind: "json-invalid" }],
    ["nothing", "", { kind: "json-invalid", isEmpty: true }],
    ["blanks alone", " \n", { kind: "json-invalid", isEmpty: true }],
    ["an array", "[]", { kind: "value-invalid", param: null }],
    ["null", "null", { kind: "value-invalid", param: null }],
    ["no model", '{"messages":[]}', { kind: "value-invalid", param: "messages" }],
    ["no messages", '{"model":"a"}', { kind: "value-invalid", param: "messages" }],
    ["deep nesting", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, { kind: "value-invalid", param: null }],
    [
      "__proto__",
      '{"model":"a","__proto__":{"stream":true}}',
      { kind: "parameter-unknown", param: "__proto__" },
    ],
  ])("%s", (_, body, error) => {
    expect(parseChatRequest(body)).toMatchObject({ ok: false, error });
  });

  test.each<[Record<string, unknown>, string, string]>([
    [{ temprature: 1 }, "parameter-unknown", "temprature"],
    [{ constructor: 1 }, "parameter-unknown", "constructor"],
    [{ messages: [{ ...user, foo: 1 }] }, "parameter-unknown", "messages[0].foo"],
    [{ tools: [{ ...tool, cache: 1 }] }, "parameter-unknown", "tools[0].cache"],
    [{ messages: [{ role: "user" }] }, "value-invalid", "messages[0].content"],
    [{ cache_salt: "x" }, "parameter-unsupported", "cache_salt"],
    [{ priority: 0 }, "parameter-unsupported", "priority"],
    [{ functions: [] }, "parameter-unsupported", "functions"],
    [{ modalities: ["text", "audio"] }, "parameter-unsupported", "modalities"],
    [{ tools: [{ type: "custom", custom: { name: "x" } }] }, "parameter-unsupported", "tools[0].type"],
    [
      { messages: [{ role: "function", name: "x", content: "" }] },
      "parameter-unsupported",
      "messages[0].role",
    ],
    [
      { messages: [{ role: "user", content: [{ type: "file", file: {} }] }] },
      "value-invalid",
      "messages[0].content[0].file.file_data",
    ],
    [
      { messages: [{ role: "system", content: [{ type: "file", file: {} }] }] },
      "parameter-unsupported",
      "messages[0].content[0].type",
    ],
    [
      { messages: [user, { role: "assistant", content: "", audio: { id: "a" } }] },
      "parameter-unsupported",
      "messages[1].audio",
    ],
    [{ model: "" }, "value-invalid", "model"],
    [{ temperature: 2.1 }, "value-invalid", "temperature"],
    [{ temperature: "0" }, "value-invalid", "temperature"],
    [{ max_completion_tokens: 0 }, "value-invalid", "max_completion_tokens"],
    [{ max_tokens: 5, max_completion_tokens: 6 }, "value-invalid", "max_tokens"],
    [{ min_tokens: 6, max_tokens: 5 }, "value-invalid", "min_tokens"],
    [{ n: 17 }, "value-invalid", "n"],
    [{ n: 2, conversation_id: "c" }, "value-invalid", "n"],
    [{ stop: ["1", "2", "3", "4", "5"] }, "value-invalid", "stop"],
    [{ stop: ["a", 2] }, "value-invalid", "stop[1]"],
    [{ logit_bias: { x: 1 } }, "value-invalid", "logit_bias.x"],
    [{ logit_bias: { 7: 101 } }, "value-invalid", "logit_bias.7"],
    [{ top_logprobs: 3 }, "value-invalid", "top_logprobs"],
    [{ stream_options: { include_usage: true } }, "value-invalid", "stream_options"],
    [{ stream_format: "text" }, "value-invalid", "stream_format"],
    [{ retrieval: true }, "value-invalid", "retrieval"],
    // If it were ignored, the answer would only look grounded.
    [{ retrieval: {} }, "value-invalid", "retrieval.vector_store_ids"],
    [{ retrieval: { vector_store_ids: [] } }, "value-invalid", "retrieval.vector_store_ids"],
    [
      { retrieval: { vector_store_ids: ["a", "b", "c", "d", "e"] } },
      "value-invalid",
      "retrieval.vector_store_ids",
    ],
    [
      { retrieval: { vector_store_ids: ["a"], max_num_results: 51 } },
      "value-invalid",
      "retrieval.max_num_results",
    ],
    [
      { retrieval: { vector_store_ids: ["a"], filters: { type: "eq" } } },
      "value-invalid",
      "retrieval.filters.key",
    ],
    [{ retrieval: { vector_store_ids: ["a"], other: 1 } }, "parameter-unknown", "retrieval.other"],
    [{ tool_choice: "required" }, "value-invalid", "tool_choice"],
    [
      { tools: [tool], tool_choice: { type: "function", function: { name: "sub" } } },
      "value-invalid",
      "tool_choice.function.name",
    ],
    [{ tools: [{ ...tool, function: { name: "a b" } }] }, "value-invalid", "tools[0].function.name"],
    [{ tools: [tool, { type: "function" }] }, "value-invalid", "tools[1].function"],
    [{ structured_outputs: { regex: "a", choice: ["b"] } }, "value-invalid", "structured_outputs"],
    [
      { structured_outputs: { regex: "a" }, response_format: { type: "json_object" } },
      "value-invalid",
      "structured_outputs",
    ],
    [{ messages: [] }, "value-invalid", "messages"],
    [{ messages: "Hello" }, "value-invalid", "messages"],
    [{ messages: [user, 5] }, "value-invalid", "messages[1]"],
    [{ messages: [user, {}] }, "value-invalid", "messages[1].role"],
    [{ messages: [{ role: "king", content: "x" }] }, "value-invalid", "messages[0].role"],
    [{ messages: [{ role: "user" }] }, "value-invalid", "messages[0].content"],
    [{ messages: [{ role: "user", content: 5 }] }, "value-invalid", "messages[0].content"],
    [{ messages: [{ role: "user", content: [] }] }, "value-invalid", "messages[0].content"],
    [
      { messages: [{ role: "user", content: [{ type: "text" }] }] },
      "value-invalid",
      "messages[0].content[0].text",
    ],
    [{ messages: [{ role: "user", content: "cut \ud83d" }] }, "value-invalid", "messages[0].content"],
    [{ messages: [user, { role: "assistant" }] }, "value-invalid", "messages[1].content"],
    [
      { messages: [user, { role: "assistant", tool_calls: [call] }] },
      "value-invalid",
      "messages[1].tool_calls",
    ],
    [
      { messages: [user, { role: "assistant", tool_calls: [call] }, user] },
      "value-invalid",
      "messages[1].tool_calls",
    ],
    [
      { messages: [user, { role: "assistant", tool_calls: [call, call] }] },
      "value-invalid",
      "messages[1].tool_calls[1].id",
    ],
    [
      {
        messages: [
          user,
          { role: "assistant", tool_calls: [{ ...call, function: { name: "add", arguments: "{" } }] },
        ],
      },
      "value-invalid",
      "messages[1].tool_calls[0].function.arguments",
    ],
  ])("%j", (fields, kind, param) => {
    const error = refused(fields);
    expect(error).toMatchObject({ kind, param });
    if (error?.kind === "value-invalid") expect(error.message).toMatch(/^'.+' .+\.$/);
  });
});

test("what is not there is said to be required, also where it may be of several kinds", () => {
  expect(refused({ messages: [{ role: "user" }] })).toMatchObject({
    message: "'messages[0].content' is required.",
  });
});
