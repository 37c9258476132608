import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { blocks, changeStored, ids, storedTurn } from "./generation-probe.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";
import { readUntil } from "./read-until.ts";

const engine = scriptedEdge({ claims: {}, retries: { requests: { retry_attach: true } } });

const question = { model: "auto", max_tokens: 50, messages: [{ role: "user", content: "Hi" }] };
const streamed = { ...question, stream: true };

function ask(authorization: string, key: string, body: object = streamed): Promise<Response> {
  return send("/v1/chat/completions", {
    method: "POST",
    headers: { authorization, "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(body),
  });
}

function objectOf(response: Response) {
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  return env.GENERATION.getByName(id.slice("chatcmpl-".length, "chatcmpl-".length + 27));
}

test.for([
  ["a stream", streamed],
  ["a whole answer", question],
] as const)(
  "a request sent again after %s gets the same bytes: one origin call, one bill",
  async ([name, body]) => {
    const authorization = await bearer("claims", `sequential-${name}`);
    const first = await ask(authorization, "k1", body);
    const bytes = await first.text();
    expect(bytes).toContain("chatcmpl-");
    await evictDurableObject(objectOf(first));
    const again = await ask(authorization, "k1", body);
    expect(await again.text()).toBe(bytes);
    expect(again.headers.get("x-edgewise-response-id")).toBe(first.headers.get("x-edgewise-response-id"));
    expect(engine.asked).toHaveLength(1);
    await expectBill(authorization, 1, 12);
  },
);

test.for([
  ["streams", streamed],
  ["whole answers", question],
] as const)("fifty equal requests at once are one turn: %s", async ([name, body]) => {
  const authorization = await bearer("claims", `concurrent-${name}`);
  const texts = await Promise.all(
    Array.from({ length: 50 }, async () => (await ask(authorization, "all", body)).text()),
  );
  expect(texts[0]).toContain("there");
  expect(new Set(texts).size).toBe(1);
  expect(engine.asked).toHaveLength(1);
  await expectBill(authorization, 1, 12);
});

test("a retry attaches to the turn that its dropped client left running", async () => {
  const authorization = await bearer("claims", "dropped");
  const gate = Promise.withResolvers<void>();
  engine.tokens = ["One", " two", " three"];
  engine.pause = { at: 1, until: gate.promise };
  const first = await ask(authorization, "k");
  await first.body?.cancel();
  const retry = await ask(authorization, "k");
  gate.resolve();
  expect(readStream(await retry.text())).toEqual({ content: "One two three", finish: "stop", done: true });
  expect(engine.asked).toHaveLength(1);
  expect(engine.cancelled).toBe(0);
  await expectBill(authorization, 1, 13);
});

test.for([
  ["a chat", "/v1/chat/completions", streamed],
  ["a response", "/v1/responses", { model: "auto", max_output_tokens: 50, input: "Hi", stream: true }],
] as const)(
  "%s that is sent again goes on behind the event that its client saw last",
  async ([, path, body]) => {
    const authorization = await bearer("claims", `behind${path.length}`);
    const again = (seen: string, key = "k") =>
      post(path, authorization, body, { "idempotency-key": key, "last-event-id": seen });
    // Of a turn that begins it can have seen nothing, whatever it saw of another.
    const whole = await (await again("7")).text();
    const events = blocks(whole);
    expect(ids(whole)).toEqual(events.map((_, at) => at));
    for (let seen = 0; seen < events.length; seen += 1)
      expect(blocks(await (await again(String(seen))).text())).toEqual(events.slice(seen + 1));
    for (const seen of [String(events.length), "x", "-1"]) {
      const refused = await again(seen);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ error: { param: "Last-Event-ID" } });
    }
    expect(engine.asked).toHaveLength(1);
    await expectBill(authorization, 1, 12);
  },
);

