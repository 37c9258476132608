import {
  abortAllDurableObjects,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { blocks, ids } from "./generation-probe.ts";
import { itemsOf } from "./named-turn.ts";
import { readStream } from "./scripted-engine.ts";
import { eventually } from "./eventually.ts";
import { readUntil } from "./read-until.ts";

/** Turns of the Worker as it ships whose object is killed in mid-answer. */
const engine = scriptedEdge({
  killed: { limits: limitless },
  "no-continuing": { limits: limitless, requests: { continue_answers: false } },
});
const words = ["One", " two,", " three", " – vier", " 五", " six", "."];
const whole = words.join("");

beforeEach(() => {
  engine.tokens = words;
});

const question = {
  model: "auto",
  max_tokens: 50,
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: "user", content: "Count" }],
};

function ask(authorization: string, body: object = question): Promise<Response> {
  return send("/v1/chat/completions", {
    method: "POST",
    headers: { authorization, "content-type": "application/json", "idempotency-key": "k" },
    body: JSON.stringify(body),
  });
}

function objectOf(id: string) {
  return env.GENERATION.getByName(id.slice("chatcmpl-".length, "chatcmpl-".length + 27));
}

/** Asks, reads until `k` words are there, and kills every object. */
async function killedAfter(
  k: number,
  authorization: string,
  body: object = question,
): Promise<{ readonly seen: string; readonly id: string }> {
  engine.pause = { at: k, until: new Promise(() => undefined) };
  const response = await ask(authorization, body);
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error("no body");
  const decoder = new TextDecoder();
  let seen = "";
  while (readStream(seen).content !== words.slice(0, k).join("")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`it ended: ${seen}`);
    seen += decoder.decode(value, { stream: true });
  }
  await abortAllDurableObjects();
  engine.pause = null;
  await reader.read().catch(() => undefined);
  return { seen, id: response.headers.get("x-edgewise-response-id") ?? "" };
}

test.for(Array.from({ length: words.length }, (_, at) => at + 1))(
  "killed after word %i an answer goes on in the same sentence: byte for byte, once, one bill",
  async (k) => {
    const authorization = await bearer("killed", `after-${k}`);
    const { seen, id } = await killedAfter(k, authorization);
    const resumed = await send(`/v1/chat/completions/${id}?stream=true`, {
      headers: { authorization, "last-event-id": String(ids(seen).at(-1)) },
    });
    const all = seen + (await resumed.text());
    expect(readStream(all)).toEqual({ content: whole, finish: "stop", done: true });
    expect(ids(all)).toEqual(Array.from({ length: blocks(all).length }, (_, at) => at));
    expect(all.match(/"role"/g)).toHaveLength(1);
    expect(new Set([...all.matchAll(/"created":(\d+)/g)].map(([, created]) => created)).size).toBe(1);
    expect(all).toContain(
      `"usage":{"prompt_tokens":10,"completion_tokens":${words.length},"total_tokens":${10 + words.length}`,
    );
    expect(await (await ask(authorization)).text()).toBe(all);
    const [, second] = engine.asked;
    expect(engine.asked).toHaveLength(2);
    expect(second).toMatchObject({
      continue_final_message: true,
      add_generation_prompt: false,
      max_tokens: 50 - k,
    });
    await expectBill(authorization, 1, 10 + words.length);
    const stored = await send(`/v1/chat/completions/${id}`, { headers: { authorization } });
    expect(await stored.json()).toMatchObject({ choices: [{ message: { content: whole } }] });
  },
);

test("a conversation's turn that was killed is saved once, whole, without anybody asking for it", async () => {
  const authorization = await bearer("killed", "talker");
  const body = { ...question, conversation_id: "c" };
  const { id } = await killedAfter(3, authorization, body);
  await runDurableObjectAlarm(objectOf(id));
  await eventually(async () => {
    const items = await send("/v1/conversations/c/items", { headers: { authorization } });
    expect(await items.json()).toMatchObject({
      data: [{ role: "assistant", content: [{ text: whole }] }, { role: "user" }],
    });
  });
  await expectBill(authorization, 1, 10 + words.length);
});

test("what was seen of a conversation's turn that was killed and can't go on is in the history, as it was seen", async () => {
  const authorization = await bearer("no-continuing", "talker");
  const { id } = await killedAfter(3, authorization, { ...question, conversation_id: "c" });
  await runDurableObjectAlarm(objectOf(id));
  await eventually(async () => {
    const items = await send("/v1/conversations/c/items", { headers: { authorization } });
    expect(await items.json()).toMatchObject({
      data: [
        { role: "assistant", status: "incomplete", content: [{ text: words.slice(0, 3).join("") }] },
        { role: "user", content: [{ text: "Count" }] },
      ],
    });
  });
  await expectBill(authorization, 1, 13);
});

