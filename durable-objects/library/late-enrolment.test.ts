/** Libraries that code of before there was a roll left: they enrol when they wake, and hear what they missed. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { LibraryProbe } from "../../test/workers/library-probe.ts";
import { auditLedger } from "../audit-log/audit-ledger.ts";
import { AuditStore } from "../audit-log/audit-store.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const text = "zyzzyva";
const tenant = (): string => `late-${crypto.randomUUID()}`;

/** As code of before there was a roll left it: nobody knows of it. */
async function forgotten(user: LibraryProbe, own: LibraryProbe): Promise<void> {
  await runInDurableObject(user.stub, (_instance, { storage }) => {
    for (const table of [
      "membership",
      "member",
      "batch",
      "batch_claim",
      "batch_place",
      "upload",
      "upload_part",
    ])
      storage.sql.exec(`DROP TABLE ${table}`);
    storage.sql.exec("UPDATE schema_version SET version = 1");
  });
  if ((await own.tables()).includes("member"))
    await runInDurableObject(own.stub, (_instance, { storage }) => {
      storage.sql.exec("DELETE FROM member");
    });
  await evictDurableObject(user.stub);
}

test("a Library of the version before enrols with what comes next", async () => {
  const name = tenant();
  const [ann, own] = [new LibraryProbe("ann", name), new LibraryProbe("", name)];
  await ann.file(text, "library");
  await forgotten(ann, own);
  expect(await ann.ids()).toHaveLength(1);
  await ann.file(text, "library");
  expect(await own.members()).toEqual(["ann"]);
  await own.erase();
  expect(await ann.tables()).toEqual([]);
});

test("a Library of the version before enrols when it wakes, whatever for, and the next erasure reaches it", async () => {
  const name = tenant();
  const [ann, own] = [new LibraryProbe("ann", name), new LibraryProbe("", name)];
  await ann.file(text, "library");
  await forgotten(ann, own);
  expect(await ann.ids()).toHaveLength(1);
  expect(await own.members()).toEqual(["ann"]);
  expect(await own.erase()).toEqual({ result: "erased", pending: 0 });
  expect(await ann.tables()).toEqual([]);
});

test.each([
  ["knowledge.erase", "of all its knowledge"],
  ["tenant.delete", "with the tenant"],
])("a Library that slept through an erasure (%s, %s) shows nothing of what was erased", async (action) => {
  const name = tenant();
  const [ann, own] = [new LibraryProbe("ann", name), new LibraryProbe("", name)];
  const storeId = await ann.id("vectorStore");
  await ann.store(storeId, [await ann.file(text, "bucket")]);
  await forgotten(ann, own);
  await note(name, action, name);
  await own.erase();
  expect(await ann.ids()).toEqual([]);
  expect(await ann.knowledge(storeId).describe({ v: 1, owner: ann.owner })).toEqual({ result: "unknown" });
  expect(await ann.tables()).toEqual([]);
  expect(await own.members()).toEqual([]);
});

test("what one made behind the last erasure of the tenant, or of somebody else, stays when it enrols late", async () => {
  const name = tenant();
  const [ann, own] = [new LibraryProbe("ann", name), new LibraryProbe("", name)];
  await note(name, "knowledge.erase", name);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 6_000 });
  await ann.file(text, "library");
  vi.useRealTimers();
  await forgotten(ann, own);
  await note(name, "knowledge.erase", "user:bob");
  expect(await ann.ids()).toHaveLength(1);
  expect(await own.members()).toEqual(["ann"]);
});

test("one that can't enrol when it wakes, since nobody says what it missed, goes on and is told later", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const name = tenant();
  const [ann, own] = [new LibraryProbe("ann", name), new LibraryProbe("", name)];
  await ann.file(text, "library");
  await forgotten(ann, own);
  const away = vi.spyOn(AuditStore.prototype, "lastOf").mockImplementation(() => {
    throw new Error("away");
  });
  expect(await ann.ids()).toHaveLength(1);
  expect(await ann.rows("SELECT enrolment FROM membership")).toEqual([{ enrolment: null }]);
  expect((await ann.begin(await ann.id("file"), 10)).result).toBe("unreachable");
  away.mockRestore();
  await note(name, "knowledge.erase", name);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_000 });
  await runDurableObjectAlarm(ann.stub);
  expect(await ann.tables()).toEqual([]);
});

async function note(log: string, action: string, subject: string): Promise<void> {
  const ledger = auditLedger(env.AUDIT_LOG, { log, jurisdiction: "none" }, "local");
  await ledger.change("jwt:platform/root", { type: "note", entry: { action, subject, detail: {} } });
}