test("after a crash in mid-answer every retry gets the same answer, whole, and nothing is billed twice", async () => {
  const authorization = await bearer("claims", "crashed");
  engine.tokens = ["One", " two", " three"];
  engine.pause = { at: 2, until: new Promise(() => undefined) };
  const first = await ask(authorization, "k");
  const { seen } = await readUntil(first, (text) => text.includes(" two"));
  engine.pause = null;
  await abortAllDurableObjects();
  const retry = await (await ask(authorization, "k")).text();
  expect(retry.startsWith(seen)).toBe(true);
  expect(readStream(retry)).toEqual({ content: "One two three", finish: "stop", done: true });
  expect(await (await ask(authorization, "k")).text()).toBe(retry);
  expect(engine.asked).toMatchObject([{}, { continue_final_message: true }]);
  await expectBill(authorization, 1, 13);
});

test("after a crash before the first token the turn runs again, and is billed once", async () => {
  const authorization = await bearer("claims", "crashed-early");
  engine.pause = { at: -1, until: new Promise(() => undefined) };
  const first = ask(authorization, "k").catch(() => "cut");
  await eventually(() => expect(engine.asked).toHaveLength(1));
  engine.pause = null;
  await abortAllDurableObjects();
  await first;
  const retry = await eventually(async () => {
    const response = await ask(authorization, "k");
    expect(response.status).toBe(200);
    return response;
  });
  expect(readStream(await retry.text())).toEqual({ content: "Hello there", finish: "stop", done: true });
  await expectBill(authorization, 1, 12);
});

test("the same key with another body is refused, and is another user's own", async () => {
  const authorization = await bearer("claims", "other-body");
  await (await ask(authorization, "k")).text();
  const other = await ask(authorization, "k", { ...streamed, max_tokens: 51 });
  expect(other.status).toBe(422);
  expect(await other.json()).toMatchObject({ error: { code: "idempotency_key_reused" } });
  expect(engine.asked).toHaveLength(1);
  const theirs = await ask(await bearer("claims", "other-user"), "k", { ...streamed, max_tokens: 51 });
  expect(readStream(await theirs.text()).done).toBe(true);
  expect(engine.asked).toHaveLength(2);
  await expectBill(authorization, 1, 12);
});

test.for([
  ["a field is wrong", { ...streamed, temperature: 9 }, 400],
  ["the model is unknown", { ...streamed, model: "none-such" }, 404],
] as const)("where %s nothing is kept: the key is free", async ([name, wrong, status]) => {
  const authorization = await bearer("claims", `refused-${name}`);
  expect((await ask(authorization, "k", wrong)).status).toBe(status);
  await settled();
  const right = await eventually(async () => {
    const response = await ask(authorization, "k");
    expect(response.status).toBe(200);
    return response;
  });
  expect(readStream(await right.text())).toMatchObject({ done: true });
  await expectBill(authorization, 1, 12);
});

test("a key is 1 to 255 visible ASCII characters", async () => {
  const authorization = await bearer("claims", "format");
  for (const key of ["", "a b", "é", "x".repeat(256)]) {
    const response = await ask(authorization, key);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param: "Idempotency-Key" } });
  }
  expect((await ask(authorization, "~".repeat(255))).status).toBe(200);
  expect(engine.asked).toHaveLength(1);
  await settled();
});

