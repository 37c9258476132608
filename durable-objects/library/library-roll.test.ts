/** An erasure of a user and of a whole tenant: whatever comes before, between and behind it. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { LibraryProbe } from "../../test/workers/library-probe.ts";
import { holdsText } from "../../test/workers/stored-text.ts";
import type { EraseLibrary, EraseLibraryOutcome } from "../../src/shared/contracts/library.ts";
import { bucketKey } from "./file-bucket.ts";
import { fileContents } from "./file-contents.ts";
import { Library } from "./library.ts";
import { LibraryDuties } from "./library-duties.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const text = "zyzzyva";

let made = 0;
function tenant(): string {
  made += 1;
  return `erased-${made}`;
}

test("of an erased user nothing is left, in files, stores, bucket and roll, and others keep theirs", async () => {
  const name = tenant();
  const [ann, bob, own] = [
    new LibraryProbe("ann", name),
    new LibraryProbe("bob", name),
    new LibraryProbe("", name),
  ];
  const files = [await ann.file(text, "bucket"), await ann.file(text, "library")];
  const storeId = await ann.id("vectorStore");
  expect(await ann.store(storeId, files)).toMatchObject({ result: "ok" });
  await bob.file(text, "library");
  await own.file(text, "library");
  expect(await own.members()).toEqual(["ann", "bob"]);
  expect(await ann.erase()).toEqual({ result: "erased", pending: 0 });
  expect(await env.FILES?.head(bucketKey(files[0] ?? ""))).toBeNull();
  expect(await ann.knowledge(storeId).describe({ v: 1, owner: ann.owner })).toEqual({ result: "unknown" });
  // Its alarm may have made a file searchable before.
  const knowledge = ann.knowledge(storeId);
  await runInDurableObject(knowledge, (_instance, { storage }) => {
    storage.sql.exec("UPDATE head SET erase_ms = 0 WHERE erase_ms IS NOT NULL");
  });
  await runDurableObjectAlarm(knowledge);
  expect(await holdsText(knowledge, text)).toBe(false);
  expect(await ann.tables()).toEqual([]);
  expect(await own.members()).toEqual(["bob"]);
  expect([await ann.ids(), (await bob.ids()).length, (await own.ids()).length]).toEqual([[], 1, 1]);
  // A second time, and as if it had always been so.
  expect(await ann.erase()).toEqual({ result: "erased", pending: 0 });
  await ann.file(text, "library");
  expect(await own.members()).toEqual(["ann", "bob"]);
});

test("an erasure of a tenant reaches all its users, and nobody of it makes anything new until its time", async () => {
  const name = tenant();
  const users = Array.from({ length: 9 }, (_, at) => new LibraryProbe(`user-${at}`, name));
  const own = new LibraryProbe("", name);
  for (const user of users)
    await user.store(await user.id("vectorStore"), [await user.file(text, "library")]);
  await own.file(text, "bucket");
  const closedUntilMs = Date.now() + 600_000;
  expect(await own.erase(closedUntilMs)).toEqual({ result: "erased", pending: 0 });
  for (const user of users) expect(await user.tables()).toEqual([]);
  expect(await own.ids()).toEqual([]);
  const late = [new LibraryProbe("late", name), own, ...users.slice(0, 2)];
  for (const one of late) {
    expect(await one.begin(await one.id("file"), 10)).toEqual({
      result: "unreachable",
      detail: "the tenant is being deleted",
      closedUntilMs,
    });
    expect(await one.ids()).toEqual([]);
  }
  await runInDurableObject(own.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE membership SET closed_until_ms = 1");
  });
  await runDurableObjectAlarm(own.stub);
  expect(await own.tables()).toEqual([]);
  await new LibraryProbe("late", name).file(text, "library");
  expect(await own.members()).toEqual(["late"]);
});

test("what was on its way when its owner was erased comes too late, and its bytes go", async () => {
  const ann = new LibraryProbe("ann", tenant());
  const fileId = await ann.id("file");
  await ann.begin(fileId, 100, "bucket");
  const writer = fileContents(env).writer({ ...ann.message, fileId }, "bucket");
  await writer.write(new TextEncoder().encode(text));
  expect(await ann.erase()).toEqual({ result: "erased", pending: 0 });
  await writer.finish();
  expect(await ann.finish(fileId, 7)).toEqual({ result: "unknown" });
  await ann.stub.dropUpload({ ...ann.message, fileId, storedIn: "bucket" });
  expect(await env.FILES?.head(bucketKey(fileId))).toBeNull();
  expect(await ann.tables()).toEqual([]);
});

test("what could not be told is told by the alarm, also after an eviction", async () => {
  const name = tenant();
  const [ann, own] = [new LibraryProbe("ann", name), new LibraryProbe("", name)];
  await ann.file(text, "library");
  // As after a kill behind the transaction of each.
  await runInDurableObject(own.stub, async (_instance, { storage }) => {
    storage.sql.exec("UPDATE member SET doomed_ms = ?", Date.now());
    await storage.setAlarm(Date.now() + 3_600_000);
  });
  await evictDurableObject(own.stub);
  await runDurableObjectAlarm(own.stub);
  expect(await ann.tables()).toEqual([]);
  const bob = new LibraryProbe("bob", name);
  await bob.file(text, "library");
  await runInDurableObject(bob.stub, async (_instance, { storage }) => {
    storage.sql.exec("DELETE FROM file; DELETE FROM part");
    storage.sql.exec("UPDATE membership SET leaving = enrolment, enrolment = NULL");
    await storage.setAlarm(Date.now() + 3_600_000);
  });
  await evictDurableObject(bob.stub);
  await runDurableObjectAlarm(bob.stub);
  expect(await bob.tables()).toEqual([]);
  expect(await holdsText(own.stub, "bob")).toBe(false);
});

test("uploads that come together enrol once, and one that comes while its owner is erased is there or refused", async () => {
  const name = tenant();
  const [ann, own] = [new LibraryProbe("ann", name), new LibraryProbe("", name)];
  const begun = await Promise.all(Array.from({ length: 5 }, async () => ann.begin(await ann.id("file"), 10)));
  expect(begun.every(({ result }) => result === "ok")).toBe(true);
  expect(await own.members()).toEqual(["ann"]);
  await own.erase();
  const raced = await Promise.all([
    ann.begin(await ann.id("file"), 10),
    own.erase(),
    ann.begin(await ann.id("file"), 10),
    own.erase(),
  ]);
  // Whatever lies there is of somebody on the roll.
  expect(raced.map(({ result }) => result)).toEqual([
    expect.stringMatching(/^(?:ok|unreachable)$/),
    "erased",
    expect.stringMatching(/^(?:ok|unreachable)$/),
    "erased",
  ]);
  const files = (await ann.tables()).includes("file") ? await ann.rows("SELECT id FROM file") : [];
  expect(files.length === 0 || (await own.members()).includes("ann")).toBe(true);
});

test("another owner's message erases and enrols nothing", async () => {
  const name = tenant();
  const [ann, own] = [new LibraryProbe("ann", name), new LibraryProbe("", name)];
  await ann.file(text, "library");
  const stranger = { ...own.message, owner: { tenant: "other", user: "" } };
  expect(await own.stub.erase({ ...stranger, closedUntilMs: 0 })).toEqual({ result: "unknown" });
  expect(await own.stub.enrol({ ...stranger, user: "eve", enrolment: "e" })).toEqual({ result: "unknown" });
  expect(await own.stub.leave({ ...own.message, user: "ann", enrolment: "another" })).toEqual({
    result: "left",
  });
  expect(await own.members()).toEqual(["ann"]);
  expect(await ann.ids()).toHaveLength(1);
});

test("what a user makes while its tenant's erasure is on its way to it stays, and so does its place on the roll", async () => {
  const name = tenant();
  const [ann, bob, own] = [
    new LibraryProbe("ann", name),
    new LibraryProbe("bob", name),
    new LibraryProbe("", name),
  ];
  await ann.file(text, "library");
  const before = await ann.id("vectorStore");
  await ann.store(before, []);
  await bob.file(text, "library");
  // The tenant's has noted whom it erases, and has not come to them yet.
  await runInDurableObject(own.stub, async (_instance, { storage }) => {
    storage.sql.exec("UPDATE member SET doomed_ms = ?", Date.now());
    await storage.setAlarm(Date.now() + 3_600_000);
  });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  const [fresh, store] = [await ann.file("a new one", "library"), await ann.id("vectorStore", Date.now())];
  await ann.store(store, [fresh]);
  await runDurableObjectAlarm(own.stub);
  expect(await ann.ids()).toEqual([fresh]);
  expect(await ann.rows("SELECT id FROM store")).toEqual([{ id: store }]);
  expect(await bob.tables()).toEqual([]);
  expect(await own.members()).toEqual(["ann"]);
  expect(await own.erase()).toMatchObject({ pending: 0 });
  expect(await ann.tables()).toEqual([]);
});

test("an erasure says of its users' libraries, too, how much is still owed", async () => {
  const name = tenant();
  const [ann, own] = [new LibraryProbe("ann", name), new LibraryProbe("", name)];
  await ann.file(text, "bucket");
  vi.spyOn(console, "error").mockReturnValue();
  const away = vi.spyOn(LibraryDuties.prototype, "pending").mockImplementation(function (
    this: LibraryDuties,
  ) {
    return 3;
  });
  // Its own three, and those of its user.
  expect(await own.erase()).toEqual({ result: "erased", pending: 6 });
  away.mockRestore();
});

test("users whose libraries can't be reached hold up no other, however many of them come first", async () => {
  const name = tenant();
  const own = new LibraryProbe("", name);
  const users = ["well-0", "well-1", "well-2"].map((user) => new LibraryProbe(user, name));
  for (const user of users) await user.file(text, "library");
  await runInDurableObject(own.stub, (_library, { storage }) => {
    for (let at = 0; at < 58; at += 1)
      storage.sql.exec("INSERT INTO member (user, enrolment) VALUES (?, 'e')", `dead-${at}`);
  });
  vi.spyOn(console, "error").mockReturnValue();
  const erases: Erases = Reflect.get(Library.prototype, "erase");
  vi.spyOn(Library.prototype, "erase").mockImplementation(function (this: Library, message) {
    if (message.owner.user.startsWith("dead")) throw new Error("down");
    return erases.call(this, message);
  });
  expect(await own.erase()).toEqual({ result: "erased", pending: 58 });
  for (const user of users) expect(await user.tables()).toEqual([]);
});

type Erases = (this: Library, message: EraseLibrary) => Promise<EraseLibraryOutcome>;
