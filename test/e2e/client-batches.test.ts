/** The official client's `batches.*` against the running product. */
import OpenAI, { ConflictError, NotFoundError, toFile } from "openai";
import { expect, test } from "vitest";
import { hasOpenAiSchema, openAiComplaints } from "../node/openai-schema.ts";
import { clientFor, unique } from "./product.ts";

type Batch = OpenAI.Batch;

async function upload(client: OpenAI, lines: readonly object[]): Promise<string> {
  const text = lines.map((line) => JSON.stringify(line)).join("\n");
  const file = await client.files.create({
    file: await toFile(Buffer.from(text), "requests.jsonl"),
    purpose: "batch",
  });
  return file.id;
}

function lineOf(name: string, content: string, more: object = {}) {
  const body = { model: "auto", messages: [{ role: "user", content }], max_tokens: 20, ...more };
  return { custom_id: name, method: "POST", url: "/v1/chat/completions", body };
}

async function ended(client: OpenAI, id: string): Promise<Batch> {
  let batch = await client.batches.retrieve(id);
  await expect
    .poll(
      async () => {
        batch = await client.batches.retrieve(id);
        return batch.status;
      },
      // Its lines take what capacity nobody else needs.
      { timeout: 120_000 },
    )
    .toMatch(/^(completed|failed|expired|cancelled)$/);
  return batch;
}

interface Line {
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly body: OpenAI.ChatCompletion };
}

async function linesOf(client: OpenAI, fileId: string | undefined): Promise<Line[]> {
  const content = await client.files.content(fileId ?? "");
  return (await content.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

test("a batch is made of a file, runs, and its answers and errors are read", async () => {
  const client = await clientFor({ user: unique("batches") });
  const many = Array.from({ length: 60 }, (_, at) => lineOf(`line-${at}`, `What is ${at}?`));
  const made = await client.batches.create({
    input_file_id: await upload(client, [...many, lineOf("wrong", "Hi", { temperature: 7 })]),
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
    metadata: { night: "one" },
    output_expires_after: { anchor: "created_at", seconds: 3600 },
  });
  expect(made).toMatchObject({ object: "batch", status: "validating", metadata: { night: "one" } });
  const batch = await ended(client, made.id);
  expect(batch.status).toBe("completed");
  expect(batch.request_counts).toEqual({ total: 61, completed: 60, failed: 1 });
  const answers = await linesOf(client, batch.output_file_id);
  expect(answers.map((line) => line.custom_id).sort()).toEqual(many.map((line) => line.custom_id).sort());
  let tokens = 0;
  for (const { response } of answers) {
    expect(response.status_code).toBe(200);
    expect(response.body.choices[0]?.message.content).not.toBe("");
    tokens += response.body.usage?.total_tokens ?? 0;
  }
  expect(batch.usage?.total_tokens).toBe(tokens);
  expect((await linesOf(client, batch.error_file_id)).map((line) => line.custom_id)).toEqual(["wrong"]);
  const file = await client.files.retrieve(batch.output_file_id ?? "");
  expect(file).toMatchObject({ purpose: "batch_output", expires_at: file.created_at + 3600 });
  if (hasOpenAiSchema) {
    for (const value of [made, batch]) expect(openAiComplaints("Batch", value)).toEqual([]);
    expect(openAiComplaints("OpenAIFile", file)).toEqual([]);
  }
});

test("texts of a file have their vectors", async () => {
  const client = await clientFor({ user: unique("batches") });
  const names = Array.from({ length: 30 }, (_, at) => `line-${at}`);
  const body = { model: "bge-small", input: ["One", "Two"] };
  const made = await client.batches.create({
    input_file_id: await upload(
      client,
      names.map((name) => ({ custom_id: name, method: "POST", url: "/v1/embeddings", body })),
    ),
    endpoint: "/v1/embeddings",
    completion_window: "24h",
  });
  const batch = await ended(client, made.id);
  expect(batch).toMatchObject({
    status: "completed",
    request_counts: { total: 30, completed: 30, failed: 0 },
  });
  const answers = await linesOf(client, batch.output_file_id);
  expect(answers.map((line) => line.custom_id).sort()).toEqual(names.toSorted());
  for (const { response } of answers) {
    const { data } = response.body as unknown as OpenAI.CreateEmbeddingResponse;
    expect(data.map(({ index }) => index)).toEqual([0, 1]);
    if (hasOpenAiSchema) expect(openAiComplaints("CreateEmbeddingResponse", response.body)).toEqual([]);
  }
  if (hasOpenAiSchema) expect(openAiComplaints("Batch", batch)).toEqual([]);
});

test("batches are listed by pages, the newest first; one that fails says where", async () => {
  const client = await clientFor({ user: unique("batches") });
  const ids: string[] = [];
  for (let at = 0; at < 3; at += 1) {
    const input = await upload(client, [lineOf("same", "One"), lineOf("same", "Two")]);
    const made = await client.batches.create({
      input_file_id: input,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    ids.push(made.id);
  }
  const listed: string[] = [];
  for await (const batch of client.batches.list({ limit: 2 })) listed.push(batch.id);
  expect(listed).toEqual(ids.toReversed());
  const failed = await ended(client, ids[0] ?? "");
  expect(failed.status).toBe("failed");
  expect(failed.errors?.data).toMatchObject([{ code: "duplicate_custom_id", line: 2, param: "custom_id" }]);
  await expect(client.batches.cancel(failed.id)).rejects.toBeInstanceOf(ConflictError);
  if (hasOpenAiSchema) expect(openAiComplaints("Batch", failed)).toEqual([]);
  const other = await clientFor({ user: unique("another") });
  await expect(other.batches.retrieve(failed.id)).rejects.toBeInstanceOf(NotFoundError);
});

test("a batch is cancelled", async () => {
  const client = await clientFor({ user: unique("batches") });
  const input = await upload(
    client,
    Array.from({ length: 400 }, (_, at) => lineOf(`line-${at}`, `Count to ${at}`, { max_tokens: 200 })),
  );
  const { id } = await client.batches.create({
    input_file_id: input,
    endpoint: "/v1/chat/completions",
    completion_window: "24h",
  });
  expect((await client.batches.cancel(id)).status).toMatch(/^cancell(ing|ed)$/);
  const batch = await ended(client, id);
  expect(batch.status).toBe("cancelled");
  const { completed = 0 } = batch.request_counts ?? {};
  expect(completed).toBeLessThan(400);
  if (completed > 0) expect(await linesOf(client, batch.output_file_id)).toHaveLength(completed);
  if (hasOpenAiSchema) expect(openAiComplaints("Batch", batch)).toEqual([]);
});
