/** What does a response go on from? Tools' results, the response before it, a conversation; and what is cut where it is long. */
import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { create, question, stream } from "./responses-fixture.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({
  responding: { default_system_prompt: "Be kind." },
  chaining: { limits: limitless },
});

test("reasoning and tool calls are items of their own", async () => {
  const authorization = await bearer("responding", "items");
  const call = (index: number, more: object) => ({ tool_calls: [{ index, ...more }] });
  engine.script = {
    deltas: [
      { reasoning: "Let me" },
      { reasoning: " see." },
      { content: "Looking." },
      call(0, { id: "call_a", type: "function", function: { name: "look", arguments: "" } }),
      call(0, { function: { arguments: '{"at":' } }),
      call(0, { function: { arguments: '"sky"}' } }),
      call(1, { id: "call_b", type: "function", function: { name: "look", arguments: '{"at":"sea"}' } }),
    ],
    finish: "tool_calls",
  };
  const tools = [{ type: "function", name: "look", parameters: { type: "object", properties: {} } }];
  const events = await stream(authorization, { tools });
  expect(events.at(-1)?.data.response?.output).toMatchObject([
    { type: "reasoning", content: [{ type: "reasoning_text", text: "Let me see." }] },
    { type: "message", content: [{ type: "output_text", text: "Looking." }] },
    {
      type: "function_call",
      call_id: "call_a",
      name: "look",
      arguments: '{"at":"sky"}',
      status: "completed",
    },
    {
      type: "function_call",
      call_id: "call_b",
      name: "look",
      arguments: '{"at":"sea"}',
      status: "completed",
    },
  ]);
  const id = events[0]?.data.response?.id;
  engine.script = null;
  await create(authorization, {
    tools,
    previous_response_id: id,
    input: [
      { type: "function_call_output", call_id: "call_a", output: "blue" },
      { type: "function_call_output", call_id: "call_b", output: "grey" },
    ],
  });
  // Llama's template takes one call a message: compose parts them.
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system", content: "Be kind." },
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Looking.", reasoning: "Let me see.", tool_calls: [{ id: "call_a" }] },
    { role: "tool", content: "blue", tool_call_id: "call_a" },
    { role: "assistant", tool_calls: [{ id: "call_b" }] },
    { role: "tool", content: "grey", tool_call_id: "call_b" },
  ]);
  await settled();
});

test("a response that ended in half a call can be gone on from", async () => {
  const authorization = await bearer("responding", "half");
  const call = (more: object) => ({ tool_calls: [{ index: 0, ...more }] });
  engine.script = {
    deltas: [
      call({ id: "call_a", type: "function", function: { name: "look", arguments: "" } }),
      call({ function: { arguments: '{"at":"sk' } }),
    ],
    finish: "length",
  };
  const tools = [{ type: "function", name: "look", parameters: { type: "object", properties: {} } }];
  const first = await create(authorization, { tools });
  expect(first).toMatchObject({ status: "incomplete" });
  engine.script = null;
  expect(await create(authorization, { previous_response_id: first.id, input: "Go on." })).toMatchObject({
    status: "completed",
  });
  expect(engine.asked.at(-1)?.["messages"]).toEqual([
    { role: "system", content: "Be kind." },
    { role: "user", content: "Hi" },
    { role: "user", content: "Go on." },
  ]);
  await settled();
});

test("a chain of responses is one conversation, without the instructions of before", async () => {
  const authorization = await bearer("responding", "chain");
  const first = await create(authorization, { instructions: "Say A.", input: "one" });
  const second = await create(authorization, { previous_response_id: first.id, input: "two" });
  const third = await create(authorization, {
    previous_response_id: second.id,
    instructions: "Say C.",
    input: [{ role: "user", content: [{ type: "input_text", text: "three" }] }],
  });
  expect(third).toMatchObject({ previous_response_id: second.id });
  expect(engine.asked.at(-1)?.["messages"]).toEqual([
    { role: "system", content: "Say C." },
    { role: "user", content: "one" },
    { role: "assistant", content: "Hello there" },
    { role: "user", content: "two" },
    { role: "assistant", content: "Hello there" },
    { role: "user", content: "three" },
  ]);
  // Whoever deletes a response takes it, and what was before it, out of what follows.
  await send(`/v1/responses/${first.id}`, { method: "DELETE", headers: { authorization } });
  await create(authorization, { previous_response_id: third.id, input: "four" });
  expect(engine.lastRead()).not.toContain("one");
  expect(engine.lastRead()).toContain("two");
  expect(
    (await post("/v1/responses", authorization, { ...question, previous_response_id: first.id })).status,
  ).toBe(404);
  await settled();
});

test("what is not stored is told on in what is not stored either, behind what is; and leaves nothing in what is", async () => {
  const authorization = await bearer("responding", "unkept-chain");
  const next = async (input: string, store: boolean, previous_response_id?: string) =>
    (await create(authorization, { input, store, previous_response_id })).id;
  const forget = (id: string) =>
    send(`/v1/responses/${id}`, { method: "DELETE", headers: { authorization } });
  const kept = await next("one", true);
  const first = await next("two", false, kept);
  const second = await next("three", false, first);
  // As a minute after its end.
  await forget(first);
  const third = await next("four", false, second);
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system" },
    ...["one", "two", "three"].flatMap((content) => [
      { role: "user", content },
      { role: "assistant", content: "Hello there" },
    ]),
    { role: "user", content: "four" },
  ]);
  const stored = await next("five", true, third);
  expect(engine.lastRead()).toContain("two");
  await forget(third);
  await next("six", true, stored);
  expect(engine.lastRead()).toContain("five");
  for (const gone of ["two", "three", "four"]) expect(engine.lastRead()).not.toContain(gone);
  await settled();
});

