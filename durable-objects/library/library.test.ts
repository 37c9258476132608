import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { libraryVersion, type LibraryLimits } from "../../src/shared/contracts/library.ts";
import { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";
import { mintId, objectOfId } from "../../src/shared/turn/response-id.ts";
import { holdsText } from "../../test/workers/stored-text.ts";
import { bucketKey } from "./file-bucket.ts";
import { fileContents } from "./file-contents.ts";

const hash = new KeyedHash("a secret of the tests, long enough");
const plenty: LibraryLimits = { maxFiles: 100, maxTotalBytes: 1_000_000_000 };
let made = 0;

/** The library of a user of its own. */
class Probe {
  readonly owner = { tenant: "library-tests", user: `user-${(made += 1)}` };
  readonly message = { v: libraryVersion, owner: this.owner, jurisdiction: "none" } as const;
  readonly stub = env.LIBRARY.getByName(`${this.owner.tenant}/library/${JSON.stringify(this.owner.user)}`);
  #nowMs = 1_700_000_000_000;

  async id(kind: "file" | "vectorStore"): Promise<string> {
    this.#nowMs += 1;
    const entropy = crypto.getRandomValues(new Uint8Array(16));
    const request = { kind, owner: this.owner, jurisdiction: "none", nowMs: this.#nowMs, entropy } as const;
    return (await mintId(hash, request)).id;
  }

  /** A whole upload, as the edge makes one. */
  async file(text: string, storedIn: "bucket" | "library", more: { expiresAfterMs?: number } = {}) {
    const fileId = await this.id("file");
    const bytes = new TextEncoder().encode(text);
    const begin = { ...this.message, fileId, reserveBytes: bytes.length, storedIn, limits: plenty };
    expect(await this.stub.beginUpload(begin)).toEqual({ result: "ok", roomBytes: bytes.length });
    const writer = fileContents(env).writer({ ...this.message, fileId }, storedIn);
    await writer.write(bytes);
    await writer.finish();
    await this.finish(fileId, bytes.length, more.expiresAfterMs ?? null);
    return fileId;
  }

  finish(fileId: string, bytes: number, expiresAfterMs: number | null = null) {
    const named = { filename: "a.txt", purpose: "assistants", mediaType: "text/plain" } as const;
    return this.stub.finishUpload({ ...this.message, fileId, ...named, bytes, expiresAfterMs });
  }

  async ids(more: object = {}): Promise<string[]> {
    const page = { after: null, before: null, limit: 100, order: "asc", purpose: null } as const;
    const listed = await this.stub.listFiles({ ...this.message, ...page, ...more });
    if (listed.result !== "ok") throw new Error(listed.result);
    return listed.files.map(({ id }) => id);
  }

  store(storeId: string, files: readonly string[] = [], maxStores = 10) {
    const definition = { name: "n", description: "", metadata: {}, expiresAfterDays: null };
    const chunking = { maxTokens: 800, overlapTokens: 400 };
    return this.stub.createStore({
      ...this.message,
      storeId,
      definition,
      files: files.map((fileId) => ({ fileId, attributes: {}, chunking })),
      maxStores,
      maxPassages: 1000,
    });
  }

  knowledge(storeId: string) {
    return env.KNOWLEDGE_BASE.getByName(objectOfId(storeId)?.objectName ?? "");
  }
}

async function textOf(stream: ReadableStream<Uint8Array> | null): Promise<string | null> {
  return stream === null ? null : new TextDecoder().decode(await new Response(stream).arrayBuffer());
}

test.for(["bucket", "library"] as const)(
  "a file in the %s is read as it was written, also after an eviction, and its deletion leaves no byte",
  async (storedIn) => {
    const probe = new Probe();
    const text = "zyzzyva ".repeat(storedIn === "library" ? 400_000 : 10);
    const fileId = await probe.file(text, storedIn);
    await evictDurableObject(probe.stub);
    expect(await probe.stub.getFile({ ...probe.message, fileId })).toMatchObject({
      file: { id: fileId, bytes: text.length, storedIn, expiresMs: null },
    });
    const read = () => fileContents(env).open({ ...probe.message, fileId }, storedIn);
    expect((await textOf(await read())) === text).toBe(true);
    expect(await probe.finish(fileId, 5)).toMatchObject({ file: { bytes: text.length } });
    expect(await probe.stub.deleteFile({ ...probe.message, fileId })).toEqual({ result: "deleted" });
    expect(await read()).toBeNull();
    expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
    expect(await env.FILES?.head(bucketKey(fileId))).toBeNull();
    for (const ask of [probe.stub.getFile, probe.stub.deleteFile])
      expect(await ask({ ...probe.message, fileId })).toEqual({ result: "unknown" });
  },
);

test("a file of many parts goes to the bucket as one, whatever its length", async () => {
  const probe = new Probe();
  const part = 8 * 1_048_576;
  for (const length of [part, part + 1, 2 * part + 5]) {
    const fileId = await probe.id("file");
    const writer = fileContents(env).writer({ ...probe.message, fileId }, "bucket");
    const bytes = new Uint8Array(length).fill(7);
    bytes[length - 1] = 9;
    for (let at = 0; at < length; at += 3_000_000) await writer.write(bytes.subarray(at, at + 3_000_000));
    await writer.finish();
    const stored = new Uint8Array((await (await env.FILES?.get(bucketKey(fileId)))?.arrayBuffer()) ?? []);
    expect([stored.length, stored[0], stored[length - 2], stored[length - 1]]).toEqual([length, 7, 7, 9]);
    await env.FILES?.delete(bucketKey(fileId));
  }
});

test("what was only asked about holds nothing, and another owner learns and changes nothing", async () => {
  const probe = new Probe();
  expect(await probe.ids()).toEqual([]);
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
  });
  const fileId = await probe.file("x", "library");
  const stranger = { ...probe.message, owner: { ...probe.owner, user: "eve" } };
  expect(await probe.stub.getFile({ ...stranger, fileId })).toEqual({ result: "unknown" });
  expect(await probe.stub.deleteFile({ ...stranger, fileId })).toEqual({ result: "unknown" });
  expect(await probe.stub.readPart({ ...stranger, fileId, part: 0 })).toEqual({ result: "unknown" });
  const newer = { ...probe.message, v: 2, fileId } as unknown as typeof probe.message & { fileId: string };
  expect(await probe.stub.getFile(newer)).toEqual({ result: "version-unsupported", supported: 1 });
  expect(await probe.ids()).toEqual([fileId]);
});

