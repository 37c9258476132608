/** Chats that are told of a user's files, through the whole Worker and its objects: what is found, cited, paid and refused. */
import { abortAllDurableObjects } from "cloudflare:test";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Citation } from "../../src/shared/grounding/citations.ts";
import { bearer, post, putTenant, send, settled } from "./edge-under-test.ts";
import { closed, readerRequests, readerWithFiles, trains } from "./grounding-fixture.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { readUntil } from "./read-until.ts";

const engine = scriptedEdge({ grounded: { limits: limitless }, neighbour: { limits: limitless } });

beforeEach(() => {
  engine.tokens = ["Closed", " in May [", "1]", "."];
});

const question = { role: "user", content: "On which Monday of May is the office closed, please?" };
const chat = { model: "auto", max_tokens: 50, messages: [question] };

interface Answer {
  readonly id: string;
  readonly choices: readonly { readonly message: { readonly content: string } }[];
  readonly citations?: readonly Citation[];
}

interface Chunk {
  readonly choices: readonly { readonly finish_reason: string | null }[];
  readonly citations?: readonly Citation[];
}

function chunksOf(text: string): Chunk[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice(6)) as Chunk);
}

const citedOf = (text: string) => chunksOf(text).flatMap(({ citations }) => citations ?? []);

describe.each([
  ["direct", {}],
  ["stored", { store: true }],
  ["of a conversation", { conversation_id: "talk" }],
])("a turn that is %s", (way, more) => {
  test("reads the passages in front of its question, and says what it cites: whole", async () => {
    const { authorization, storeId, files } = await readerWithFiles("grounded", `whole ${way}`);
    const retrieval = { vector_store_ids: [storeId] };
    const response = await post("/v1/chat/completions", authorization, { ...chat, ...more, retrieval });
    const answer = await response.json<Answer>();
    expect(answer.choices[0]?.message.content).toBe("Closed in May [1].");
    expect(answer.citations).toEqual([
      {
        index: 1,
        file_id: files[0],
        filename: "closed.md",
        start: 0,
        end: closed.length,
        score: expect.any(Number) as number,
        text: closed,
      },
    ]);
    expect(response.headers.get("server-timing")).toMatch(/\bground;dur=\d+;desc="found:\d"/);
    expect(engine.lastRead()).toContain(closed);
    expect(engine.asked[0]).not.toHaveProperty("retrieval");
    await expectBill(authorization, readerRequests + 1, 10 + engine.tokens.length);
  });

  test("and streamed: in the last chunk, with its finish reason", async () => {
    const { authorization, storeId } = await readerWithFiles("grounded", `streamed ${way}`);
    const body = { ...chat, ...more, stream: true, retrieval: { vector_store_ids: [storeId] } };
    const response = await post("/v1/chat/completions", authorization, body);
    const chunks = chunksOf(await response.text());
    expect(chunks.filter(({ citations }) => citations !== undefined)).toEqual([chunks.at(-1)]);
    expect(chunks.at(-1)).toMatchObject({
      choices: [{ finish_reason: "stop" }],
      citations: [{ index: 1, filename: "closed.md" }],
    });
  });
});

test("a stored turn says again what it cites, whole and replayed", async () => {
  const { authorization, storeId } = await readerWithFiles("grounded", "again");
  const body = { ...chat, store: true, stream: true, retrieval: { vector_store_ids: [storeId] } };
  const response = await post("/v1/chat/completions", authorization, body);
  const told = await response.text();
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  const stored = await send(`/v1/chat/completions/${id}`, { headers: { authorization } });
  expect((await stored.json<Answer>()).citations).toEqual(citedOf(told));
  const replayed = await send(`/v1/chat/completions/${id}?stream=true`, { headers: { authorization } });
  expect(await replayed.text()).toBe(told);
});

