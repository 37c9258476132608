import { abortAllDurableObjects } from "cloudflare:test";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { bearer, post, putTenant, send, settled } from "./edge-under-test.ts";
import { readEvents, type ResponseObject, terminalEvents } from "./response-events.ts";
import { ScriptedEngine } from "./scripted-engine.ts";
import { eventually } from "./eventually.ts";

const engine = new ScriptedEngine();

beforeAll(async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(engine.fetch);
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  await putTenant("responding", { default_system_prompt: "Be kind." });
  await putTenant("uncontinued", { requests: { continue_answers: false } });
  await putTenant("masking", { safety: { input: { action: "mask" }, output: { action: "mask" } } });
});
beforeEach(() => {
  engine.tokens = ["Hello", " there"];
  engine.script = null;
  engine.asked.length = 0;
  engine.cancelled = 0;
  engine.pause = null;
});
afterAll(() => void vi.restoreAllMocks());

const question = { model: "auto", max_output_tokens: 50, input: "Hi" };

async function create(authorization: string, body: object): Promise<ResponseObject> {
  const response = await post("/v1/responses", authorization, { ...question, ...body });
  expect(response.status).toBe(200);
  return response.json();
}

async function stream(authorization: string, body: object) {
  const response = await post("/v1/responses", authorization, { ...question, stream: true, ...body });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  return readEvents(await response.text());
}

async function get(authorization: string, path: string): Promise<{ status: number; body: unknown }> {
  const response = await send(`/v1/responses/${path}`, { headers: { authorization } });
  return { status: response.status, body: await response.json() };
}

async function expectBill(authorization: string, requests: number, tokens: number): Promise<void> {
  await settled();
  await eventually(async () => {
    const usage = await send("/v1/usage", { headers: { authorization } });
    expect(await usage.json()).toMatchObject({
      user: { used: { requests, tokens }, reserved: { tokens: 0 } },
    });
  });
}

test("a response is answered whole, can be had by its id, and is charged once", async () => {
  const authorization = await bearer("responding", "whole");
  const response = await create(authorization, { metadata: { topic: "greeting" } });
  expect(response).toMatchObject({
    object: "response",
    status: "completed",
    error: null,
    incomplete_details: null,
    metadata: { topic: "greeting" },
    output: [
      {
        type: "message",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "Hello there" }],
      },
    ],
    usage: { input_tokens: 10, output_tokens: 2, total_tokens: 12 },
  });
  expect(await get(authorization, response.id)).toEqual({ status: 200, body: response });
  expect(engine.asked[0]).toMatchObject({
    max_tokens: 50,
    messages: [
      { role: "system", content: "Be kind." },
      { role: "user", content: "Hi" },
    ],
  });
  await expectBill(authorization, 1, 12);
});