test("limits count what is stored and what is on its way, and what is given up makes room", async () => {
  const probe = new Probe();
  const limits = { maxFiles: 2, maxTotalBytes: 100 };
  const begin = async (reserveBytes: number, fileId?: string) =>
    probe.stub.beginUpload({
      ...probe.message,
      fileId: fileId ?? (await probe.id("file")),
      reserveBytes,
      storedIn: "library",
      limits,
    });
  const first = await probe.id("file");
  const second = await probe.id("file");
  expect(await begin(90, first)).toEqual({ result: "ok", roomBytes: 90 });
  expect(await begin(90, first)).toEqual({ result: "ok", roomBytes: 90 });
  expect(await begin(11, second)).toEqual({ result: "ok", roomBytes: 10 });
  expect(await probe.stub.dropUpload({ ...probe.message, fileId: second })).toEqual({ result: "deleted" });
  await probe.finish(first, 100);
  expect(await begin(1)).toEqual({ result: "full", limit: "bytes", most: 100 });
  limits.maxTotalBytes = 200;
  expect(await begin(1)).toEqual({ result: "ok", roomBytes: 1 });
  expect(await begin(0)).toEqual({ result: "full", limit: "files", most: 2 });
  expect(await probe.stub.dropUpload({ ...probe.message, fileId: first })).toEqual({ result: "unknown" });
  expect(await probe.ids()).toEqual([first]);
});

test("an upload that nobody finished is given up by the alarm, its bytes with it", async () => {
  const probe = new Probe();
  for (const storedIn of ["bucket", "library"] as const) {
    const fileId = await probe.id("file");
    const begin = { ...probe.message, fileId, reserveBytes: 10, storedIn, limits: plenty };
    await probe.stub.beginUpload(begin);
    const writer = fileContents(env).writer({ ...probe.message, fileId }, storedIn);
    await writer.write(new TextEncoder().encode("zyzzyva"));
    await writer.finish();
    await runDurableObjectAlarm(probe.stub);
    await runInDurableObject(probe.stub, (_instance, { storage }) => {
      expect(storage.sql.exec("SELECT count(*) AS n FROM file").one()).toEqual({ n: 1 });
      storage.sql.exec("UPDATE file SET created_ms = created_ms - 3600000");
    });
    expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
    expect(await probe.finish(fileId, 7)).toEqual({ result: "unknown" });
    expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
    expect(await env.FILES?.head(bucketKey(fileId))).toBeNull();
  }
});

