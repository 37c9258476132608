import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { closed, readerWithFiles } from "./grounding-fixture.ts";
import { create } from "./responses-fixture.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({
  counting: { default_system_prompt: "Be kind." },
  "counting-masked": { safety: { input: { action: "mask" } } },
});

async function count(authorization: string, body: object) {
  const response = await post("/v1/responses/input_tokens", authorization, {
    model: "llama-3.1-8b",
    ...body,
  });
  return { status: response.status, body: await response.json<{ input_tokens: number }>() };
}

const tool = { type: "function", name: "look", parameters: { type: "object", properties: {} } };

test("the engine counts what it would get: what is before it, tools and the tenant's own prompt; it costs a request", async () => {
  const authorization = await bearer("counting", "exact");
  const { id } = await create(authorization, { model: "llama-3.1-8b", input: "one" });
  engine.counts = 123;
  const input = [{ role: "user", content: "two" }];
  expect(await count(authorization, { input, tools: [tool], previous_response_id: id })).toEqual({
    status: 200,
    body: { object: "response.input_tokens", input_tokens: 123, edgewise: { basis: "exact" } },
  });
  expect(engine.asked.at(-1)).toEqual({
    model: "meta-llama/Llama-3.1-8B-Instruct",
    add_generation_prompt: true,
    messages: [
      { role: "system", content: "Be kind." },
      { role: "user", content: "one" },
      { role: "assistant", content: "Hello there" },
      { role: "user", content: "two" },
    ],
    tools: [{ type: "function", function: { name: "look", parameters: tool.parameters } }],
  });
  await expectBill(authorization, 2, 12);
});

test("what files say is counted with it, as the same response would be told; another's store is unknown by its place", async () => {
  const { authorization, storeId } = await readerWithFiles("counting", "grounded");
  const input = "On which Monday of May is the office closed, please?";
  const tools = [{ type: "file_search", vector_store_ids: [storeId] }];
  engine.counts = 99;
  expect(await count(authorization, { input, tools })).toEqual({
    status: 200,
    body: {
      object: "response.input_tokens",
      input_tokens: 99,
      edgewise: { basis: "exact", retrieval: { passages: 2, complete: true } },
    },
  });
  expect(engine.lastRead()).toContain(closed);
  const counted = engine.asked.at(-1)?.["messages"];
  await create(authorization, { model: "llama-3.1-8b", input, tools });
  expect(engine.asked.at(-1)?.["messages"]).toEqual(counted);
  engine.counts = null;
  const estimated = await count(authorization, { input, tools });
  const without = await count(authorization, { input, tools, tool_choice: "none" });
  expect(estimated.body.input_tokens).toBeGreaterThan(without.body.input_tokens + 60);
  expect(without.body).not.toHaveProperty("edgewise.retrieval");
  const other = [{ type: "file_search", vector_store_ids: [storeId, "vs_none"] }];
  expect(await count(authorization, { input, tools: other })).toMatchObject({
    status: 404,
    body: { error: { param: "tools[0].vector_store_ids[1]" } },
  });
  await settled();
});

test("a prompt that the engine itself counts to its window is refused, as the response would be", async () => {
  const authorization = await bearer("counting", "full");
  const model = await send("/v1/models/llama-3.1-8b", { headers: { authorization } });
  const { context_window: window } = await model.json<{ context_window: number }>();
  engine.counts = window - 1;
  const fits = { status: 200, body: { input_tokens: window - 1, edgewise: { basis: "exact" } } };
  expect(await count(authorization, { input: "Hi" })).toMatchObject(fits);
  await expectBill(authorization, 1, 0);
  engine.counts = window;
  const full = { status: 400, body: { error: { code: "context_length_exceeded", param: "input" } } };
  expect(await count(authorization, { input: "Hi" })).toMatchObject(full);
  await expectBill(authorization, 1, 0);
});

test("where files alone make it too long, it is counted without them, as the response would be asked for", async () => {
  const { authorization, storeId } = await readerWithFiles("counting", "too-grounded");
  const tools = [{ type: "file_search", vector_store_ids: [storeId] }];
  engine.countsOf = (prompt) => (prompt.includes(closed) ? 1_000_000 : 50);
  expect(
    await count(authorization, { input: "On which Monday of May is the office closed?", tools }),
  ).toEqual({
    status: 200,
    body: {
      object: "response.input_tokens",
      input_tokens: 50,
      edgewise: { basis: "exact", retrieval: { passages: 0, complete: true } },
    },
  });
  await settled();
});

test("where the engine can't count now, and for images, the estimate is told, and called so", async () => {
  const authorization = await bearer("counting", "estimated");
  const estimated = { status: 200, body: { edgewise: { basis: "estimated" } } };
  const text = await count(authorization, { input: "How many tokens is this?" });
  expect(text).toMatchObject(estimated);
  expect(text.body.input_tokens).toBeGreaterThan(6);
  engine.counts = 1;
  const image_url = "data:image/png;base64,iVBORw0KGgoAAAAN";
  const seen = [{ role: "user", content: [{ type: "input_image", image_url }] }];
  const picture = await count(authorization, { model: "qwen3-reason", input: seen });
  expect(picture).toMatchObject(estimated);
  expect(picture.body.input_tokens).toBeGreaterThan(500);
  await settled();
});

test("a conversation is counted with what was said in it, and neither it nor what is masked is changed by that", async () => {
  const authorization = await bearer("counting-masked", "ann");
  await create(authorization, { model: "llama-3.1-8b", conversation: "c", input: "one" });
  engine.counts = 5;
  await count(authorization, { conversation: "c", input: "I am bob@example.com." });
  expect(engine.lastRead()).toContain("one");
  expect(engine.lastRead()).not.toContain("bob@example.com");
  await count(authorization, { conversation: "c", input: "And?" });
  expect(engine.lastRead()).not.toContain("I am");
  await settled();
});

test.for([
  ["temperature", { input: "Hi", temperature: 1 }, 400, "unknown_parameter"],
  ["prompt", { prompt: { id: "p" } }, 400, "unsupported_parameter"],
  ["input", { input: [] }, 400, "invalid_value"],
  ["model", { model: "none-such", input: "Hi" }, 404, "model_not_found"],
  ["input", { input: "word ".repeat(50_000) }, 400, "context_length_exceeded"],
  ["previous_response_id", { previous_response_id: "resp_x", conversation: "c" }, 400, "invalid_value"],
  ["previous_response_id", { previous_response_id: "resp_x" }, 404, "not_found"],
] as const)("%s is refused by its name, and costs nothing", async ([param, body, status, code]) => {
  const authorization = await bearer("counting", `refused-${param}-${code}`);
  expect(await count(authorization, body)).toMatchObject({ status, body: { error: { param, code } } });
  await expectBill(authorization, 0, 0);
});

test("instructions alone are a prompt, too", async () => {
  engine.counts = 7;
  expect(await count(await bearer("counting", "instructions"), { instructions: "Be brief." })).toMatchObject({
    status: 200,
    body: { input_tokens: 7 },
  });
  await settled();
});
