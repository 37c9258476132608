/** Batches of the Worker as it ships, with the turns that they begin: killed, revoked, erased. */
import { abortAllDurableObjects, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { bucketKey } from "../../durable-objects/library/file-bucket.ts";
import { batchLinesBy, batchStub, chatLine, resultsOf, startBatch, untilStatus } from "./batch-fixture.ts";
import { bearer, post } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { callerOf } from "./knowledge-fixture.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";

const narrow = { ...limitless.user.pro, concurrent_requests: 4 };
const engine = scriptedEdge({
  "killed-batches": { limits: limitless },
  "narrow-batches": { limits: { ...limitless, user: { pro: narrow } } },
});

const lines = ["a", "b", "c", "d", "e", "f"].map((name) => chatLine(name, "Count", { max_tokens: 5000 }));

test.for([0, 1, 2])(
  "all objects are killed after %i words of its answers: each line is one answer and one bill",
  async (at) => {
    const user = `killed-${at}`;
    const caller = await callerOf("killed-batches", user);
    engine.tokens = ["One", " two", " three"];
    engine.pause = { at, until: new Promise(() => undefined) };
    const id = await startBatch(caller, lines);
    await expect.poll(() => engine.asked.length).toBe(4);
    engine.pause = null;
    await abortAllDurableObjects();
    await runDurableObjectAlarm(batchStub(id));
    const batch = await untilStatus(caller, id, "completed");
    expect(batch.request_counts).toEqual({ total: 6, completed: 6, failed: 0 });
    const results = await resultsOf(caller, batch.output_file_id);
    expect(results.map(({ custom_id: name }) => name).sort()).toEqual(["a", "b", "c", "d", "e", "f"]);
    for (const { response } of results)
      expect(response?.body).toMatchObject({
        choices: [{ message: { content: "One two three" }, finish_reason: "stop" }],
      });
    await expectBill(
      await bearer("killed-batches", user),
      8,
      batch.usage.input_tokens + batch.usage.output_tokens,
    );
  },
);

test("a revoked credential ends its batch: what was answered is kept, the rest is told", async () => {
  const before = { tier: "pro", iat: Math.floor(Date.now() / 1000) - 5 };
  const caller = await callerOf("killed-batches", "revoked", before);
  const admin = await callerOf("killed-batches", "root", { scope: "tenant:admin" });
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 0, until: gate.promise };
  const id = await startBatch(caller, lines);
  await expect.poll(() => engine.asked.length).toBe(4);
  const revoked = await admin.ask("POST", "/admin/revocations", { user: "revoked" });
  expect(revoked.status).toBe(200);
  engine.pause = null;
  gate.resolve();
  const issued = { tier: "pro", iat: Number(revoked.body["revoked_before"]) };
  const again = await callerOf("killed-batches", "revoked", issued);
  const batch = await untilStatus(again, id, "failed");
  expect(batch.errors?.data).toMatchObject([{ code: "credential_revoked" }]);
  expect(batch.request_counts).toEqual({ total: 6, completed: 4, failed: 0 });
  expect(await resultsOf(again, batch.output_file_id)).toHaveLength(4);
  const rest = await resultsOf(again, batch.error_file_id);
  expect(rest.map(({ error }) => error?.code)).toEqual(["batch_failed", "batch_failed"]);
});

test("with its owner a batch is erased: its turns end, and neither it nor its files are found", async () => {
  const caller = await callerOf("killed-batches", "erased");
  const admin = await callerOf("killed-batches", "root", { scope: "tenant:admin" });
  const done = await untilStatus(caller, await startBatch(caller, lines.slice(0, 1)), "completed");
  const output = done.output_file_id ?? "";
  expect(await env.FILES?.head(bucketKey(output))).not.toBeNull();
  engine.pause = { at: 0, until: new Promise(() => undefined) };
  const asked = engine.asked.length;
  const id = await startBatch(caller, lines);
  await expect.poll(() => engine.asked.length).toBe(asked + 4);
  expect((await admin.ask("DELETE", "/admin/knowledge?user=erased")).body).toMatchObject({ pending: 0 });
  for (const path of [`/v1/batches/${id}`, `/v1/batches/${done.id}`, `/v1/files/${output}`])
    expect((await caller.ask("GET", path)).status).toBe(404);
  expect((await caller.ask("GET", "/v1/batches")).body["data"]).toEqual([]);
  expect(await env.FILES?.head(bucketKey(output))).toBeNull();
  await eventually(() => expect(engine.cancelled).toBe(4));
  expect(engine.asked).toHaveLength(asked + 4);
});

test("the file of a batch is deleted between a kill and its next wake: what its turns answered is told and paid", async () => {
  const caller = await callerOf("killed-batches", "unfiled");
  engine.tokens = ["One", " two", " three"];
  engine.pause = { at: 1, until: new Promise(() => undefined) };
  const id = await startBatch(caller, lines);
  await expect.poll(() => engine.asked.length).toBe(4);
  const { input_file_id: input } = (await caller.ask("GET", `/v1/batches/${id}`)).body;
  engine.pause = null;
  await abortAllDurableObjects();
  expect((await caller.ask("DELETE", `/v1/files/${String(input)}`)).status).toBe(200);
  await runDurableObjectAlarm(batchStub(id));
  const batch = await untilStatus(caller, id, "failed");
  expect(batch.errors?.data).toMatchObject([{ code: "file_not_found" }]);
  expect(batch.request_counts).toEqual({ total: 6, completed: 4, failed: 0 });
  const results = await resultsOf(caller, batch.output_file_id);
  expect(results.map(({ custom_id: name }) => name).sort()).toEqual(["a", "b", "c", "d"]);
  const rest = await resultsOf(caller, batch.error_file_id);
  expect(rest.map(({ custom_id: name }) => name)).toEqual(["e", "f"]);
  const { input_tokens: read, output_tokens: written } = batch.usage;
  await expectBill(await bearer("killed-batches", "unfiled"), 6, read + written);
});

test("two batches of a user leave half of the user's places at once to the user", async () => {
  const caller = await callerOf("narrow-batches", "ann");
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 0, until: gate.promise };
  const first = await startBatch(caller, lines);
  await expect.poll(() => engine.asked.length).toBeGreaterThan(0);
  const second = await startBatch(caller, lines);
  await eventually(async () => expect((await batchLinesBy())("waited")).toBeGreaterThan(1));
  expect(engine.asked.length).toBeLessThanOrEqual(2);
  const chat = { model: "auto", max_tokens: 5, messages: [{ role: "user", content: "Hello" }] };
  const answer = await post("/v1/chat/completions", await bearer("narrow-batches", "ann"), chat);
  expect(answer.status).toBe(200);
  for (const id of [first, second]) await caller.ask("POST", `/v1/batches/${id}/cancel`);
  gate.resolve();
  for (const id of [first, second]) await untilStatus(caller, id, "cancelled");
});