test("a file whose time is over is unknown at once, and erased by the alarm", async () => {
  const probe = new Probe();
  const fileId = await probe.file("zyzzyva", "library", { expiresAfterMs: 3_600_000 });
  expect(await probe.ids()).toEqual([fileId]);
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE file SET expires_ms = 1");
  });
  expect(await probe.stub.getFile({ ...probe.message, fileId })).toEqual({ result: "unknown" });
  expect(await probe.ids()).toEqual([]);
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
});

test("pages go on behind and ahead of a file, also one that is gone", async () => {
  const probe = new Probe();
  const ids: string[] = [];
  for (let at = 0; at < 5; at += 1) ids.push(await probe.file(`${at}`, "library"));
  await probe.stub.deleteFile({ ...probe.message, fileId: ids[2] ?? "" });
  expect(await probe.ids({ after: ids[2] })).toEqual(ids.slice(3));
  expect(await probe.ids({ after: ids[2], order: "desc" })).toEqual([ids[1], ids[0]]);
  expect(await probe.ids({ before: ids[4], limit: 2 })).toEqual([ids[1], ids[3]]);
  expect(await probe.ids({ purpose: "user_data" })).toEqual([]);
});

test("a store is made once, within its limit, with files that exist, and deleted with what it held", async () => {
  const probe = new Probe();
  const fileId = await probe.file("zyzzyva", "bucket");
  const storeId = await probe.id("vectorStore");
  const unknown = await probe.id("file");
  expect(await probe.store(storeId, [unknown])).toEqual({ result: "file-unknown", fileId: unknown });
  const first = await probe.store(storeId, [fileId]);
  expect(first).toMatchObject({ result: "ok", store: { id: storeId, counts: { in_progress: 1 } } });
  expect(await probe.store(storeId)).toEqual(first);
  expect(await probe.store(await probe.id("vectorStore"), [], 1)).toEqual({ result: "full", most: 1 });
  const page = { after: null, before: null, limit: 10, order: "asc" } as const;
  expect(await probe.stub.listStores({ ...probe.message, ...page })).toEqual({
    result: "ok",
    ids: [storeId],
    hasMore: false,
  });
  expect(await probe.stub.deleteStore({ ...probe.message, storeId })).toEqual({ result: "deleted" });
  expect(await probe.stub.deleteStore({ ...probe.message, storeId })).toEqual({ result: "unknown" });
  expect(await probe.knowledge(storeId).describe({ v: 1, owner: probe.owner })).toEqual({
    result: "unknown",
  });
});

test("a store that can't be reached is told by the alarm until it has heard, whatever it is", async () => {
  const probe = new Probe();
  const storeId = await probe.id("vectorStore");
  const fileId = await probe.file("zyzzyva", "library");
  await probe.store(storeId, [fileId]);
  // As after a kill between the transaction and the telling.
  await runInDurableObject(probe.stub, async (_instance, { storage }) => {
    storage.sql.exec(
      "INSERT INTO duty VALUES ('forget-file/s/f', 'forget-file', ?, ?, '', 0, 0), ('delete-store/x/', 'delete-store', '', 'vs_nonsense', '', 0, 0)",
      fileId,
      storeId,
    );
    await storage.setAlarm(Date.now() + 60_000);
  });
  await evictDurableObject(probe.stub);
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await probe.knowledge(storeId).describe({ v: 1, owner: probe.owner })).toMatchObject({
    store: { counts: { in_progress: 0, completed: 0 } },
  });
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    // What fails is put off, and keeps nothing else from being done.
    expect(storage.sql.exec("SELECT kind, attempts FROM duty").toArray()).toEqual([
      { kind: "delete-store", attempts: 1 },
    ]);
  });
});

test("thirty files are deleted at once, each with its place in two stores", async () => {
  const probe = new Probe();
  const stores = [await probe.id("vectorStore"), await probe.id("vectorStore")];
  const ids = await Promise.all(Array.from({ length: 30 }, (_, at) => probe.file(`text ${at}`, "library")));
  for (const storeId of stores) await probe.store(storeId, ids);
  await Promise.all(ids.map((fileId) => probe.stub.deleteFile({ ...probe.message, fileId })));
  for (const storeId of stores)
    expect(await probe.knowledge(storeId).describe({ v: 1, owner: probe.owner })).toMatchObject({
      store: { usageBytes: 0, counts: { in_progress: 0, completed: 0, failed: 0 } },
    });
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    for (const table of ["file", "part", "use", "duty"])
      expect([table, storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one()]).toEqual([
        table,
        { n: 0 },
      ]);
  });
});
