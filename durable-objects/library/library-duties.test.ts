/** What a Library owes others, whenever it is cut off. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { LibraryProbe } from "../../test/workers/library-probe.ts";
import { holdsText } from "../../test/workers/stored-text.ts";
import { bucketKey } from "./file-bucket.ts";
import { Library } from "./library.ts";
import { LibraryBatches } from "./library-batches.ts";
import { LibraryDuties } from "./library-duties.ts";
import { LibraryRoll } from "./library-roll.ts";
import { LibraryStore } from "./library-store.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

test("an upload that nobody finished is given up by the alarm, its bytes with it", async () => {
  const probe = new LibraryProbe();
  for (const storedIn of ["bucket", "library"] as const) {
    const fileId = await probe.id("file");
    await probe.begin(fileId, 10, storedIn);
    await probe.write(fileId, "zyzzyva", storedIn);
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

test("a store that can't be reached is told by the alarm until it has heard, whatever it is", async () => {
  const probe = new LibraryProbe();
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

test("what is owed anew while it is carried out is owed still: whoever did it may have come before the bytes", async () => {
  const probe = new LibraryProbe();
  await probe.file("zyzzyva", "library");
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    const { duties } = new LibraryStore(storage);
    const owed = { kind: "erase-content", fileId: "file-x", storeId: "", message: "" } as const;
    for (const againMs of [1_000, 1_001]) {
      duties.owe(owed, 1_000);
      const [read] = duties.due(1_002, 1);
      if (read === undefined) throw new Error("it is due");
      duties.owe(owed, againMs);
      duties.putOff(read, 9_000);
      duties.done(read);
      const [still] = duties.due(1_002, 1);
      expect(still).toMatchObject({ fileId: "file-x", attempts: 0 });
      if (still !== undefined) duties.done(still);
      expect(duties.count()).toBe(0);
    }
  });
});

test("thirty files are deleted at once, each with its place in two stores", async () => {
  const probe = new LibraryProbe();
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

/** What a file is to a store that is being made. */
const attached = {
  filename: "a.txt",
  purpose: "assistants",
  mediaType: "text/plain",
  bytes: 7,
  storedIn: "library",
  attributes: {},
  chunking: { maxTokens: 800, overlapTokens: 400 },
} as const;

test("a file that is deleted before its new store was told of it never comes into it", async () => {
  const probe = new LibraryProbe();
  const fileId = await probe.file("zyzzyva", "library");
  const storeId = await probe.id("vectorStore");
  const make = {
    jurisdiction: "none",
    id: storeId,
    createdMs: 1,
    definition: { name: "n", description: "", metadata: {}, expiresAfterDays: null },
    files: [{ fileId, ...attached }],
    maxPassages: 1000,
  };
  // As after a kill before the store heard what it is.
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    const { sql } = storage;
    sql.exec("INSERT INTO store VALUES (?)", storeId);
    sql.exec("INSERT INTO use VALUES (?, ?)", fileId, storeId);
    const laterMs = Date.now() + 3_600_000;
    sql.exec(
      "INSERT INTO duty VALUES (?, 'make', '', ?, ?, 1, ?)",
      `make/${storeId}/`,
      storeId,
      JSON.stringify(make),
      laterMs,
    );
  });
  expect(await probe.stub.deleteFile({ ...probe.message, fileId })).toEqual({ result: "deleted" });
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.sql.exec("SELECT kind FROM duty ORDER BY kind").toArray()).toEqual([
      { kind: "forget-file" },
      { kind: "make" },
    ]);
  });
  for (let rings = 0; rings < 2; rings += 1) {
    await runInDurableObject(probe.stub, (_instance, { storage }) => {
      storage.sql.exec("UPDATE duty SET due_ms = 0");
    });
    await runDurableObjectAlarm(probe.stub);
  }
  const { owner } = probe;
  expect(await probe.knowledge(storeId).describe({ v: 1, owner })).toMatchObject({
    store: { counts: { in_progress: 0, completed: 0, failed: 0 } },
  });
  expect(
    await probe
      .knowledge(storeId)
      .attach({ v: 1, owner, files: [{ fileId, ...attached }], batchId: null, maxPassages: 1000 }),
  ).toEqual({ result: "file-unknown", fileId });
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.sql.exec("SELECT count(*) AS n FROM duty").one()).toEqual({ n: 0 });
  });
});

