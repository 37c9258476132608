/** Batches of endpoints that have no durable turns, of the Worker as it ships: vectors, plain completions, verdicts. */
import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { expect, test } from "vitest";
import type { BatchEndpoint } from "../../src/shared/contracts/batch.ts";
import { batchStub, resultsOf, startBatch, untilStatus } from "./batch-fixture.ts";
import { bearer } from "./edge-under-test.ts";
import { callerOf } from "./knowledge-fixture.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({ "direct-batches": { limits: limitless } });

function lineOf(url: BatchEndpoint, customId: string, body: object): string {
  return JSON.stringify({ custom_id: customId, method: "POST", url, body });
}

const embeddings = "/v1/embeddings";
const vectors = (customId: string, input: unknown, more: object = {}) =>
  lineOf(embeddings, customId, { model: "bge-small", input, ...more });

test("every line of texts has its vectors, and is counted and charged once", async () => {
  const ann = await callerOf("direct-batches", "ann");
  const id = await startBatch(
    ann,
    [vectors("a", "One"), vectors("b", ["One", "Two"]), vectors("wrong", "One", { dimensions: -1 })],
    { endpoint: embeddings },
  );
  const batch = await untilStatus(ann, id, "completed");
  expect(batch).toMatchObject({
    endpoint: embeddings,
    model: "bge-small",
    request_counts: { total: 3, completed: 2, failed: 1 },
    usage: { input_tokens: 15, output_tokens: 0, total_tokens: 15 },
  });
  const results = await resultsOf(ann, batch.output_file_id);
  const byName = new Map(results.map(({ custom_id: name, response }) => [name, response]));
  expect(byName.get("b")).toMatchObject({
    status_code: 200,
    body: {
      object: "list",
      model: "bge-small",
      data: [
        { index: 0, embedding: [0] },
        { index: 1, embedding: [1] },
      ],
      usage: { prompt_tokens: 10, total_tokens: 10 },
    },
  });
  expect(byName.get("a")).toMatchObject({ body: { data: [{ embedding: [0] }] } });
  expect(await resultsOf(ann, batch.error_file_id)).toMatchObject([
    { custom_id: "wrong", response: { status_code: 400, body: { error: { param: "dimensions" } } } },
  ]);
  expect(engine.asked).toHaveLength(2);
  await expectBill(await bearer("direct-batches", "ann"), 4, 15);
});

test("plain completions are answered", async () => {
  const bob = await callerOf("direct-batches", "bob");
  const url = "/v1/completions";
  const line = (name: string, more: object = {}) =>
    lineOf(url, name, { model: "llama-3.1-8b", prompt: "Once", max_tokens: 5, ...more });
  const id = await startBatch(bob, [line("a"), line("streams", { stream: true })], { endpoint: url });
  const batch = await untilStatus(bob, id, "completed");
  expect(batch.request_counts).toEqual({ total: 2, completed: 1, failed: 1 });
  const [told] = await resultsOf(bob, batch.output_file_id);
  expect(told?.response?.body).toMatchObject({
    id: expect.stringMatching(/^cmpl-/) as string,
    object: "text_completion",
    choices: [{ text: "Hello there", finish_reason: "stop" }],
  });
  expect(await resultsOf(bob, batch.error_file_id)).toMatchObject([
    { response: { status_code: 400, body: { error: { param: "stream", code: "unsupported_parameter" } } } },
  ]);
  await expectBill(await bearer("direct-batches", "bob"), 3, 12);
});

test("texts are judged, also without a model's name", async () => {
  const cem = await callerOf("direct-batches", "cem");
  const url = "/v1/moderations";
  const id = await startBatch(
    cem,
    [lineOf(url, "a", { input: "I will kill you" }), lineOf(url, "b", { input: ["Hello", "there"] })],
    { endpoint: url },
  );
  const batch = await untilStatus(cem, id, "completed");
  expect(batch).toMatchObject({ request_counts: { completed: 2 }, usage: { total_tokens: 0 } });
  const results = await resultsOf(cem, batch.output_file_id);
  const byName = new Map(results.map(({ custom_id: name, response }) => [name, response?.body]));
  const verdict = expect.objectContaining({ flagged: expect.any(Boolean) as boolean }) as object;
  expect(byName.get("a")).toMatchObject({ results: [verdict] });
  expect(byName.get("b")).toMatchObject({ results: [verdict, verdict] });
  await expectBill(await bearer("direct-batches", "cem"), 4, 0);
});

test("a model that can't do what a batch asks fails it whole, before anything runs", async () => {
  const dora = await callerOf("direct-batches", "dora");
  const line = lineOf(embeddings, "a", { model: "llama-3.1-8b", input: "One" });
  const batch = await untilStatus(dora, await startBatch(dora, [line], { endpoint: embeddings }), "failed");
  expect(batch.errors?.data).toMatchObject([{ code: "invalid_model", param: "body.model" }]);
});

test("all objects are killed while vectors are made: each line is one answer and one bill", async () => {
  const eve = await callerOf("direct-batches", "eve");
  engine.holdWhole = { until: new Promise(() => undefined), says: [] };
  const id = await startBatch(
    eve,
    ["a", "b", "c", "d", "e", "f"].map((name) => vectors(name, "One")),
    { endpoint: embeddings },
  );
  await expect.poll(() => engine.asked.length).toBe(4);
  engine.holdWhole = null;
  await abortAllDurableObjects();
  await runDurableObjectAlarm(batchStub(id));
  const batch = await untilStatus(eve, id, "completed");
  expect(batch.request_counts).toEqual({ total: 6, completed: 6, failed: 0 });
  expect(await resultsOf(eve, batch.output_file_id)).toHaveLength(6);
  await expectBill(await bearer("direct-batches", "eve"), 8, 30);
});

test("with its owner a batch is erased: who makes vectors for it is let go, and nothing is held back", async () => {
  const fay = await callerOf("direct-batches", "fay");
  const admin = await callerOf("direct-batches", "root", { scope: "tenant:admin" });
  engine.holdWhole = { until: new Promise(() => undefined), says: [] };
  const id = await startBatch(fay, [vectors("a", "One")], { endpoint: embeddings });
  await expect.poll(() => engine.asked.length).toBe(1);
  expect((await admin.ask("DELETE", "/admin/knowledge?user=fay")).body).toMatchObject({ pending: 0 });
  expect((await fay.ask("GET", `/v1/batches/${id}`)).status).toBe(404);
  await expectBill(await bearer("direct-batches", "fay"), 2, 0);
});
