/** Is a question in other words answered by the stored answer, and only where it asks the same of the same? */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, test, vi } from "vitest";
import { semanticIndexName } from "../../src/shared/contracts/semantic-index.ts";
import { platformToken } from "./admin-fixture.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { readStream } from "./scripted-engine.ts";
import { scriptedEdge } from "./scripted-edge.ts";

const on = { mode: "on" };
const engine = scriptedEdge({
  words: { cache: { semantic: on } },
  shared: { cache: { share: "tenant", semantic: on } },
  exact: {},
  gone: { cache: { semantic: on } },
  meanings: {
    cache: { semantic: { ...on, embedder: { model: "bge-small" }, threshold: 0.9 } },
    limits: { user: { pro: { requests_per_minute: 20 }, free: { requests_per_minute: 1 } } },
  },
  masks: { cache: { semantic: on }, safety: { output: { action: "mask" } } },
});

const path = "/v1/chat/completions";
const stored = { "cache-control": "only-if-cached" };

function chat(content: string, more: object = {}) {
  return { model: "auto", temperature: 0, max_tokens: 100, messages: [{ role: "user", content }], ...more };
}

async function ask(
  authorization: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly cache: string | null; readonly text: string }> {
  const response = await post(path, authorization, body, headers);
  const text = await response.text();
  // What is stored is stored behind the answer; where only what is stored is wanted, nothing is.
  if (headers !== stored) await settled();
  return { status: response.status, cache: response.headers.get("cache-status"), text };
}

/** Waits as long as a patient look-up does: what it does not find is not there. */
async function isAnswered(authorization: string, body: object): Promise<boolean> {
  const { status, cache } = await ask(authorization, body, stored);
  if (status === 504) return false;
  expect(cache).toMatch(/^edgewise; hit; ttl=\d+; detail=semantic$/);
  return true;
}

/** Even a patient look-up may be too slow where the machine is busy: what is stored is asked for again. */
function expectAnswered(authorization: string, body: object): Promise<void> {
  return eventually(async () => expect(await isAnswered(authorization, body)).toBe(true));
}

/** A fresh user, of whom nothing is stored. */
function user(tenant: string): Promise<string> {
  return bearer(tenant, crypto.randomUUID());
}

test("a question in other words is answered without a model: a request, no tokens, also as a stream", async () => {
  const token = await user("words");
  const first = await ask(token, chat("What is the capital of France?"));
  // On a busy machine the look-up may be too slow, which is a miss as well.
  expect(first.cache).toMatch(/^edgewise; fwd=miss/);
  engine.asked.length = 0;
  await expectAnswered(token, chat("what's the capital of France"));
  await expectAnswered(token, chat("  What is THE capital of france ?  "));
  await eventually(async () => {
    const streamed = await ask(token, chat("What is capital of France?!", { stream: true }), stored);
    expect(readStream(streamed.text)).toEqual({ content: "Hello there", finish: "stop", done: true });
  });
  expect(engine.asked).toEqual([]);
  await settled();
  // The record's word is the metric's label.
  const said = lines().mock.calls.join("\n");
  expect(said.match(/"cache":"semantic_hit"/g)).toHaveLength(3);
  expect(said).toMatch(/"cache":"semantic_(?:miss|slow)"/);
  const usage = await send("/v1/usage", { headers: { authorization: token } });
  expect(await usage.json()).toMatchObject({ user: { used: { requests: 4, tokens: 12 } } });
});

test("within 20 ms it is found without asking for a stored answer alone", async () => {
  const token = await user("words");
  await ask(token, chat("How can I cook rice?"));
  let tries = 0;
  await eventually(async () => {
    // Another text each time: one that was too slow is stored, and an exact hit from then on.
    const other = `What is the best way to cook rice?${" ".repeat((tries += 1))}`;
    const { cache } = await ask(token, chat(other), { "cache-control": "max-age=600" });
    expect(cache).toMatch(/^edgewise; hit; ttl=\d+; detail=semantic$/);
  });
});

test.each([
  ["a year", "Who won the world cup in 2023?", "Who won the world cup in 2024?"],
  ["a negation", "How can I eat mushrooms?", "How can't I eat mushrooms?"],
  ["a name in lower case", "What is the capital of France?", "what is the capital of spain"],
  ["a quantity", "How much is 5 km in miles?", "How much is 6 km in miles?"],
  ["a direction", "How do I convert euros to dollars?", "How do I convert dollars to euros?"],
  ["a command", "What does `git reset --soft` do?", "What does `git reset --hard` do?"],
])("another %s is another question", async (_, one, other) => {
  const token = await user("words");
  await ask(token, chat(one));
  expect(await isAnswered(token, chat(other))).toBe(false);
});

