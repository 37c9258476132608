import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { all, KnowledgeProbe, text } from "../../test/workers/knowledge-probe.ts";
import { rememberedBatches } from "./batch-records.ts";
import { holdsText } from "../../test/workers/stored-text.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

test("a store is made once, is its owner's alone, and what it was asked before leaves nothing in it", async () => {
  const probe = new KnowledgeProbe();
  expect(await probe.stub.describe(probe.message)).toEqual({ result: "unknown" });
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
  });
  const first = await probe.create();
  expect(first).toMatchObject({ result: "ok", store: { id: `vs_${probe.tenant}`, usageBytes: 0 } });
  expect(await probe.create([], 5, { name: "other" })).toEqual(first);
  const stranger = { v: 1, owner: { tenant: probe.tenant, user: "bob" } } as const;
  expect(await probe.stub.describe(stranger)).toEqual({ result: "unknown" });
  expect(await probe.stub.delete(stranger)).toEqual({ result: "unknown" });
  expect(await probe.stub.detachFile({ ...stranger, fileId: "a" })).toEqual({ result: "unknown" });
  const newer = { ...probe.message, v: 2 } as unknown as typeof probe.message;
  expect(await probe.stub.describe(newer)).toEqual({ result: "version-unsupported", supported: 1 });
});

test("a batch counts its own files, is made once, and cancelled leaves what was done", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("alone", text)]);
  const files = ["a", "b", "c"].map((id) => probe.file(id, `${text} ${id}`));
  const batch = await probe.attach(files, "vsfb_1");
  expect(batch).toMatchObject({ batch: { id: "vsfb_1", counts: { in_progress: 3 } } });
  expect(await probe.attach([probe.file("d", text)], "vsfb_1")).toMatchObject({
    batch: { counts: { in_progress: 3 } },
  });
  await runDurableObjectAlarm(probe.stub);
  await runDurableObjectAlarm(probe.stub);
  const cancelled = await probe.stub.cancelBatch({ ...probe.message, batchId: "vsfb_1" });
  expect(cancelled).toMatchObject({ batch: { counts: { in_progress: 0, completed: 1, cancelled: 2 } } });
  await probe.process();
  expect(await probe.view()).toMatchObject({ counts: { completed: 2, cancelled: 2, in_progress: 0 } });
  const listed = await probe.stub.listFiles({
    ...probe.message,
    ...all,
    status: "cancelled",
    batchId: "vsfb_1",
  });
  expect(listed).toMatchObject({ files: [{ fileId: "c" }, { fileId: "b" }], hasMore: false });
  expect(await probe.stub.getBatch({ ...probe.message, batchId: "vsfb_2" })).toEqual({ result: "unknown" });
  expect(await probe.stub.cancelBatch({ ...probe.message, batchId: "vsfb_2" })).toEqual({
    result: "unknown",
  });
});

test("a store remembers its latest batches, and of older ones nothing", async () => {
  const probe = new KnowledgeProbe();
  await probe.create();
  for (let at = 0; at <= rememberedBatches; at += 1)
    await probe.attach([probe.file("a", text)], `vsfb_${String(at).padStart(3, "0")}`);
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    for (const table of ["batch", "batch_file"])
      expect([table, storage.sql.exec(`SELECT count(*) AS n FROM ${table}`).one()]).toEqual([
        table,
        { n: rememberedBatches },
      ]);
  });
  expect(await probe.stub.getBatch({ ...probe.message, batchId: `vsfb_${rememberedBatches}` })).toMatchObject(
    { batch: { counts: { in_progress: 1 } } },
  );
  expect(await probe.status("a")).toBe("in_progress");
});

