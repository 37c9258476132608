/** `/v1/batches` as a client sees it. */
import { expect, test } from "vitest";
import { askForBatch, batchOf, chatLine, resultsOf, startBatch, untilStatus } from "./batch-fixture.ts";
import { bearer } from "./edge-under-test.ts";
import { callerOf } from "./knowledge-fixture.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({
  batches: { limits: limitless },
  "no-batches": { batches: { mode: "off" } },
});

test("every line of a file is answered, counted and charged once, and lies in the output file", async () => {
  const ann = await callerOf("batches", "ann");
  const id = await startBatch(
    ann,
    [chatLine("a", "One"), "", chatLine("b", "Two"), chatLine("ü/3", "Three")],
    {
      metadata: { night: "1" },
    },
  );
  const batch = await untilStatus(ann, id, "completed");
  expect(batch).toMatchObject({
    object: "batch",
    endpoint: "/v1/chat/completions",
    model: "auto",
    completion_window: "24h",
    errors: null,
    error_file_id: null,
    request_counts: { total: 3, completed: 3, failed: 0 },
    usage: { input_tokens: 30, output_tokens: 6, total_tokens: 36 },
    metadata: { night: "1" },
  });
  expect(batch).not.toHaveProperty("failed_at");
  const results = await resultsOf(ann, batch.output_file_id);
  expect(results.map(({ custom_id: name }) => name).sort()).toEqual(["a", "b", "ü/3"]);
  for (const { id: name, response, error } of results) {
    expect(error).toBeNull();
    expect(response).toMatchObject({
      status_code: 200,
      request_id: name,
      body: {
        object: "chat.completion",
        choices: [{ message: { role: "assistant", content: "Hello there" }, finish_reason: "stop" }],
        usage: { prompt_tokens: 10, completion_tokens: 2 },
      },
    });
  }
  expect(engine.asked).toHaveLength(3);
  const file = await ann.ask("GET", `/v1/files/${batch.output_file_id}`);
  expect(file.body).toMatchObject({ purpose: "batch_output", filename: `${id}_output.jsonl` });
  // Each line, and the batch itself.
  await expectBill(await bearer("batches", "ann"), 5, 36);
});

test("a line that is no such request fails alone, with its own error, and costs nothing", async () => {
  const bob = await callerOf("batches", "bob");
  const id = await startBatch(bob, [
    chatLine("well", "One"),
    chatLine("hot", "Two", { temperature: 9 }),
    chatLine("streams", "Three", { stream: true }),
    chatLine("talks", "Four", { conversation_id: "mine" }),
  ]);
  const batch = await untilStatus(bob, id, "completed");
  expect(batch.request_counts).toEqual({ total: 4, completed: 1, failed: 3 });
  const failed = await resultsOf(bob, batch.error_file_id);
  expect(Object.fromEntries(failed.map(({ custom_id: name, response }) => [name, response]))).toMatchObject({
    hot: { status_code: 400, body: { error: { param: "temperature", code: "invalid_value" } } },
    streams: { status_code: 400, body: { error: { param: "stream", code: "unsupported_parameter" } } },
    talks: { status_code: 400, body: { error: { param: "conversation_id" } } },
  });
  await expectBill(await bearer("batches", "bob"), 3, 12);
});

test("responses are answered as well, and are not kept where they ask for that", async () => {
  const cem = await callerOf("batches", "cem");
  const line = (customId: string, more: object) =>
    JSON.stringify({
      custom_id: customId,
      method: "POST",
      url: "/v1/responses",
      body: { model: "auto", input: "Hi", ...more },
    });
  const id = await startBatch(cem, [line("kept", {}), line("unkept", { store: false })], {
    endpoint: "/v1/responses",
  });
  const batch = await untilStatus(cem, id, "completed");
  const results = await resultsOf(cem, batch.output_file_id);
  const byName = new Map(results.map(({ custom_id: name, response }) => [name, response?.body]));
  expect(byName.get("kept")).toMatchObject({ object: "response", status: "completed" });
  expect(batch.usage).toMatchObject({ input_tokens: 20, output_tokens: 4 });
  const statusOf = async (name: string) =>
    (await cem.ask("GET", `/v1/responses/${String(byName.get(name)?.["id"])}`)).status;
  expect(await statusOf("kept")).toBe(200);
  await expect.poll(() => statusOf("unkept")).toBe(404);
});

test("a file that is no batch fails whole, and says at which lines why; none of it runs", async () => {
  const dora = await callerOf("batches", "dora");
  const id = await startBatch(dora, [
    chatLine("a", "One"),
    "{",
    chatLine("a", "Twice"),
    chatLine("b", "Elsewhere").replace("/v1/chat/completions", "/v1/embeddings"),
    chatLine("c", "Another", { model: "llama-3.1-8b" }),
    chatLine("d", "Get").replace('"POST"', '"GET"'),
    JSON.stringify({ custom_id: "e", method: "POST", url: "/v1/chat/completions" }),
    chatLine("", "Nameless"),
  ]);
  const batch = await untilStatus(dora, id, "failed");
  expect(batch).toMatchObject({ output_file_id: null, error_file_id: null });
  expect(batch).not.toHaveProperty("in_progress_at");
  expect(batch.errors?.data.map(({ line, code, param }) => [line, code, param])).toEqual([
    [2, "invalid_json_line", null],
    [3, "duplicate_custom_id", "custom_id"],
    [4, "mismatched_url", "url"],
    [5, "mismatched_model", "body.model"],
    [6, "invalid_method", "method"],
    [7, "missing_required_parameter", "body"],
    [8, "invalid_custom_id", "custom_id"],
  ]);
  expect(engine.asked).toHaveLength(0);
  for (const [lines, code] of [
    [["", "  "], "empty_file"],
    [[chatLine("a", "Hi", { model: "nobody-has-it" })], "model_not_found"],
  ] as const) {
    const other = await untilStatus(dora, await startBatch(dora, lines), "failed");
    expect(other.errors?.data.map((error) => error.code)).toEqual([code]);
  }
});