test("a stream says every step in order, with a number each and one end", async () => {
  const authorization = await bearer("responding", "stream");
  const events = await stream(authorization, {});
  expect(events.map((event) => event.name)).toEqual([
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  for (const [at, event] of events.entries()) {
    expect(event.id).toBe(at);
    expect(event.data.sequence_number).toBe(at);
    expect(event.data.type).toBe(event.name);
  }
  const last = events.at(-1)?.data.response;
  expect(await get(authorization, last?.id ?? "")).toEqual({ status: 200, body: last });
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

test("another user's response does not exist: not to see, to stop, to delete, nor to go on from", async () => {
  const ann = await bearer("responding", "ann");
  const bob = await bearer("responding", "bob");
  const { id } = await create(ann, { input: "My secret is 7." });
  const answers = await Promise.all([
    get(bob, id),
    get(bob, `${id.slice(0, -1)}x`),
    get(bob, `${id}/input_items`),
    send(`/v1/responses/${id}/cancel`, { method: "POST", headers: { authorization: bob } }),
    send(`/v1/responses/${id}`, { method: "DELETE", headers: { authorization: bob } }),
    post("/v1/responses", bob, { ...question, previous_response_id: id }),
  ]);
  const bodies = await Promise.all(
    answers.map(async (answer) => (answer instanceof Response ? answer.json() : answer.body)),
  );
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([404]));
  expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
  expect((await get(ann, id)).status).toBe(200);
  await settled();
});

test("a background response is queued at once, runs, and is polled to its end", async () => {
  const authorization = await bearer("responding", "background");
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 1, until: gate.promise };
  const queued = await create(authorization, { background: true });
  expect(queued).toMatchObject({ status: "queued", output: [], background: true });
  await eventually(() => expect(engine.asked).toHaveLength(1));
  expect(await get(authorization, queued.id)).toMatchObject({ body: { status: "in_progress", output: [] } });
  gate.resolve();
  await eventually(async () =>
    expect(await get(authorization, queued.id)).toMatchObject({
      body: { status: "completed", output: [{ content: [{ text: "Hello there" }] }] },
    }),
  );
  const replay = await send(`/v1/responses/${queued.id}?stream=true`, { headers: { authorization } });
  expect(
    readEvents(await replay.text())
      .slice(0, 3)
      .map((event) => event.name),
  ).toEqual(["response.created", "response.queued", "response.in_progress"]);
  await expectBill(authorization, 1, 12);
});

test("a background response that is refused fails, and says why", async () => {
  const authorization = await bearer("responding", "background-refused");
  const queued = await create(authorization, { background: true, model: "none-such" });
  await eventually(async () =>
    expect(await get(authorization, queued.id)).toMatchObject({
      body: { status: "failed", error: { code: "invalid_prompt" }, output: [] },
    }),
  );
  await settled();
});

test("cancelling stops the engine; what was said stands, and the stream ends once", async () => {
  const authorization = await bearer("responding", "cancel");
  const gate = Promise.withResolvers<void>();
  engine.tokens = ["One", " two", " three"];
  engine.pause = { at: 2, until: gate.promise };
  const streaming = await post("/v1/responses", authorization, { ...question, stream: true });
  const id = streaming.headers.get("x-edgewise-response-id") ?? "";
  const cancel = () => send(`/v1/responses/${id}/cancel`, { method: "POST", headers: { authorization } });
  const cancelled = await (await cancel()).json();
  expect(cancelled).toMatchObject({
    id,
    status: "cancelled",
    output: [{ status: "incomplete", content: [{ text: "One two" }] }],
  });
  expect(await (await cancel()).json()).toEqual(cancelled);
  const events = readEvents(await streaming.text());
  expect(events.filter((event) => terminalEvents.includes(event.name))).toHaveLength(1);
  expect(events.at(-1)?.data.response).toEqual(cancelled);
  expect(events.map((event) => event.id)).toEqual(events.map((_, at) => at));
  gate.resolve();
  await eventually(() => expect(engine.cancelled).toBe(1));
  await expectBill(authorization, 1, 12);
});

test("an answer that breaks ends as failed, whose object is kept", async () => {
  const authorization = await bearer("responding", "broken");
  engine.script = { deltas: [{ content: "Half" }], finish: null };
  const events = await stream(authorization, {});
  expect(events.at(-1)).toMatchObject({
    name: "response.failed",
    data: {
      response: { status: "failed", error: { code: "server_error" }, output: [{ status: "incomplete" }] },
    },
  });
  const last = events.at(-1)?.data.response;
  expect(await get(authorization, last?.id ?? "")).toEqual({ status: 200, body: last });
  const whole = await post("/v1/responses", authorization, question);
  expect(whole.status).toBe(503);
  await settled();
});

test("an answer that is cut short is incomplete", async () => {
  const authorization = await bearer("responding", "cut");
  engine.script = { deltas: [{ content: "Half" }], finish: "length" };
  expect(await create(authorization, {})).toMatchObject({
    status: "incomplete",
    incomplete_details: { reason: "max_output_tokens" },
    output: [{ status: "incomplete" }],
  });
  await settled();
});

test("after a crash, where nobody may go on, every reader sees the same failed response, numbered without a gap", async () => {
  const authorization = await bearer("uncontinued", "crash");
  engine.tokens = ["One", " two", " three"];
  engine.pause = { at: 2, until: new Promise(() => undefined) };
  const streaming = await post("/v1/responses", authorization, { ...question, stream: true });
  const id = streaming.headers.get("x-edgewise-response-id") ?? "";
  const reader = streaming.body?.getReader();
  let seen = "";
  while (!seen.includes(" two")) seen += new TextDecoder().decode((await reader?.read())?.value);
  await abortAllDurableObjects();
  const replay = await (await send(`/v1/responses/${id}?stream=true`, { headers: { authorization } })).text();
  expect(replay.startsWith(seen)).toBe(true);
  const events = readEvents(replay);
  expect(events.map((event) => event.data.sequence_number)).toEqual(events.map((_, at) => at));
  expect(events.at(-1)).toMatchObject({
    name: "response.failed",
    data: { response: { output: [{ content: [{ text: "One two" }] }] } },
  });
  await expectBill(authorization, 1, 12);
});

test("what was asked is listed a page at a time, in either order", async () => {
  const authorization = await bearer("responding", "input");
  const { id } = await create(authorization, {
    input: [
      { role: "developer", content: "Be brief." },
      { role: "user", content: "one" },
      { role: "assistant", content: "1" },
      { role: "user", content: "two" },
    ],
  });
  const all = (await get(authorization, `${id}/input_items?order=asc`)).body as { data: { id: string }[] };
  expect(all).toMatchObject({
    has_more: false,
    data: [
      { role: "developer", content: [{ type: "input_text", text: "Be brief." }] },
      { role: "user" },
      { role: "assistant", content: [{ type: "output_text", text: "1" }] },
      { role: "user", content: [{ type: "input_text", text: "two" }] },
    ],
  });
  const page = await get(authorization, `${id}/input_items?limit=2&after=${all.data[3]?.id}`);
  expect(page.body).toMatchObject({
    has_more: true,
    data: [{ role: "assistant" }, { content: [{ text: "one" }] }],
  });
  expect(await get(authorization, `${id}/input_items?after=msg_none`)).toMatchObject({
    status: 400,
    body: { error: { param: "after" } },
  });
  await settled();
});

test("what is not stored is gone from what follows, and nobody can go on from it", async () => {
  const authorization = await bearer("responding", "unstored");
  const response = await create(authorization, { store: false });
  expect(response).toMatchObject({ store: false, status: "completed" });
  const { id } = await create(authorization, {});
  expect((await send(`/v1/responses/${id}`, { method: "DELETE", headers: { authorization } })).status).toBe(
    200,
  );
  expect((await get(authorization, id)).status).toBe(404);
  expect((await get(authorization, `${id}/input_items`)).status).toBe(404);
  await settled();
});

test("the same Idempotency-Key gives the same response; with another body it is refused", async () => {
  const authorization = await bearer("responding", "keyed");
  const ask = (body: object) =>
    send("/v1/responses", {
      method: "POST",
      headers: { authorization, "content-type": "application/json", "idempotency-key": "k" },
      body: JSON.stringify(body),
    });
  const texts = await Promise.all(
    Array.from({ length: 20 }, async () => (await ask({ ...question, stream: true })).text()),
  );
  expect(new Set(texts).size).toBe(1);
  expect(engine.asked).toHaveLength(1);
  expect((await ask({ ...question, stream: true, input: "Other" })).status).toBe(422);
  await expectBill(authorization, 1, 12);
});

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

test("what the screen masks is masked everywhere: for the model, in what is kept, and in what is shown", async () => {
  const authorization = await bearer("masking", "ann");
  const response = await create(authorization, {
    instructions: "Write to ann@example.com.",
    input: [{ role: "user", content: "I am bob@example.com." }],
  });
  const items = await get(authorization, `${response.id}/input_items`);
  const said = JSON.stringify([response, items, engine.lastRead()]);
  expect(said).not.toContain("@example.com");
  expect(said).toContain("Write to");
  await settled();
});

test.for([
  ["tools[0].type", { tools: [{ type: "file_search", vector_store_ids: ["v"] }] }, "unsupported_parameter"],
  ["tools[0].type", { tools: [{ type: "web_search" }] }, "unsupported_parameter"],
  ["input[0].type", { input: [{ type: "item_reference", id: "x" }] }, "unsupported_parameter"],
  [
    "input[0].content[0].file_id",
    { input: [{ role: "user", content: [{ type: "input_image", image_url: "x", file_id: "f" }] }] },
    "unsupported_parameter",
  ],
  [
    "input[0].content[0].image_url",
    { input: [{ role: "user", content: [{ type: "input_image", image_url: "http://10.0.0.1/a" }] }] },
    "invalid_value",
  ],
  [
    "input[0].call_id",
    { input: [{ type: "function_call_output", call_id: "x", output: "y" }] },
    "invalid_value",
  ],
  ["prompt", { prompt: { id: "p" } }, "unsupported_parameter"],
  ["messages", { messages: [] }, "unsupported_parameter"],
  ["background", { background: true, store: false }, "invalid_value"],
  ["previous_response_id", { conversation: "c", previous_response_id: "resp_x" }, "invalid_value"],
  ["nonsense", { nonsense: 1 }, "unknown_parameter"],
  ["temperature", { temperature: 3 }, "invalid_value"],
  ["tool_choice", { tool_choice: "required" }, "invalid_value"],
] as const)("%s is refused by its name", async ([param, body, code]) => {
  const authorization = await bearer("responding", "refused");
  const response = await post("/v1/responses", authorization, { ...question, ...body });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { param, code } });
});