test("pages go through all files, either way, also behind one that was taken out meanwhile", async () => {
  const probe = new KnowledgeProbe();
  const ids = Array.from({ length: 11 }, (_, at) => `f${at}`);
  await probe.create(ids.map((id) => probe.file(id, text)));
  for (const order of ["asc", "desc"] as const) {
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more;) {
      const page = await probe.stub.listFiles({ ...probe.message, ...all, after, limit: 3, order });
      if (page.result !== "ok") throw new Error(page.result);
      seen.push(...page.files.map(({ fileId }) => fileId));
      after = seen.at(-1) ?? null;
      more = page.hasMore;
    }
    expect(seen).toEqual(order === "asc" ? ids : ids.toReversed());
  }
  const ahead = { ...all, before: "f5", limit: 2, order: "asc" } as const;
  expect(await probe.stub.listFiles({ ...probe.message, ...ahead })).toMatchObject({
    files: [{ fileId: "f3" }, { fileId: "f4" }],
    hasMore: true,
  });
  await probe.stub.detachFile({ ...probe.message, fileId: "f5" });
  expect(
    await probe.stub.listFiles({ ...probe.message, ...all, after: "f5", limit: 1, order: "asc" }),
  ).toMatchObject({ files: [{ fileId: "f6" }] });
  expect(await probe.stub.listFiles({ ...probe.message, ...all, after: "f99" })).toEqual({
    result: "cursor-unknown",
    cursor: "after",
  });
});

test("a store that nobody used for its days expires by its alarm, and a search puts that off", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("a", text)], 1000, { expiresAfterDays: 1 });
  await probe.process();
  const age = (days: number) =>
    runInDurableObject(probe.stub, (_instance, { storage }) => {
      storage.sql.exec("UPDATE head SET active_ms = ?", Date.now() - days * 86_400_000);
    });
  await age(0.9);
  expect(await probe.found("zyzzyva")).toEqual(["a"]);
  await runDurableObjectAlarm(probe.stub);
  expect((await probe.view()).expiredMs).toBeNull();
  await age(1.1);
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await probe.view()).toMatchObject({ expiredMs: expect.any(Number) as number, usageBytes: 0 });
  await probe.dueNow();
  await runDurableObjectAlarm(probe.stub);
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
  expect(await probe.attach([probe.file("b", text)])).toEqual({ result: "expired" });
  const search = { queries: ["x"], maxResults: 1, filters: null, scoreThreshold: 0, rerank: false };
  expect(await probe.stub.search({ ...probe.message, search })).toEqual({ result: "expired" });
});

test("many at once: files come, are searched and go together, and every count is exact at the end", async () => {
  const probe = new KnowledgeProbe();
  await probe.create();
  const ids = Array.from({ length: 40 }, (_, at) => `m${at}`);
  await Promise.all([
    ...ids.map((id) => probe.attach([probe.file(id, `${text} Number ${id}.`)])),
    ...ids.slice(0, 10).map(async () => probe.found("zyzzyva")),
  ]);
  await Promise.all([
    probe.process(),
    ...ids.slice(0, 15).map(async (fileId) => probe.stub.forgetFile({ ...probe.message, fileId })),
    ...ids.slice(0, 10).map(async () => probe.found("zyzzyva")),
  ]);
  const view = await probe.view();
  expect(view.counts).toEqual({ in_progress: 0, completed: 25, failed: 0, cancelled: 0 });
  const listed = await probe.stub.listFiles({ ...probe.message, ...all });
  if (listed.result !== "ok") throw new Error(listed.result);
  expect(listed.files.reduce((sum, { usageBytes }) => sum + usageBytes, 0)).toBe(view.usageBytes);
});

test("an alarm that the platform gave up comes back with the object's next wake", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("a", text)]);
  await runInDurableObject(probe.stub, (_instance, { storage }) => storage.deleteAlarm());
  await evictDurableObject(probe.stub);
  await probe.view();
  await runInDurableObject(probe.stub, async (_instance, { storage }) => {
    expect(await storage.getAlarm()).not.toBeNull();
  });
  await probe.process();
  expect(await probe.found("zyzzyva")).toEqual(["a"]);
  await evictDurableObject(probe.stub);
  await probe.view();
  expect(await runDurableObjectAlarm(probe.stub)).toBe(false);
});