test("a grounded answer is neither looked for among stored ones nor becomes one", async () => {
  const { authorization, storeId } = await readerWithFiles("grounded", "cached");
  const body = { ...chat, temperature: 0, retrieval: { vector_store_ids: [storeId] } };
  for (let time = 0; time < 2; time += 1) {
    const response = await post("/v1/chat/completions", authorization, body);
    expect(response.headers.get("cache-status")).toBe("edgewise; fwd=bypass; detail=grounded");
    await response.text();
    await settled();
  }
  expect(engine.asked).toHaveLength(2);
  const plain = await post("/v1/chat/completions", authorization, { ...chat, temperature: 0 });
  // On a busy machine the look-up may be too slow, which is a miss as well.
  expect(plain.headers.get("cache-status")).toMatch(/^edgewise; fwd=miss(?:; detail=slow)?$/);
});

test("a short question is searched for with what the conversation has before it", async () => {
  const { authorization, storeId } = await readerWithFiles("grounded", "short");
  const retrieval = { vector_store_ids: [storeId], max_num_results: 1 };
  const said = { ...chat, conversation_id: "trains" };
  await (
    await post("/v1/chat/completions", authorization, {
      ...said,
      messages: [{ role: "user", content: "Tell me about trains to the office and who books them." }],
    })
  ).text();
  await settled();
  const messages = [{ role: "user", content: "And by whom?" }];
  await (await post("/v1/chat/completions", authorization, { ...said, messages, retrieval })).text();
  expect(engine.lastRead()).toContain(trains);
  expect(engine.lastRead()).not.toContain(closed);
});

describe("a store that is not the caller's", () => {
  const unknown = {
    error: {
      message: "'retrieval.vector_store_ids[1]' names no object that exists and that you have access to.",
      type: "invalid_request_error",
      param: "retrieval.vector_store_ids[1]",
      code: "not_found",
    },
  };

  test.each([
    ["another user's", "grounded", "stranger"],
    ["another tenant's", "neighbour", "asker"],
    ["none at all", null, ""],
  ])("is 404 by its place, %s, before anything is reserved", async (_, tenant, user) => {
    const mine = await readerWithFiles("grounded", `asker ${user}`);
    const other = tenant === null ? "vs_none" : (await readerWithFiles(tenant, user)).storeId;
    for (const more of [{}, { stream: true }, { store: true }, { conversation_id: "c" }]) {
      const retrieval = { vector_store_ids: [mine.storeId, other] };
      const response = await post("/v1/chat/completions", mine.authorization, {
        ...chat,
        ...more,
        retrieval,
      });
      expect({ status: response.status, body: await response.json() }).toEqual({
        status: 404,
        body: unknown,
      });
    }
    expect(engine.asked).toEqual([]);
    await expectBill(mine.authorization, readerRequests, 0);
  });

  test("nor is one that was deleted, which its object says: nothing is paid either", async () => {
    const { caller, authorization, storeId } = await readerWithFiles("grounded", "deleter");
    await caller.ask("DELETE", `/v1/vector_stores/${storeId}`);
    for (const more of [{}, { store: true }, { conversation_id: "c" }]) {
      const retrieval = { vector_store_ids: [storeId] };
      const response = await post("/v1/chat/completions", authorization, { ...chat, ...more, retrieval });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { param: "retrieval.vector_store_ids[0]" } });
    }
    expect(engine.asked).toEqual([]);
    await expectBill(authorization, readerRequests, 0);
  });
});

