/** The official client's `files.*`, `uploads.*` and `vectorStores.*`, its helpers that wait included, against the running product. */
import { createHash } from "node:crypto";
import OpenAI, { BadRequestError, NotFoundError, toFile } from "openai";
import { expect, test } from "vitest";
import { makeToken } from "../../dev/commands/local-token.ts";
import { hasOpenAiSchema, openAiComplaints } from "../node/openai-schema.ts";
import { clientFor, unique, url } from "./product.ts";

/** How often the client's helpers ask. */
const waits = { pollIntervalMs: 50 };

const handbook = `# Opening hours

The reading room is open from nine to five, and closed on the first Monday of May.

# Loans

Seven books may be borrowed for three weeks. Maps never leave the house.
`;

test("a file is uploaded, looked at, read, listed and deleted", async () => {
  const client = await clientFor();
  const made = await client.files.create({
    file: await toFile(Buffer.from(handbook), "handbook.md", { type: "text/markdown" }),
    purpose: "assistants",
    expires_after: { anchor: "created_at", seconds: 3600 },
  });
  expect(made).toMatchObject({
    object: "file",
    filename: "handbook.md",
    bytes: Buffer.byteLength(handbook),
    expires_at: made.created_at + 3600,
  });
  expect(await client.files.retrieve(made.id)).toEqual(made);
  expect(await client.files.waitForProcessing(made.id)).toEqual(made);
  expect(await (await client.files.content(made.id)).text()).toBe(handbook);
  const others = await Promise.all(
    [1, 2, 3].map(async (at) =>
      client.files.create({ file: await toFile(Buffer.from(`${at}`), `${at}.txt`), purpose: "user_data" }),
    ),
  );
  const listed: string[] = [];
  for await (const file of client.files.list({ limit: 2, order: "asc" })) listed.push(file.id);
  expect(listed.sort()).toEqual([made, ...others].map(({ id }) => id).sort());
  expect(await client.files.delete(made.id)).toEqual({ id: made.id, object: "file", deleted: true });
  await expect(client.files.retrieve(made.id)).rejects.toBeInstanceOf(NotFoundError);
  await expect(
    client.files.create({ file: await toFile(Buffer.from("x"), "x.jsonl"), purpose: "fine-tune" }),
  ).rejects.toBeInstanceOf(BadRequestError);
});

test("a long file goes through in pieces and comes back byte for byte", async () => {
  const client = await clientFor();
  const bytes = Buffer.alloc(20_000_000, "0123456789abcdef\n");
  const made = await client.files.create({ file: await toFile(bytes, "long.txt"), purpose: "user_data" });
  expect(made.bytes).toBe(bytes.length);
  const read = Buffer.from(await (await client.files.content(made.id)).arrayBuffer());
  expect(read.equals(bytes)).toBe(true);
  await client.files.delete(made.id);
});

test("a file that is uploaded in parts is one, in the order of its parts, and can be searched", async () => {
  const client = await clientFor();
  const bytes = Buffer.from(handbook);
  const upload = await client.uploads.create({
    filename: "handbook.md",
    purpose: "assistants",
    bytes: bytes.length,
    mime_type: "text/markdown",
  });
  expect(upload).toMatchObject({ status: "pending", expires_at: upload.created_at + 3600 });
  const send = async (from: number, to: number) =>
    client.uploads.parts.create(upload.id, { data: await toFile(bytes.subarray(from, to), "part") });
  const [last, first] = await Promise.all([send(100, bytes.length), send(0, 100)]);
  const md5 = createHash("md5").update(bytes).digest("hex");
  const completed = await client.uploads.complete(upload.id, { part_ids: [first.id, last.id], md5 });
  expect(completed).toMatchObject({ id: upload.id, status: "completed" });
  expect(await client.uploads.complete(upload.id, { part_ids: [first.id, last.id], md5 })).toEqual(completed);
  const { file } = completed;
  if (!file) throw new Error("a completed upload has its file");
  expect(await client.files.retrieve(file.id)).toEqual(file);
  expect(await (await client.files.content(file.id)).text()).toBe(handbook);
  const store = await client.vectorStores.create({});
  await client.vectorStores.files.createAndPoll(store.id, { file_id: file.id }, waits);
  expect((await client.vectorStores.search(store.id, { query: "maps" })).data[0]).toMatchObject({
    file_id: file.id,
    filename: "handbook.md",
  });
  const given = await client.uploads.create({
    filename: "a.txt",
    purpose: "assistants",
    bytes: 1,
    mime_type: "text/plain",
  });
  expect(await client.uploads.cancel(given.id)).toMatchObject({ id: given.id, status: "cancelled" });
  const stranger = await clientFor();
  await expect(stranger.uploads.cancel(given.id)).rejects.toBeInstanceOf(NotFoundError);
  await expect(
    stranger.uploads.parts.create(given.id, { data: await toFile(bytes, "part") }),
  ).rejects.toBeInstanceOf(NotFoundError);
});

