/** `Cache-Control: only-if-cached`: a stored answer, or 504 without a model, a charge, a turn or an object. */
import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";
import { eventually } from "./eventually.ts";

const tenant = "stored";
const stored = { "cache-control": "only-if-cached" };
const engine = scriptedEdge({
  [tenant]: {},
  attaches: { requests: { retry_attach: true } },
  "nearly-out": { limits: { user: { pro: { tokens_per_month: 220 } } } },
});

const chat = (more: object = {}) => ({
  model: "auto",
  temperature: 0,
  max_tokens: 100,
  messages: [{ role: "user", content: "hi" }],
  ...more,
});

async function usedBy(authorization: string): Promise<unknown> {
  const usage = await send("/v1/usage", { headers: { authorization } });
  const { user }: { user: { used: unknown } } = await usage.json();
  return user.used;
}

/** A look-up takes a second at most, which may be too short on a busy machine: what is stored is asked for again. */
function found(authorization: string, body: object): Promise<Response> {
  return eventually(async () => {
    const response = await post("/v1/chat/completions", authorization, body, stored);
    expect(response.status).toBe(200);
    return response;
  });
}

test.each<readonly [string, string, object, Readonly<Record<string, string>>]>([
  ["a chat that nobody asked before", "/v1/chat/completions", chat(), {}],
  ["its stream", "/v1/chat/completions", chat({ stream: true }), {}],
  ["one that is never stored", "/v1/chat/completions", chat({ temperature: 1 }), {}],
  [
    "one that wants a new answer as well",
    "/v1/chat/completions",
    chat(),
    { "cache-control": "no-cache, Only-If-Cached" },
  ],
  ["a turn of a conversation", "/v1/chat/completions", chat({ conversation_id: "c" }), {}],
  ["a turn that is to be stored", "/v1/chat/completions", chat({ store: true }), {}],
  ["a turn with a key", "/v1/chat/completions", chat(), { "idempotency-key": "k" }],
  ["a plain completion", "/v1/completions", { model: "auto", prompt: "hi" }, {}],
  ["a response", "/v1/responses", { model: "auto", input: "hi" }, {}],
  ["an embedding", "/v1/embeddings", { model: "bge-small", input: "hi" }, {}],
])("%s: 504 at once, no model is asked and nothing charged", async (_, path, body, headers) => {
  const authorization = await bearer(tenant, crypto.randomUUID());
  const response = await post(path, authorization, body, { ...stored, ...headers });
  expect(response.status).toBe(504);
  expect(response.headers.get("x-should-retry")).toBe("false");
  expect(response.headers.get("cache-status")).toBe("edgewise; detail=only-if-cached");
  expect(await response.json()).toMatchObject({
    error: { type: "invalid_request_error", code: "no_stored_answer", param: null },
  });
  await settled();
  expect(engine.asked).toHaveLength(0);
  expect(await usedBy(authorization)).toMatchObject({ requests: 0, tokens: 0 });
});

test("a stored answer is given, whole and as a stream, unless it is older than the client takes", async () => {
  const authorization = await bearer(tenant, crypto.randomUUID());
  const first = await post("/v1/chat/completions", authorization, chat());
  expect(await first.text()).toContain("Hello there");
  await settled();
  engine.asked.length = 0;
  const again = await found(authorization, chat());
  expect(again.headers.get("cache-status")).toMatch(/^edgewise; hit; ttl=\d+; detail=exact$/);
  expect(await again.text()).toContain("Hello there");
  const stream = await found(authorization, chat({ stream: true }));
  expect(readStream(await stream.text())).toEqual({ content: "Hello there", finish: "stop", done: true });
  const young = { "cache-control": "only-if-cached, max-age=0" };
  expect((await post("/v1/chat/completions", authorization, chat(), young)).status).toBe(504);
  await settled();
  expect(engine.asked).toHaveLength(0);
});

test("a turn that others would attach to is looked for, and never begun", async () => {
  const authorization = await bearer("attaches", crypto.randomUUID());
  const response = await post("/v1/chat/completions", authorization, chat(), stored);
  expect(response.status).toBe(504);
  expect((await post("/v1/chat/completions", authorization, chat())).status).toBe(200);
  await settled();
  expect(engine.asked).toHaveLength(1);
});

test("a stored answer needs no tokens: it is given to whoever has none left", async () => {
  const authorization = await bearer("nearly-out", crypto.randomUUID());
  const ask = async (body: object): Promise<number> => {
    const response = await post("/v1/chat/completions", authorization, body);
    await response.text();
    await settled();
    return response.status;
  };
  expect(await ask(chat())).toBe(200);
  engine.tokens = Array.from({ length: 130 }, () => "x ");
  expect(await ask(chat({ max_tokens: 140, temperature: 1 }))).toBe(200);
  // What is left of the month does not hold another answer of 100.
  expect(await ask(chat({ temperature: 1 }))).toBe(429);
  await (await found(authorization, chat())).text();
});