test("what is asked along with it counts: instructions, sampling, model, a turn before, a seed, a form", async () => {
  const token = await user("words");
  const question = "What is the tallest mountain in Peru?";
  const other = "what's the tallest mountain in Peru";
  await ask(token, chat(question));
  const messages = (...before: object[]) => ({ messages: [...before, { role: "user", content: other }] });
  for (const more of [
    messages({ role: "system", content: "Answer in French." }),
    messages({ role: "user", content: "Hi" }, { role: "assistant", content: "Hello" }),
    { max_tokens: 99 },
    { top_p: 0.5 },
    { model: "llama-3.1-8b" },
    { seed: 1 },
    { response_format: { type: "json_object" } },
    { logprobs: true },
    { n: 2, temperature: 0 },
  ])
    expect([more, await isAnswered(token, chat(other, more))]).toEqual([more, false]);
  await expectAnswered(token, chat(other));
});

test("another user is told nothing, unless the tenant shares answers; another tenant never", async () => {
  const question = chat("What is the height of the Eiffel tower?");
  const other = chat("what's the height of the Eiffel tower");
  await ask(await user("words"), question);
  expect(await isAnswered(await user("words"), other)).toBe(false);
  expect(await isAnswered(await user("shared"), other)).toBe(false);
  await ask(await user("shared"), question);
  await expectAnswered(await user("shared"), other);
  expect(await isAnswered(await user("words"), other)).toBe(false);
});

test("Cache-Control is heeded: no-store keeps nothing, no-cache asks anew and keeps", async () => {
  const token = await user("words");
  const question = chat("Who painted the Mona Lisa?");
  const other = chat("who painted Mona Lisa");
  await ask(token, question, { "cache-control": "no-store" });
  expect(await isAnswered(token, other)).toBe(false);
  await ask(token, question, { "cache-control": "no-cache" });
  await expectAnswered(token, other);
  engine.asked.length = 0;
  for (const control of ["no-cache", "no-store", "max-age=0"])
    expect((await ask(token, other, { "cache-control": control })).cache).toBe("edgewise; fwd=request");
  expect(engine.asked).toHaveLength(3);
});

test("an answer that the guard changed is not kept", async () => {
  const token = await user("masks");
  engine.tokens = ["write to ", "someone@example.com"];
  await ask(token, chat("What is the address of the office?"));
  expect(await isAnswered(token, chat("what's the address of the office"))).toBe(false);
});