test("uploadAndPoll makes a file searchable, and a search finds it", async () => {
  const client = await clientFor();
  const store = await client.vectorStores.create({ name: "Library", metadata: { floor: "2" } });
  const file = await client.vectorStores.files.uploadAndPoll(
    store.id,
    await toFile(Buffer.from(handbook), "handbook.md"),
    waits,
  );
  expect(file).toMatchObject({ status: "completed", last_error: null, vector_store_id: store.id });
  const found = await client.vectorStores.search(store.id, {
    query: "How many books can I borrow?",
    max_num_results: 2,
    rewrite_query: true,
    ranking_options: { ranker: "auto", score_threshold: 0 },
  });
  expect(found.data[0]).toMatchObject({ file_id: file.id, filename: "handbook.md" });
  expect(found.data.map(({ content }) => content[0]?.text).join("\n")).toContain("Seven books");
  const text = await client.vectorStores.files.content(file.id, { vector_store_id: store.id });
  expect(text.data[0]).toEqual({ type: "text", text: handbook });
  const retrieved = await client.vectorStores.retrieve(store.id);
  expect(retrieved).toMatchObject({ status: "completed", file_counts: { completed: 1, total: 1 } });
  expect(retrieved.usage_bytes).toBeGreaterThan(0);
  const changed = await client.vectorStores.files.update(file.id, {
    vector_store_id: store.id,
    attributes: { language: "en", pages: 2 },
  });
  expect(changed.attributes).toEqual({ language: "en", pages: 2 });
  const filtered = await client.vectorStores.search(store.id, {
    query: "books",
    filters: { type: "eq", key: "language", value: "de" },
  });
  expect(filtered.data).toEqual([]);
  await client.files.delete(file.id);
  const gone = await client.vectorStores.search(store.id, { query: "books" });
  expect(gone.data).toEqual([]);
  expect(await client.vectorStores.delete(store.id)).toMatchObject({ id: store.id, deleted: true });
});

test("batches are made and waited for, by file ids and by files", async () => {
  const client = await clientFor();
  const store = await client.vectorStores.create({});
  const files = await Promise.all(
    ["one", "two"].map(async (text) => toFile(Buffer.from(`This is ${text}.`), `${text}.txt`)),
  );
  const uploaded = await client.vectorStores.fileBatches.uploadAndPoll(store.id, { files }, waits);
  expect(uploaded).toMatchObject({ status: "completed", file_counts: { completed: 2, total: 2 } });
  const listed: string[] = [];
  const pages = client.vectorStores.fileBatches.listFiles(uploaded.id, {
    vector_store_id: store.id,
    limit: 1,
  });
  for await (const file of pages) listed.push(file.id);
  expect(listed).toHaveLength(2);
  const polled = await client.vectorStores.fileBatches.createAndPoll(
    store.id,
    { file_ids: listed, attributes: { kind: "number" } },
    waits,
  );
  expect(polled.file_counts.completed).toBe(2);
  const cancelled = await client.vectorStores.fileBatches.cancel(polled.id, { vector_store_id: store.id });
  expect(cancelled.id).toBe(polled.id);
  const stores: string[] = [];
  for await (const one of client.vectorStores.list({ limit: 1 })) stores.push(one.id);
  expect(stores).toEqual([store.id]);
  const taken = await client.vectorStores.files.delete(listed[0] ?? "", { vector_store_id: store.id });
  expect(taken).toMatchObject({ deleted: true });
});

