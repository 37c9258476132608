import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { LibraryProbe } from "../../test/workers/library-probe.ts";
import { holdsText } from "../../test/workers/stored-text.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

test("what was only asked about holds nothing, and another owner learns and changes nothing", async () => {
  const probe = new LibraryProbe();
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
  const probe = new LibraryProbe();
  const limits = { maxFiles: 2, maxTotalBytes: 100 };
  const begin = async (reserveBytes: number, fileId?: string) =>
    probe.begin(fileId ?? (await probe.id("file")), reserveBytes, "library", limits);
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

test("a file whose time is over is unknown at once, and erased by the alarm", async () => {
  const probe = new LibraryProbe();
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
  const probe = new LibraryProbe();
  const ids: string[] = [];
  for (let at = 0; at < 5; at += 1) ids.push(await probe.file(`${at}`, "library"));
  await probe.stub.deleteFile({ ...probe.message, fileId: ids[2] ?? "" });
  expect(await probe.ids({ after: ids[2] })).toEqual(ids.slice(3));
  expect(await probe.ids({ after: ids[2], order: "desc" })).toEqual([ids[1], ids[0]]);
  expect(await probe.ids({ before: ids[4], limit: 2 })).toEqual([ids[1], ids[3]]);
  expect(await probe.ids({ purpose: "user_data" })).toEqual([]);
});

test("a store is made once, within its limit, with files that exist, and deleted with what it held", async () => {
  const probe = new LibraryProbe();
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

test("a store that is made again, since the first answer was lost, is the same, also before it was told", async () => {
  const probe = new LibraryProbe();
  const storeId = await probe.id("vectorStore");
  const [first, second] = await Promise.all([probe.store(storeId), probe.store(storeId)]);
  expect(first).toMatchObject({ result: "ok", store: { id: storeId } });
  expect(second).toEqual(first);
  expect(await probe.store(storeId)).toEqual(first);
});

/** As its own object would, when its time is over. */
async function expire(probe: LibraryProbe, storeId: string): Promise<void> {
  await runInDurableObject(probe.knowledge(storeId), (_instance, { storage }) => {
    storage.sql.exec("UPDATE head SET expired_ms = 1");
  });
}

test("where there is no room for another store, those whose time is over give way, and no other does", async () => {
  const probe = new LibraryProbe();
  const ids: string[] = [];
  for (let at = 0; at < 8; at += 1) {
    const id = await probe.id("vectorStore");
    expect(await probe.store(id, [], 8)).toMatchObject({ result: "ok" });
    ids.push(id);
  }
  const [second = "", seventh = ""] = [ids[1], ids[6]];
  for (const id of [second, seventh]) await expire(probe, id);
  const stores = async () =>
    (await probe.rows<{ id: string }>("SELECT id FROM store ORDER BY id")).map(({ id }) => id);
  // As long as there is room they stay, for whoever looks.
  const ninth = await probe.id("vectorStore");
  expect(await probe.store(ninth, [], 9)).toMatchObject({ result: "ok" });
  expect(await stores()).toEqual([...ids, ninth]);
  const tenth = await probe.id("vectorStore");
  expect(await probe.store(tenth, [], 9)).toMatchObject({ result: "ok" });
  expect(await stores()).toEqual([...ids, ninth, tenth].filter((id) => id !== second));
  expect(await probe.knowledge(second).describe({ v: 1, owner: probe.owner })).toEqual({ result: "unknown" });
  // Behind the first six, which were asked before.
  const eleventh = await probe.id("vectorStore");
  expect(await probe.store(eleventh, [], 9)).toMatchObject({ result: "ok" });
  expect(await stores()).not.toContain(seventh);
  expect(await probe.store(await probe.id("vectorStore"), [], 9)).toEqual({ result: "full", most: 9 });
  // It was looked for in vain: whoever asks again at once wakes nobody.
  await expire(probe, ninth);
  expect(await probe.store(await probe.id("vectorStore"), [], 9)).toEqual({ result: "full", most: 9 });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  expect(await probe.store(await probe.id("vectorStore"), [], 9)).toMatchObject({ result: "ok" });
  vi.useRealTimers();
});

test("several who find no room at once make it once, and each gets its store or is told that there is none", async () => {
  const probe = new LibraryProbe();
  const ids = [await probe.id("vectorStore"), await probe.id("vectorStore"), await probe.id("vectorStore")];
  for (const id of ids) await probe.store(id, [], 3);
  await expire(probe, ids[0] ?? "");
  const wanted = [await probe.id("vectorStore"), await probe.id("vectorStore")];
  const outcomes = await Promise.all(wanted.map((id) => probe.store(id, [], 3)));
  expect(outcomes.map(({ result }) => result).sort()).toEqual(["full", "ok"]);
  expect(await probe.rows("SELECT count(*) AS n FROM store")).toEqual([{ n: 3 }]);
});