test("what a chain is asked with again and again (tools, instructions) costs none of its memory", async () => {
  const authorization = await bearer("chaining", "large-tools");
  const tools = ["look", "see"].map((name) => ({ type: "function", name, description: "x".repeat(65_000) }));
  const model = "qwen3-reason";
  let { id } = await create(authorization, { model, tools, input: "The secret is 7." });
  for (let at = 0; at < 10; at += 1)
    ({ id } = await create(authorization, { model, tools, input: `${at}`, previous_response_id: id }));
  expect(engine.lastRead()).toContain("The secret is 7.");
  await settled();
});

test("where more is remembered than can be, nothing is forgotten in silence: it is refused, or may be cut", async () => {
  const authorization = await bearer("chaining", "too-much");
  const long = "word ".repeat(300_000);
  let previous_response_id: string | undefined;
  for (let at = 0; at < 4; at += 1) {
    const input = [
      { role: "user", content: long },
      { role: "assistant", content: "Yes." },
      { role: "user", content: "Hi" },
    ];
    const { id } = await create(authorization, { input, previous_response_id, truncation: "auto" });
    previous_response_id = id;
  }
  const refused = await post("/v1/responses", authorization, { ...question, previous_response_id });
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({
    error: { code: "invalid_value", param: "previous_response_id" },
  });
  await create(authorization, { previous_response_id, truncation: "auto" });
  expect(engine.lastRead()).not.toContain("word");
  await settled();
});

test("what is over the window is refused, unless it may be cut: then the oldest goes", async () => {
  const authorization = await bearer("responding", "window", { tier: "enterprise" });
  const long = "word ".repeat(20_000);
  // Of a model that this engine has not told its counts of yet.
  const said = ["user", "assistant", "user"].map((role) => ({
    role,
    content: role === "user" ? long : "Yes.",
  }));
  const next = { ...question, model: "qwen3-reason", input: said };
  const refused = await post("/v1/responses", authorization, next);
  expect(refused.status).toBe(400);
  expect(await refused.json()).toMatchObject({ error: { code: "context_length_exceeded", param: "input" } });
  await create(authorization, { ...next, truncation: "auto", instructions: "Stay." });
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system", content: "Stay." },
    { role: "user", content: long },
  ]);
  await settled();
});

test.each(["previous_response_id", "conversation"] as const)(
  "after a call that was cut off in its arguments the next turn goes on (%s)",
  async (way) => {
    const authorization = await bearer("responding", `cut-call-${way}`);
    const tools = [{ type: "function", name: "look", parameters: { type: "object", properties: {} } }];
    engine.script = {
      deltas: [
        {
          tool_calls: [
            { index: 0, id: "call_a", type: "function", function: { name: "look", arguments: '{"at":"sk' } },
          ],
        },
      ],
      finish: "length",
    };
    const first = await create(authorization, {
      tools,
      ...(way === "conversation" && { conversation: way }),
    });
    expect(first).toMatchObject({ status: "incomplete", output: [{ arguments: '{"at":"sk' }] });
    engine.script = null;
    if (way === "conversation")
      await eventually(async () => {
        const items = await send(`/v1/conversations/${way}/items`, { headers: { authorization } });
        expect(await items.json()).toMatchObject({ data: [{ type: "function_call" }, { role: "user" }] });
      });
    await create(authorization, { tools, input: "Go on.", [way]: way === "conversation" ? way : first.id });
    expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
      { role: "system" },
      { role: "user", content: "Hi" },
      { role: "user", content: "Go on." },
    ]);
    await settled();
  },
);

test("a response in a conversation goes on from it and is saved in it", async () => {
  const authorization = await bearer("responding", "talk");
  await create(authorization, { conversation: { id: "c1" }, input: "I am Ann." });
  await eventually(async () => {
    const items = await send("/v1/conversations/c1/items?order=asc", { headers: { authorization } });
    expect(await items.json()).toMatchObject({ data: [{ role: "user" }, { role: "assistant" }] });
  });
  expect(await create(authorization, { conversation: "c1", input: "Who am I?" })).toMatchObject({
    conversation: { id: "c1" },
  });
  expect(engine.asked.at(-1)?.["messages"]).toEqual([
    { role: "system", content: "Be kind." },
    { role: "user", content: "I am Ann." },
    { role: "assistant", content: "Hello there" },
    { role: "user", content: "Who am I?" },
  ]);
  await settled();
});

test("a response of a conversation is gone on from by the conversation: by its id alone all before it would be forgotten", async () => {
  const authorization = await bearer("responding", "by-id");
  const { id } = await create(authorization, { conversation: "c2", input: "I am Ann." });
  for (const path of ["/v1/responses", "/v1/responses/input_tokens"]) {
    const body = { model: "auto", previous_response_id: id, input: "Who am I?" };
    const refused = await post(path, authorization, body);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { param: "previous_response_id", message: expect.stringContaining("'conversation'") },
    });
  }
  await settled();
});