test("an upload whose bytes come after it was given up leaves none of them in the bucket", async () => {
  const probe = new LibraryProbe();
  const fileId = await probe.id("file");
  await probe.begin(fileId, 10, "bucket");
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE file SET created_ms = created_ms - 3600000");
  });
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  await probe.write(fileId, "zyzzyva", "bucket");
  expect(await probe.finish(fileId, 7)).toEqual({ result: "unknown" });
  const drop = { ...probe.message, fileId, storedIn: "bucket" } as const;
  expect(await probe.stub.dropUpload(drop)).toEqual({ result: "deleted" });
  expect(await env.FILES?.head(bucketKey(fileId))).toBeNull();
});

test("while the bucket is not bound, a deleted file's bytes stay owed to it", async () => {
  const probe = new LibraryProbe();
  const fileId = await probe.file("zyzzyva", "bucket");
  await runInDurableObject(probe.stub, async (_instance, state) => {
    const store = new LibraryStore(state.storage);
    const row = store.row(fileId);
    if (row === null) throw new Error("no file");
    store.removeFile(row, Date.now());
    const { FILES: _, ...without } = env;
    const roll = new LibraryRoll(without, store);
    await new LibraryDuties(state, without, store, roll, new LibraryBatches(without, store)).run();
    expect(store.duties.count()).toBe(1);
    state.storage.sql.exec("UPDATE duty SET due_ms = 0");
  });
  await runDurableObjectAlarm(probe.stub);
  expect(await env.FILES?.head(bucketKey(fileId))).toBeNull();
});

test("what is owed is owed still where its alarm was lost: the next wake sets it again", async () => {
  const probe = new LibraryProbe();
  const fileId = await probe.file("zyzzyva", "bucket");
  // As after a kill between the deletion and the alarm.
  await runInDurableObject(probe.stub, async (_instance, { storage }) => {
    const store = new LibraryStore(storage);
    const row = store.row(fileId);
    if (row !== null) store.removeFile(row, Date.now());
    await storage.deleteAlarm();
  });
  await evictDurableObject(probe.stub);
  expect(await probe.ids()).toEqual([]);
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await env.FILES?.head(bucketKey(fileId))).toBeNull();
  await evictDurableObject(probe.stub);
  expect(await probe.ids()).toEqual([]);
  expect(await runDurableObjectAlarm(probe.stub)).toBe(false);
});

test("whoever deletes something waits no longer than a request lives for others to hear of it, and it is gone all the same", async () => {
  const ann = new LibraryProbe();
  const fileId = await ann.file("zyzzyva", "library");
  const storeId = await ann.id("vectorStore");
  await ann.store(storeId, []);
  await runInDurableObject(ann.stub, async (library) => {
    if (!(library instanceof Library)) throw new TypeError("no library");
    // A thousand files of an erasure are being carried out, say.
    const busy = vi.spyOn(LibraryDuties.prototype, "run").mockReturnValue(new Promise(() => undefined));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const deleted = Promise.all([
      library.deleteFile({ ...ann.message, fileId }),
      library.deleteStore({ ...ann.message, storeId }),
    ]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await deleted).toEqual([{ result: "deleted" }, { result: "deleted" }]);
    expect(busy).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
    busy.mockRestore();
  });
  expect(await ann.ids()).toEqual([]);
  expect(await ann.rows("SELECT id FROM store")).toEqual([]);
});