test("a tenant's default stores are searched for chats that say nothing, for all its users; false switches them off", async () => {
  await putTenant("by-default", { limits: limitless });
  const { storeId } = await readerWithFiles("by-default", "admin", true);
  await putTenant("by-default", {
    limits: limitless,
    retrieval: { default_vector_store_ids: [storeId], budget_ms: 5000 },
    requests: { dedup: true },
  });
  // What an isolate remembers of a tenant is old by then.
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 301_000 });
  try {
    const authorization = await bearer("by-default", "anybody");
    for (const more of [{}, { store: true }]) {
      const response = await post("/v1/chat/completions", authorization, { ...chat, ...more });
      expect(await response.json<Answer>()).toMatchObject({ citations: [{ filename: "closed.md" }] });
      const without = { ...chat, ...more, retrieval: false };
      const plain = await post("/v1/chat/completions", authorization, without);
      expect(await plain.json<Answer>()).not.toHaveProperty("citations");
    }
    const response = await post("/v1/responses", authorization, { model: "auto", input: question.content });
    expect(JSON.stringify(await response.json())).not.toContain("file_search");
    expect(engine.lastRead()).not.toContain("passage");
    // Files change: equal requests share no answer that rests on them.
    const before = engine.asked.length;
    for (let at = 0; at < 2; at += 1)
      await post("/v1/chat/completions", authorization, { ...chat, temperature: 0 });
    expect(engine.asked).toHaveLength(before + 2);
  } finally {
    vi.useRealTimers();
  }
});

test.for([1, 2, 3])(
  "killed after word %i a grounded turn goes on with the same passages, though the files are gone",
  async (k) => {
    const { caller, authorization, storeId } = await readerWithFiles("grounded", `killed ${k}`);
    engine.pause = { at: k, until: new Promise(() => undefined) };
    const body = { ...chat, store: true, stream: true, retrieval: { vector_store_ids: [storeId] } };
    const response = await post("/v1/chat/completions", authorization, body, { "idempotency-key": "k" });
    const word = JSON.stringify(engine.tokens[k - 1]).slice(1, -1);
    const { reader } = await readUntil(response, (seen) => seen.includes(word));
    const [asked] = engine.asked;
    await caller.ask("DELETE", `/v1/vector_stores/${storeId}`);
    await abortAllDurableObjects();
    engine.pause = null;
    await reader.read().catch(() => undefined);
    const id = response.headers.get("x-edgewise-response-id") ?? "";
    const told = await (
      await send(`/v1/chat/completions/${id}?stream=true`, { headers: { authorization } })
    ).text();
    expect(citedOf(told)).toMatchObject([{ index: 1, filename: "closed.md", text: closed }]);
    expect(engine.asked).toHaveLength(2);
    // The same prompt, with the answer so far behind it.
    const [, again] = engine.asked as { readonly messages: readonly unknown[] }[];
    expect(again?.messages.slice(0, -1)).toEqual(asked?.["messages"]);
    const stored = await send(`/v1/chat/completions/${id}`, { headers: { authorization } });
    expect((await stored.json<Answer>()).citations).toEqual(citedOf(told));
    await expectBill(authorization, readerRequests + 1, 10 + engine.tokens.length);
  },
);

test("a grounded turn that is cancelled says what it had cited by then", async () => {
  const { authorization, storeId } = await readerWithFiles("grounded", "cancelled");
  engine.pause = { at: 3, until: new Promise(() => undefined) };
  const body = { ...chat, store: true, stream: true, retrieval: { vector_store_ids: [storeId] } };
  const response = await post("/v1/chat/completions", authorization, body);
  const { reader } = await readUntil(response, (told) => told.includes("1]"));
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  await post(`/v1/chat/completions/${id}/cancel`, authorization, {});
  const stored = await send(`/v1/chat/completions/${id}`, { headers: { authorization } });
  expect(await stored.json()).toMatchObject({ citations: [{ filename: "closed.md" }] });
  await reader.cancel();
});

test("the log says what was found, and nothing of it", async () => {
  const { authorization, storeId } = await readerWithFiles("grounded", "logged");
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const body = { ...chat, retrieval: { vector_store_ids: [storeId] } };
  await (await post("/v1/chat/completions", authorization, body)).text();
  await settled();
  const lines = log.mock.calls.flat().join("\n");
  expect(lines).toMatch(/"grounded":"found:\d"/);
  expect(lines).not.toContain("Monday");
  expect(lines).not.toContain(storeId);
});
