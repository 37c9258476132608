/** Vector stores of a tenant that lets a model of the fleet make its vectors. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { noEmbedder } from "../../durable-objects/knowledge-base/knowledge-parts.ts";
import { knowledgeParts } from "../../workers/edge/knowledge-parts.ts";
import { objectOfId } from "../../src/shared/turn/response-id.ts";
import { putTenant, settled } from "./edge-under-test.ts";
import { callerOf, processed, type Caller } from "./knowledge-fixture.ts";
import { alarmsWait } from "./alarms-wait.ts";

alarmsWait();

/** Knows two things: what is about cats, in any word for them, and the rest. */
let isDown = false;
const asked: string[][] = [];
async function engine(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const { pathname } = new URL(new Request(input).url);
  if (pathname === "/health") return new Response(null);
  if (pathname === "/metrics") return new Response("vllm:num_requests_running 0\n");
  if (pathname !== "/v1/embeddings" || typeof init?.body !== "string") throw new Error(pathname);
  if (isDown) return new Response("oops", { status: 500 });
  const { input: texts } = JSON.parse(init.body) as { input: string[] };
  asked.push(texts);
  return Response.json({
    object: "list",
    data: texts.map((text, index) => ({
      object: "embedding",
      index,
      embedding: /cat|feline/i.test(text) ? [1, 0, 0] : [0, 1, 0],
    })),
    usage: { prompt_tokens: texts.length, total_tokens: texts.length },
  });
}

beforeAll(async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(engine);
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  await putTenant("embeds", { retrieval: { embedder: { model: "bge-small" } } });
  await putTenant("misconfigured", { retrieval: { embedder: { model: "no-such-model" } } });
});
afterAll(async () => {
  await settled();
  vi.restoreAllMocks();
});

async function storeOf(caller: Caller, texts: readonly string[]): Promise<string> {
  const ids = [];
  for (const [at, text] of texts.entries()) ids.push(await caller.upload(`${at}.txt`, text));
  return (await caller.ask("POST", "/v1/vector_stores", { file_ids: ids })).body.id;
}

async function found(
  caller: Caller,
  storeId: string,
  query: string,
  lacking?: readonly string[],
): Promise<string[]> {
  const answer = await caller.ask("POST", `/v1/vector_stores/${storeId}/search`, { query });
  expect(answer.status).toBe(200);
  expect(answer.body["lacking"]).toEqual(lacking);
  return (answer.body["data"] as { filename: string }[]).map(({ filename }) => filename);
}

test("the fleet's model embeds passages and questions: what means the same is found without a word in common", async () => {
  const ann = await callerOf("embeds", "ann");
  const storeId = await storeOf(ann, ["Ledgers are due in spring.", "The cat sleeps."]);
  await processed(ann, storeId);
  expect(asked.flat()).toEqual(["Ledgers are due in spring.", "The cat sleeps."]);
  expect((await found(ann, storeId, "feline"))[0]).toBe("1.txt");
  expect(asked.at(-1)).toEqual(["feline"]);
});

test("a store whose tenant is not known here, or not yet, embeds nothing by a model that may not be the tenant's", async () => {
  const stub = env.KNOWLEDGE_BASE.getByName("of-a-tenant-that-nobody-knows");
  await runInDurableObject(stub, async (_instance, context) => {
    const { embedder } = await knowledgeParts(env, context).models("made-a-moment-ago-elsewhere");
    expect([embedder.id, (await embedder.embed(["a"], "passage")).ok]).toEqual([noEmbedder, false]);
  });
});

test("while the model is down a search goes by words alone, and a file waits for it", async () => {
  const bea = await callerOf("embeds", "bea");
  const storeId = await storeOf(bea, ["Ledgers are due in spring.", "The cat sleeps."]);
  await processed(bea, storeId);
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  isDown = true;
  expect(await found(bea, storeId, "cat", ["vectors"])).toEqual(["1.txt"]);
  expect(await found(bea, storeId, "feline", ["vectors"])).toEqual([]);
  const late = await bea.upload("late.txt", "Another cat.");
  const path = `/v1/vector_stores/${storeId}/files`;
  await bea.ask("POST", path, { file_id: late });
  const stub = env.KNOWLEDGE_BASE.getByName(objectOfId(storeId)?.objectName ?? "");
  await runDurableObjectAlarm(stub);
  expect((await bea.ask("GET", `${path}/${late}`)).body).toMatchObject({ status: "in_progress" });
  isDown = false;
  await runInDurableObject(stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE file SET due_ms = 0");
  });
  await processed(bea, storeId);
  expect(await found(bea, storeId, "feline")).toContain("late.txt");
});

test("a model that the fleet does not have fails the file as a fault of ours, not of the file", async () => {
  const cem = await callerOf("misconfigured", "cem");
  const storeId = await storeOf(cem, ["The cat sleeps."]);
  const stub = env.KNOWLEDGE_BASE.getByName(objectOfId(storeId)?.objectName ?? "");
  for (let tries = 0; tries < 6; tries += 1) {
    await runInDurableObject(stub, (_instance, { storage }) => {
      storage.sql.exec("UPDATE file SET due_ms = 0");
    });
    await runDurableObjectAlarm(stub);
  }
  const files = await cem.ask("GET", `/v1/vector_stores/${storeId}/files`);
  expect(files.body["data"]).toMatchObject([{ status: "failed", last_error: { code: "server_error" } }]);
});