test("where it is off nothing is kept and nothing is asked", async () => {
  const name = crypto.randomUUID();
  const token = await bearer("exact", name);
  await ask(token, chat("What is the capital of Italy?"));
  expect(await isAnswered(token, chat("what's the capital of Italy"))).toBe(false);
  const index = env.SEMANTIC_INDEX.getByName(semanticIndexName({ tenant: "exact", user: name }));
  await runInDurableObject(index, (_instance, state) => {
    expect(state.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
  });
});

test("no word of a question is stored", async () => {
  const name = crypto.randomUUID();
  const token = await bearer("words", name);
  await ask(token, chat("What is the Zanzibar archipelago?"));
  const index = env.SEMANTIC_INDEX.getByName(semanticIndexName({ tenant: "words", user: name }));
  await runInDurableObject(index, (_instance, state) => {
    const [row] = state.storage.sql.exec("SELECT * FROM entry").toArray();
    const { vector: _, ...rest } = row ?? {};
    expect(rest).toMatchObject({ features: expect.any(String) });
    expect(JSON.stringify(rest).toLowerCase()).not.toMatch(/zanzibar|archipelago|capital/);
  });
});

test("an admin erases what one user asked, and a tenant's deletion erases all of it", async () => {
  const platform = await platformToken();
  const erase = (query: string): Promise<Response> =>
    send(`/admin/semantic_cache${query}`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${platform}` },
    });
  const question = chat("What is the longest river in Peru?");
  const other = chat("what's the longest river in Peru");
  for (const tenant of ["words", "shared"]) {
    const [alice, bob] = [crypto.randomUUID(), crypto.randomUUID()];
    for (const name of [alice, bob])
      await ask(await bearer(tenant, name), question, { "cache-control": "no-cache" });
    const asBob = await bearer(tenant, bob);
    await expectAnswered(asBob, other);
    // In the shared one the entry is of whoever asked last.
    const erased = await erase(`?tenant=${tenant}&user=${tenant === "shared" ? bob : alice}`);
    expect(await erased.json()).toMatchObject({ object: "semantic_cache.erased", tenant, pending: 0 });
    expect(await isAnswered(await bearer(tenant, alice), other)).toBe(false);
    if (tenant === "words") await expectAnswered(asBob, other);
    else expect(await isAnswered(asBob, other)).toBe(false);
  }
  expect((await erase("")).status).toBe(400);
  expect((await erase("?tenant=words&user=%00")).status).toBe(400);
  expect((await erase("?tenant=nobody")).status).toBe(404);

  const token = await bearer("gone", crypto.randomUUID());
  await ask(token, question);
  await expectAnswered(token, other);
  const headers = { authorization: `Bearer ${platform}` };
  expect((await send("/admin/tenants/gone", { method: "DELETE", headers })).status).toBe(200);
  // The isolate knows it for a while, and what it keeps until then is not kept.
  expect(await isAnswered(token, other)).toBe(false);
  await ask(token, question, { "cache-control": "no-cache" });
  expect(await isAnswered(token, other)).toBe(false);
});

/** Meanings that a test decides: a vector a topic. */
const topics: readonly (readonly [RegExp, readonly number[]])[] = [
  [/wash|clean/i, [1, 0, 0]],
  [/car|paint/i, [0, 1, 0]],
];

function meansByTopic(): void {
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    const { pathname } = new URL(new Request(input).url);
    if (pathname !== "/v1/embeddings") return engine.fetch(input, init);
    const body = JSON.parse(init?.body as string) as { input: string };
    engine.asked.push(body);
    const embedding = topics.find(([topic]) => topic.test(body.input))?.[1] ?? [0, 0, 1];
    return Response.json({ object: "list", data: [{ object: "embedding", index: 0, embedding }] });
  });
}

/** Already spied upon by the edge's set-up: this is that spy. */
const lines = () => vi.spyOn(console, "log");

beforeEach(() => void lines().mockClear());
beforeEach(() => void vi.mocked(globalThis.fetch).mockImplementation(engine.fetch));

test("with a model of the fleet that knows meanings, words may differ, numbers and names may not", async () => {
  meansByTopic();
  const token = await user("meanings");
  await ask(token, chat("How do I wash a wool sweater at 30 degrees?"));
  await expectAnswered(token, chat("How can one clean some woollen sweaters safely at 30 degrees?"));
  expect(await isAnswered(token, chat("How do I clean a wool sweater at 60 degrees?"))).toBe(false);
  expect(await isAnswered(token, chat("How do I wash a wool sweater of Ralph Lauren at 30 degrees?"))).toBe(
    false,
  );
  expect(await isAnswered(token, chat("How do I paint a car at 30 degrees?"))).toBe(false);
});

test("a question costs no model's time before its user was let in", async () => {
  meansByTopic();
  const token = await bearer("meanings", crypto.randomUUID(), { tier: "free" });
  expect((await ask(token, chat("How do I wash silk?"))).status).toBe(200);
  engine.asked.length = 0;
  expect((await ask(token, chat("How can I wash silk?"))).status).toBe(429);
  expect(engine.asked).toEqual([]);
});

test("an embedder that is slower than 20 ms is a miss, and is not waited for", async () => {
  const embeds = Promise.withResolvers<void>();
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    if (new URL(new Request(input).url).pathname !== "/v1/embeddings") return engine.fetch(input, init);
    await embeds.promise;
    return Response.json({ data: [{ embedding: [1] }] });
  });
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const token = await user("meanings");
  const beganMs = Date.now();
  const response = await post(path, token, chat("How do I wash hemp?"));
  // However busy the machine is: a look-up that waited for the embedder would wait for as long as a model may take.
  expect(Date.now() - beganMs).toBeLessThan(4_000);
  expect(response.headers.get("cache-status")).toBe("edgewise; fwd=miss; detail=slow");
  expect(await response.text()).toContain("Hello there");
  embeds.resolve();
  await settled();
  await eventually(() => expect(log.mock.calls.join()).toContain('"cache":"semantic_slow"'));
  log.mockRestore();
});

test("an embedder that breaks is a miss: the question is answered", async () => {
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) =>
    new URL(new Request(input).url).pathname === "/v1/embeddings"
      ? Response.json({ data: [{ embedding: ["no number"] }] })
      : engine.fetch(input, init),
  );
  const faults = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const answered = await ask(await user("meanings"), chat("How do I wash linen?"));
  expect(answered).toMatchObject({ status: 200, cache: expect.stringContaining("fwd=miss") });
  expect(answered.text).toContain("Hello there");
  expect(faults.mock.calls.join()).toContain("semantic cache");
  expect(faults.mock.calls.join()).not.toContain("linen");
  faults.mockRestore();
});