test("who waited for all of an answer that was killed and can't go on has had nothing: nothing is kept or paid, and their library asks again", async () => {
  const authorization = await bearer("no-continuing", "waiter");
  const before = await listDurableObjectIds(env.GENERATION);
  engine.pause = { at: 3, until: new Promise(() => undefined) };
  const body = { ...question, conversation_id: "c", stream: false, stream_options: undefined };
  const waiting = post("/v1/chat/completions", authorization, body);
  const object = await eventually(async () => {
    // Beside its own there may be one that is prepared for the next turn.
    for (const id of await listDurableObjectIds(env.GENERATION)) {
      if (before.some((other) => other.equals(id))) continue;
      const journal = await runInDurableObject(env.GENERATION.get(id), (_object, { storage }) =>
        JSON.stringify([...storage.kv.list({ prefix: "journal/" })]),
      );
      if (journal.includes("three")) return id;
    }
    throw new Error("no turn yet");
  });
  await abortAllDurableObjects();
  engine.pause = null;
  expect((await waiting).status).toBe(503);
  await runDurableObjectAlarm(env.GENERATION.get(object));
  await expectBill(authorization, 1, 0);
  const again = await post("/v1/chat/completions", authorization, body);
  expect(await again.json()).toMatchObject({ choices: [{ message: { content: whole } }] });
  await eventually(async () =>
    expect((await itemsOf(authorization, "c")).texts).toEqual(["user: Count", `assistant: ${whole}`]),
  );
  await expectBill(authorization, 2, 10 + words.length);
});

test("a turn that is refused behind its admission, and killed before what was set aside is given back, gives it back", async () => {
  const authorization = await bearer("killed", "refused");
  const messages = [{ role: "user", content: "word ".repeat(200_000) }];
  const refused = await ask(authorization, { ...question, messages });
  expect(refused.status).toBe(400);
  await abortAllDurableObjects();
  for (const id of await listDurableObjectIds(env.GENERATION))
    await runDurableObjectAlarm(env.GENERATION.get(id));
  await expectBill(authorization, 0, 0);
});

test("nothing is appended to a conversation that was deleted while its turn was dead", async () => {
  const authorization = await bearer("killed", "deleter");
  const before = { ...question, conversation_id: "c", stream: false, stream_options: undefined };
  engine.tokens = ["Before"];
  expect(await (await post("/v1/chat/completions", authorization, before)).text()).toContain("Before");
  await eventually(async () => {
    const items = await send("/v1/conversations/c/items", { headers: { authorization } });
    expect(JSON.stringify(await items.json())).toContain("Before");
  });
  engine.tokens = words;
  const { id } = await killedAfter(3, authorization, { ...question, conversation_id: "c" });
  const gone = await send("/v1/conversations/c", { method: "DELETE", headers: { authorization } });
  expect(gone.status).toBe(200);
  await runDurableObjectAlarm(objectOf(id));
  await settled();
  await eventually(async () =>
    expect(await objectOf(id).retrieve({ v: 1, owner: { tenant: "killed", user: "deleter" } })).toMatchObject(
      { result: expect.stringMatching("ended|unknown") as string },
    ),
  );
  const items = await send("/v1/conversations/c/items", { headers: { authorization } });
  expect(JSON.stringify(await items.json())).not.toContain("vier");
});

test.for([
  ["the tenant does not want it", "no-continuing", {}],
  ["two answers were asked for", "killed", { n: 2 }],
  ["the output follows a grammar", "killed", { response_format: { type: "json_object" } }],
] as const)(
  "where %s, it ends with one error event, and what was delivered is the bill",
  async ([name, tenant, more]) => {
    const authorization = await bearer(tenant, `not-${name}`);
    const { seen } = await killedAfter(3, authorization, { ...question, ...more });
    const all = await (await ask(authorization, { ...question, ...more })).text();
    expect(all.startsWith(seen)).toBe(true);
    expect(all.match(/"error"/g)).toHaveLength(1);
    expect(all).not.toContain("[DONE]");
    expect(engine.asked).toHaveLength(1);
    await expectBill(authorization, 1, 13);
  },
);

test("in the text format too an answer goes on in the same sentence", async () => {
  const authorization = await bearer("killed", "text");
  const body = { ...question, stream_format: "text" };
  engine.pause = { at: 3, until: new Promise(() => undefined) };
  const response = await ask(authorization, body);
  await readUntil(response, (seen) => seen.includes("three"));
  await abortAllDurableObjects();
  engine.pause = null;
  const all = await (await ask(authorization, body)).text();
  const text = [...all.matchAll(/"text":("(?:[^"\\]|\\.)*")/g)]
    .map(([, literal = '""']) => JSON.parse(literal) as string)
    .join("");
  expect(text).toBe(whole);
  await (await post("/v1/chat/completions", authorization, question)).text();
});
