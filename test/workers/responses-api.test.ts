import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { create, get, question, stream } from "./responses-fixture.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({
  responding: { default_system_prompt: "Be kind." },
  masking: { safety: { input: { action: "mask" }, output: { action: "mask" } } },
});

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
  ]);
  const bodies = await Promise.all(
    answers.map(async (answer) => (answer instanceof Response ? answer.json() : answer.body)),
  );
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([404]));
  expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
  const [theirs, none] = await Promise.all(
    [id, `${id.slice(0, -1)}x`].map(async (previous_response_id) => {
      const answer = await post("/v1/responses", bob, { ...question, previous_response_id });
      return { status: answer.status, body: await answer.json() };
    }),
  );
  expect(theirs).toMatchObject({ status: 404, body: { error: { param: "previous_response_id" } } });
  expect(theirs).toEqual(none);
  expect((await get(ann, id)).status).toBe(200);
  await settled();
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

test("one that its claim keeps leading to is not asked for again: its clients are told so", async () => {
  const authorization = await bearer("responding", "broken-claim");
  engine.script = { deltas: [{ content: "Half" }], finish: null };
  for (const headers of [{ "idempotency-key": "broken" }, {}]) {
    const response = await post("/v1/responses", authorization, question, headers);
    expect(response.status).toBe(503);
    expect(response.headers.get("x-should-retry")).toBe("idempotency-key" in headers ? "false" : null);
  }
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
  [
    "tools[0].type",
    { tools: [{ type: "mcp", server_label: "s", server_url: "https://s.test" }] },
    "unsupported_parameter",
  ],
  ["tools[0].type", { tools: [{ type: "web_search" }] }, "unsupported_parameter"],
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