test("a file that can't be searched says why, and which kinds can", async () => {
  const client = await clientFor();
  const store = await client.vectorStores.create({});
  const picture = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
  const file = await client.vectorStores.files.uploadAndPoll(store.id, await toFile(picture, "a.png"), waits);
  expect(file).toMatchObject({ status: "failed", last_error: { code: "unsupported_file" } });
  expect(file.last_error?.message).toContain("Markdown");
});

test("a store of the whole tenant is searched by another user", async () => {
  const admin = new OpenAI({
    baseURL: `${url}/v1`,
    apiKey: await makeToken(["--tenant", "demo", "--user", unique("admin"), "--scope", "tenant:admin"]),
    maxRetries: 0,
  });
  const file = await admin.files.create(
    { file: await toFile(Buffer.from(handbook), "handbook.md"), purpose: "assistants" },
    { query: { visibility: "tenant" } },
  );
  const store = await admin.vectorStores.create({ name: "All", visibility: "tenant" } as object);
  await admin.vectorStores.files.createAndPoll(store.id, { file_id: file.id }, waits);
  const found = await (await clientFor()).vectorStores.search(store.id, { query: "maps" });
  expect(found.data[0]?.file_id).toBe(file.id);
  await admin.files.delete(file.id);
  await admin.vectorStores.delete(store.id);
});

test.skipIf(!hasOpenAiSchema)("every object is as OpenAI describes it", async () => {
  const client = await clientFor();
  const file = await client.files.create({
    file: await toFile(Buffer.from(handbook), "handbook.md"),
    purpose: "assistants",
  });
  const store = await client.vectorStores.create({
    name: "n",
    expires_after: { anchor: "last_active_at", days: 1 },
  });
  const attached = await client.vectorStores.files.createAndPoll(store.id, { file_id: file.id }, waits);
  const batch = await client.vectorStores.fileBatches.create(store.id, { file_ids: [file.id] });
  const upload = await client.uploads.create({
    filename: "a.txt",
    purpose: "assistants",
    bytes: 1,
    mime_type: "text/plain",
  });
  const part = await client.uploads.parts.create(upload.id, { data: await toFile(Buffer.from("a"), "part") });
  const get = async (path: string): Promise<unknown> => client.get(path);
  const storePath = `/vector_stores/${store.id}`;
  const described: readonly (readonly [string, unknown])[] = [
    ["OpenAIFile", file],
    ["Upload", upload],
    ["UploadPart", part],
    ["Upload", await client.uploads.complete(upload.id, { part_ids: [part.id] })],
    ["ListFilesResponse", await get("/files")],
    ["VectorStoreObject", store],
    ["VectorStoreObject", await client.vectorStores.update(store.id, { expires_after: null })],
    ["ListVectorStoresResponse", await get("/vector_stores")],
    ["VectorStoreFileObject", attached],
    ["ListVectorStoreFilesResponse", await get(`${storePath}/files`)],
    ["VectorStoreFileBatchObject", batch],
    ["VectorStoreFileContentResponse", await get(`${storePath}/files/${file.id}/content`)],
    ["VectorStoreSearchResultsPage", await client.post(`${storePath}/search`, { body: { query: "books" } })],
    [
      "DeleteVectorStoreFileResponse",
      await client.vectorStores.files.delete(file.id, { vector_store_id: store.id }),
    ],
    ["DeleteVectorStoreResponse", await client.vectorStores.delete(store.id)],
    ["DeleteFileResponse", await client.files.delete(file.id)],
  ];
  for (const [name, value] of described) expect([name, openAiComplaints(name, value)]).toEqual([name, []]);
});
