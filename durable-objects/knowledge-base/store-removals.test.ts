import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { KnowledgeProbe, steps, text } from "../../test/workers/knowledge-probe.ts";
import { PassageStore } from "./passage-store.ts";
import { holdsText } from "../../test/workers/stored-text.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

/** Whether words are still to be erased. */
function erases(probe: KnowledgeProbe): Promise<boolean> {
  return runInDurableObject(
    probe.stub,
    (_instance, { storage }) =>
      storage.sql.exec<{ at: number | null }>("SELECT erase_ms AS at FROM head").one().at !== null,
  );
}

/** Files beside the store's own, so many thousand passages of 100 words that no other has: 2 MB of index each. */
function fill(storage: DurableObjectStorage, thousands: number): void {
  const store = new PassageStore(storage);
  for (let file = 0; file < thousands; file += 1) {
    const passages = Array.from({ length: 1000 }, (_, at) => ({
      text: Array.from({ length: 100 }, (_, word) => `q${file}x${at}y${word}`).join(" "),
      start: at,
      end: at + 1,
      headings: [],
    }));
    store.put({ id: `fill-${file}`, filename: "f", attributes: {}, passages, vectors: null, embedderId: "" });
  }
}

const removals = {
  "the file is deleted": (probe: KnowledgeProbe) => probe.stub.forgetFile({ ...probe.message, fileId: "a" }),
  "it is taken out": (probe: KnowledgeProbe) => probe.stub.detachFile({ ...probe.message, fileId: "a" }),
  "the store is deleted": (probe: KnowledgeProbe) => probe.stub.delete(probe.message),
  "its batch is cancelled": (probe: KnowledgeProbe) =>
    probe.stub.cancelBatch({ ...probe.message, batchId: "vsfb_1" }),
};

test.for(steps.flatMap((step) => Object.entries(removals).map(([name, remove]) => ({ step, name, remove }))))(
  "$name while it is at '$step': nothing of it is left",
  async ({ step, remove, name }) => {
    const probe = new KnowledgeProbe();
    await probe.create();
    await probe.attach([probe.file("a", text)], "vsfb_1");
    const { ringing } = await probe.standsStillAt(step);
    await remove(probe);
    await probe.goOn();
    await ringing;
    expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
    if (name === "the store is deleted") return;
    expect(await probe.found("zyzzyva")).toEqual([]);
    expect(await probe.view()).toMatchObject({ usageBytes: 0, counts: { in_progress: 0, completed: 0 } });
  },
);

test("what was found is erased with its file, from every table", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("a", text), probe.file("b", "Something else.")]);
  await probe.process();
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(true);
  await probe.stub.forgetFile({ ...probe.message, fileId: "a" });
  expect(await probe.found("zyzzyva")).not.toContain("a");
  await probe.dueNow();
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
  expect(await probe.found("something")).toEqual(["b"]);
});

test("words of a large store are erased in parts, by as many alarms as it takes", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("a", text), probe.file("b", "Something else.")]);
  await probe.process();
  await runInDurableObject(probe.stub, (_instance, { storage }) => fill(storage, 4));
  await probe.stub.forgetFile({ ...probe.message, fileId: "a" });
  for (let rings = 0; await erases(probe); rings += 1) {
    expect(rings).toBeLessThan(40);
    await probe.dueNow();
    await runDurableObjectAlarm(probe.stub);
    if (rings === 0) expect(await erases(probe)).toBe(true);
    expect(await probe.found("something")).toEqual(["b"]);
  }
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
});

test("a store that was deleted with text in it holds none when its alarm has rung", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("a", text)], 1000, { name: "zyzzyva", metadata: { zyzzyva: "zyzzyva" } });
  await probe.process();
  await probe.stub.delete(probe.message);
  await probe.dueNow();
  expect(await runDurableObjectAlarm(probe.stub)).toBe(true);
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
});

test("a deleted file never comes again, a store that was deleted stays so, and in a day nothing is left of it", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("a", text)]);
  await probe.stub.forgetFile({ ...probe.message, fileId: "a" });
  await probe.stub.forgetFile({ ...probe.message, fileId: "late" });
  for (const id of ["a", "late"])
    expect(await probe.attach([probe.file(id, text)])).toEqual({ result: "file-unknown", fileId: id });
  await probe.stub.delete(probe.message);
  expect(await probe.create()).toEqual({ result: "unknown" });
  expect(await probe.stub.delete(probe.message)).toEqual({ result: "unknown" });
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE head SET deleted_ms = 1");
  });
  await runDurableObjectAlarm(probe.stub);
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.sql.exec("SELECT count(*) AS n FROM sqlite_master WHERE name = 'head'").one()).toEqual({
      n: 0,
    });
  });
  const never = new KnowledgeProbe();
  expect(await never.stub.delete(never.message)).toEqual({ result: "deleted" });
  expect(await never.create()).toEqual({ result: "unknown" });
});

test("what was found before its file failed at another try is in no index either", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("a", text)]);
  await probe.process();
  probe.control.embedFails = 6;
  await probe.attach([probe.file("a", text, { chunking: { maxTokens: 200, overlapTokens: 0 } })]);
  await probe.process();
  expect(await probe.status("a")).toBe("server_error");
  await probe.stub.forgetFile({ ...probe.message, fileId: "a" });
  await probe.dueNow();
  await runDurableObjectAlarm(probe.stub);
  expect(await holdsText(probe.stub, "zyzzyva")).toBe(false);
});

test("asked again when the last trace of its deletion is gone, it is unknown, whatever memory knows", async () => {
  const probe = new KnowledgeProbe();
  await probe.create([probe.file("a", text)]);
  await probe.process();
  await probe.stub.delete(probe.message);
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE head SET deleted_ms = 1");
  });
  await runDurableObjectAlarm(probe.stub);
  expect(await probe.stub.describe(probe.message)).toEqual({ result: "unknown" });
  const search = { queries: ["x"], maxResults: 1, filters: null, scoreThreshold: 0, rerank: false };
  expect(await probe.stub.search({ ...probe.message, search })).toEqual({ result: "unknown" });
  expect(await probe.create([probe.file("b", text)])).toMatchObject({ result: "ok" });
  await probe.process();
  expect(await probe.found("zyzzyva")).toEqual(["b"]);
});