test("what can't be a batch is refused at once, by its field, and is charged to nobody", async () => {
  const eve = await callerOf("batches", "eve");
  const plain = await eve.upload("a.txt", "text");
  for (const [body, status, param] of [
    [{ input_file_id: "file-none" }, 404, "input_file_id"],
    [{ input_file_id: plain }, 400, "input_file_id"],
    [{ input_file_id: undefined }, 400, "input_file_id"],
    [{ endpoint: "/v1/images/generations" }, 400, "endpoint"],
    [{ completion_window: "1h" }, 400, "completion_window"],
    [{ output_expires_after: { anchor: "created_at", seconds: 60 } }, 400, "output_expires_after.seconds"],
    [{ priority: "low" }, 400, "priority"],
  ] as const)
    expect(await askForBatch(eve, [chatLine("a", "Hi")], body)).toMatchObject({
      status,
      body: { error: { param } },
    });
  const off = await callerOf("no-batches", "eve");
  expect(await askForBatch(off, [chatLine("a", "Hi")])).toMatchObject({
    status: 400,
    body: { error: { code: "unsupported_parameter" } },
  });
  // The eight files count, and nothing else.
  await expectBill(await bearer("batches", "eve"), 8, 0);
});

test("a batch is its owner's: others find neither it nor its files", async () => {
  const fay = await callerOf("batches", "fay");
  const gus = await callerOf("batches", "gus");
  const id = await startBatch(fay, [chatLine("a", "Hi")]);
  const batch = await untilStatus(fay, id, "completed");
  for (const [method, path] of [
    ["GET", `/v1/batches/${id}`],
    ["POST", `/v1/batches/${id}/cancel`],
    ["GET", `/v1/files/${batch.output_file_id}`],
    ["GET", "/v1/batches/batch_none"],
  ] as const)
    expect((await gus.ask(method, path)).status).toBe(404);
  expect((await gus.ask("GET", "/v1/batches")).body["data"]).toEqual([]);
});

test("a list of batches goes page by page, the newest first", async () => {
  const hal = await callerOf("batches", "hal");
  const ids: string[] = [];
  for (let at = 0; at < 3; at += 1) {
    ids.push(await startBatch(hal, [chatLine("a", "Hi")]));
    await untilStatus(hal, ids[at] ?? "", "completed");
  }
  const list = async (query: string) => (await hal.ask("GET", `/v1/batches${query}`)).body;
  const [oldest, middle, newest] = ids.toSorted();
  expect(await list("?limit=2")).toMatchObject({
    object: "list",
    data: [{ id: newest, object: "batch" }, { id: middle }],
    first_id: newest,
    last_id: middle,
    has_more: true,
  });
  expect(await list(`?after=${middle}`)).toMatchObject({ data: [{ id: oldest }], has_more: false });
  expect(await hal.ask("GET", "/v1/batches?after=batch_none")).toMatchObject({
    status: 400,
    body: { error: { param: "after" } },
  });
});

test("a cancelled batch begins no other line; what is under way ends, counts, and lies in its file", async () => {
  const ida = await callerOf("batches", "ida");
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 0, until: gate.promise };
  const id = await startBatch(
    ida,
    Array.from({ length: 20 }, (_, at) => chatLine(`line-${at}`, "Count", { max_tokens: 5000 })),
  );
  await expect.poll(() => engine.asked.length).toBe(4);
  const cancelled = await ida.ask("POST", `/v1/batches/${id}/cancel`);
  expect(cancelled).toMatchObject({ status: 200, body: { status: "cancelling" } });
  gate.resolve();
  const batch = await untilStatus(ida, id, "cancelled");
  expect(batch).toMatchObject({
    request_counts: { total: 20, completed: 4, failed: 0 },
    error_file_id: null,
  });
  expect(batch).not.toHaveProperty("completed_at");
  expect(await resultsOf(ida, batch.output_file_id)).toHaveLength(4);
  expect(engine.asked).toHaveLength(4);
  expect((await ida.ask("POST", `/v1/batches/${id}/cancel`)).body).toMatchObject({ status: "cancelled" });
  await expectBill(await bearer("batches", "ida"), 6, 4 * 12);
});

test("a batch that has ended can't be cancelled", async () => {
  const jan = await callerOf("batches", "jan");
  const id = await startBatch(jan, [chatLine("a", "Hi")]);
  await untilStatus(jan, id, "completed");
  expect(await jan.ask("POST", `/v1/batches/${id}/cancel`)).toMatchObject({
    status: 409,
    body: { error: { code: "conflict" } },
  });
  expect(await batchOf(jan, id)).toMatchObject({ status: "completed" });
});