test("a day after its end a key begins a new turn, and the answer of the first use is still there by its id", async () => {
  const authorization = await bearer("claims", "day");
  const body = { ...question, store: true };
  const first = await ask(authorization, "k", body);
  const id = first.headers.get("x-edgewise-response-id") ?? "";
  await first.text();
  await settled();
  await eventually(() =>
    runInDurableObject(objectOf(first), (_object, state) => expect(storedTurn(state).outbox).toEqual([])),
  );
  await changeStored(objectOf(first), (stored) => {
    stored.createdMs -= 86_400_000;
    stored.endedMs = (stored.endedMs ?? 0) - 86_400_000;
  });
  engine.tokens = ["Good", " morning", "!"];
  const second = await ask(authorization, "k", { ...body, max_tokens: 20 });
  expect(await second.json()).toMatchObject({ choices: [{ message: { content: "Good morning!" } }] });
  expect(second.headers.get("x-edgewise-response-id")).not.toBe(id);
  const again = await ask(authorization, "k", { ...body, max_tokens: 20 });
  expect(again.headers.get("x-edgewise-response-id")).toBe(second.headers.get("x-edgewise-response-id"));
  const stored = await send(`/v1/chat/completions/${id}`, { headers: { authorization } });
  expect(await stored.json()).toMatchObject({ id, choices: [{ message: { content: "Hello there" } }] });
  expect(engine.asked).toHaveLength(2);
  await expectBill(authorization, 2, 25);
});

test("a keyed turn of a conversation is saved once", async () => {
  const authorization = await bearer("claims", "talker");
  const body = { ...streamed, conversation_id: "c" };
  const bytes = await (await ask(authorization, "k", body)).text();
  expect(await (await ask(authorization, "k", body)).text()).toBe(bytes);
  await eventually(async () => {
    const items = await send("/v1/conversations/c/items", { headers: { authorization } });
    expect(await items.json()).toMatchObject({ data: [{ role: "assistant" }, { role: "user" }] });
  });
  await expectBill(authorization, 1, 12);
});

test("an answer with `store` can be had again by its id: all its choices", async () => {
  const authorization = await bearer("claims", "storing");
  const response = await post("/v1/chat/completions", authorization, { ...question, store: true });
  const whole = await response.text();
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  const stored = await send(`/v1/chat/completions/${id}`, { headers: { authorization } });
  expect(await stored.text()).toBe(whole);
  expect(JSON.parse(whole)).toMatchObject({ id, choices: [{ message: { content: "Hello there" } }] });
  expect((await post("/v1/chat/completions", authorization, question)).status).toBe(200);
  await expectBill(authorization, 2, 24);
});

test("Cache-Status says of a turn of its own that no cache was asked, and of a claimed one whether it was there already", async () => {
  const told = (response: Response) => response.headers.get("cache-status");
  const authorization = await bearer("claims", "told");
  const stored = await post("/v1/chat/completions", authorization, { ...question, store: true });
  expect(told(stored)).toBe("edgewise; fwd=bypass; detail=durable");
  expect(told(await ask(authorization, "told", question))).toBe("edgewise; fwd=miss; detail=idempotency-key");
  expect(told(await ask(authorization, "told", question))).toBe("edgewise; hit; detail=idempotency-key");
  const retrying = await bearer("retries", "told");
  expect(told(await post("/v1/chat/completions", retrying, question))).toBe(
    "edgewise; fwd=miss; detail=retry",
  );
  expect(told(await post("/v1/chat/completions", retrying, question))).toBe("edgewise; hit; detail=retry");
  for (const stream of [false, true]) {
    const body = { model: "auto", max_output_tokens: 50, input: "Hi", stream };
    const response = await post("/v1/responses", authorization, body);
    expect(told(response)).toBe("edgewise; fwd=bypass; detail=durable");
    await response.text();
  }
  const background = { model: "auto", max_output_tokens: 50, input: "Hi", background: true };
  expect(told(await post("/v1/responses", authorization, background))).toBe(
    "edgewise; fwd=bypass; detail=durable",
  );
  await settled();
});

test("a keyed answer that failed is told again as it is, and that asking again is of no use", async () => {
  const authorization = await bearer("claims", "failing");
  engine.script = { deltas: [{ content: "Hel" }], finish: null };
  for (let time = 0; time < 2; time += 1) {
    const response = await ask(authorization, "k", question);
    expect(response.status).toBe(503);
    expect(response.headers.get("x-should-retry")).toBe("false");
  }
  engine.script = null;
  await settled();
});
