import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { packVector } from "../../src/shared/cache/semantic/vector-bytes.ts";
import { type KeepEntry, semanticIndexName } from "../../src/shared/contracts/semantic-index.ts";
import { rememberErasureMs } from "./entry-store.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

let made = 0;

function newOwner() {
  made += 1;
  return { tenant: `semantic-${made}`, user: "alice" };
}

type Owner = KeepEntry["owner"];

function index(owner: Owner) {
  return env.SEMANTIC_INDEX.getByName(semanticIndexName(owner));
}

/** A unit vector that points at one of eight places. */
function pointing(at: number): { vector: Uint8Array; scale: number } {
  const values = new Float32Array(8);
  values[at] = 1;
  const { bytes, scale } = packVector(values);
  return { vector: bytes, scale };
}

function entry(owner: Owner, answerKey: string, at: number, more: Partial<KeepEntry> = {}): KeepEntry {
  const now = Date.now();
  return {
    v: 1,
    owner,
    jurisdiction: "none",
    scope: "scope",
    answerKey,
    ...pointing(at),
    features: `{"of":"${answerKey}"}`,
    askedMs: now,
    askedBy: owner.user ?? "someone",
    expiresMs: now + 60_000,
    maxEntries: 10,
    ...more,
  };
}

function find(owner: Owner, at: number, more: { scope?: string; limit?: number; v?: 1 } = {}) {
  return index(owner).nearest({
    v: 1,
    owner,
    scope: "scope",
    ...pointing(at),
    atLeast: 0.9,
    limit: 8,
    ...more,
  });
}

async function found(owner: Owner, at: number, more: { scope?: string } = {}): Promise<readonly string[]> {
  const outcome = await find(owner, at, more);
  if (outcome.result !== "ok") throw new Error(outcome.result);
  return outcome.entries.map(({ answerKey }) => answerKey);
}

test("an index that was only asked holds no table", async () => {
  const owner = newOwner();
  expect(await found(owner, 0)).toEqual([]);
  await runInDurableObject(index(owner), (_instance, state) => {
    expect(state.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
  });
});

test("what is near is found, with its score and features, and only in its own scope", async () => {
  const owner = newOwner();
  expect(await index(owner).keep(entry(owner, "a", 0))).toEqual({ result: "kept" });
  expect(await index(owner).keep(entry(owner, "b", 1))).toEqual({ result: "kept" });
  expect(await find(owner, 0)).toEqual({
    result: "ok",
    entries: [{ answerKey: "a", score: expect.closeTo(1, 3), features: '{"of":"a"}' }],
  });
  expect(await found(owner, 2)).toEqual([]);
  expect(await found(owner, 0, { scope: "another" })).toEqual([]);
});

test("keeping twice keeps one, and the oldest gives way to what is over the bound", async () => {
  const owner = newOwner();
  for (const key of ["a", "b", "a", "c", "d"])
    await index(owner).keep(entry(owner, key, 0, { maxEntries: 3 }));
  expect((await found(owner, 0)).toSorted()).toEqual(["a", "c", "d"]);
});

test("what is in memory is what is on disk, whatever is kept, kept again, pushed out or ended in between", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          key: fc.constantFrom("a", "b", "c", "d", "e"),
          at: fc.nat(1),
          scope: fc.constantFrom("scope", "another"),
          hasEnded: fc.boolean(),
        }),
        { minLength: 1, maxLength: 12 },
      ),
      async (kept) => {
        const owner = newOwner();
        for (const { key, at, scope, hasEnded } of kept) {
          const more = hasEnded ? { expiresMs: Date.now() - 1 } : {};
          await index(owner).keep(entry(owner, key, at, { scope, maxEntries: 3, ...more }));
          await found(owner, 0, { scope });
        }
        const all = async () => [
          await find(owner, 0),
          await find(owner, 1),
          await find(owner, 0, { scope: "another" }),
          await find(owner, 1, { scope: "another" }),
        ];
        const remembered = await all();
        await evictDurableObject(index(owner));
        expect(remembered.map(sorted)).toEqual((await all()).map(sorted));
      },
    ),
    { numRuns: 20 },
  );
});

function sorted(outcome: Awaited<ReturnType<typeof find>>): unknown {
  if (outcome.result !== "ok") throw new Error(outcome.result);
  return outcome.entries.map(({ answerKey }) => answerKey).toSorted();
}

test("spoiled memory and an eviction lose nothing", async () => {
  const owner = newOwner();
  await index(owner).keep(entry(owner, "a", 0));
  await evictDurableObject(index(owner));
  expect(await found(owner, 0)).toEqual(["a"]);
});

test("what has ended is not found, and the alarm takes it away; an empty index leaves nothing behind", async () => {
  const owner = newOwner();
  await index(owner).keep(entry(owner, "a", 0, { expiresMs: Date.now() - 1 }));
  await index(owner).keep(entry(owner, "b", 0));
  expect(await found(owner, 0)).toEqual(["b"]);
  await runDurableObjectAlarm(index(owner));
  await runInDurableObject(index(owner), async (_instance, state) => {
    expect(state.storage.sql.exec("SELECT answer_key FROM entry").toArray()).toEqual([{ answer_key: "b" }]);
    state.storage.sql.exec("UPDATE entry SET expires_ms = 1");
  });
  await runDurableObjectAlarm(index(owner));
  await runInDurableObject(index(owner), async (_instance, state) => {
    expect(state.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
    expect(await state.storage.getAlarm()).toBe(null);
  });
  await runInDurableObject(index({ ...owner, user: null }), (_instance, state) => {
    expect(state.storage.sql.exec("SELECT count(*) AS n FROM member").one()).toEqual({ n: 0 });
  });
  expect(await index(owner).keep(entry(owner, "c", 0))).toEqual({ result: "kept" });
  expect(await found(owner, 0)).toEqual(["c"]);
});

test("another owner learns nothing and changes nothing, and an unknown version is refused", async () => {
  const owner = newOwner();
  await index(owner).keep(entry(owner, "a", 0));
  const stranger = { ...owner, user: "bob" };
  const stub = index(owner);
  const erase = { v: 1, jurisdiction: "none", askedBy: null, throughMs: Date.now() } as const;
  expect(
    await stub.nearest({ v: 1, owner: stranger, scope: "scope", ...pointing(0), atLeast: 0, limit: 1 }),
  ).toEqual({ result: "unknown" });
  expect(await stub.keep(entry(stranger, "b", 0))).toEqual({ result: "unknown" });
  expect(await stub.erase({ ...erase, owner: stranger })).toEqual({ result: "unknown" });
  expect(await stub.erase({ ...erase, owner, v: 2 as 1 })).toEqual({
    result: "version-unsupported",
    supported: 1,
  });
  expect(await found(owner, 0)).toEqual(["a"]);
});

test("after an erasure nothing is found, also not what was asked before it and comes later", async () => {
  const owner = newOwner();
  const before = Date.now();
  await index(owner).keep(entry(owner, "a", 0));
  await index(owner).erase({ v: 1, owner, jurisdiction: "none", askedBy: null, throughMs: Date.now() });
  expect(await found(owner, 0)).toEqual([]);
  await evictDurableObject(index(owner));
  expect(await index(owner).keep(entry(owner, "late", 0, { askedMs: before }))).toEqual({ result: "erased" });
  const after = Date.now() + 1000;
  expect(await index(owner).keep(entry(owner, "new", 0, { askedMs: after }))).toEqual({ result: "kept" });
  expect(await found(owner, 0)).toEqual(["new"]);
});

test("a shared index forgets what one user asked", async () => {
  const owner = { ...newOwner(), user: null };
  await index(owner).keep(entry(owner, "a", 0, { askedBy: "alice" }));
  await index(owner).keep(entry(owner, "b", 0, { askedBy: "bob" }));
  await index(owner).erase({
    v: 1,
    owner,
    jurisdiction: "none",
    askedBy: "alice",
    throughMs: Date.now(),
  });
  expect(await found(owner, 0)).toEqual(["b"]);
});

test("a tenant's deletion reaches every user's index, and none that was not yet there comes after it", async () => {
  const { tenant } = newOwner();
  const own = { tenant, user: null };
  const users = ["alice", "bob", "carol"].map((user) => ({ tenant, user }));
  const before = Date.now();
  for (const owner of [own, ...users]) await index(owner).keep(entry(owner, "a", 0));
  expect(
    await index(own).eraseTenant({ v: 1, owner: own, jurisdiction: "none", throughMs: Date.now() }),
  ).toEqual({
    result: "erased",
    pending: 0,
  });
  for (const owner of [own, ...users]) expect(await found(owner, 0)).toEqual([]);
  const late = { tenant, user: "dave" };
  expect(await index(late).keep(entry(late, "a", 0, { askedMs: before }))).toEqual({ result: "erased" });
  await runInDurableObject(index(late), (_instance, state) => {
    expect(state.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
  });
});

test("users whose objects could not be asked are erased by the alarm", async () => {
  const { tenant } = newOwner();
  const own = { tenant, user: null };
  const users = Array.from({ length: 130 }, (_, at) => ({ tenant, user: `user-${at}` }));
  for (const owner of users) await index(owner).keep(entry(owner, "a", 0));
  // A page of a hundred at once: the rest is the alarm's.
  expect(
    await index(own).eraseTenant({ v: 1, owner: own, jurisdiction: "none", throughMs: Date.now() }),
  ).toEqual({
    result: "erased",
    pending: 30,
  });
  await evictDurableObject(index(own));
  expect(await runDurableObjectAlarm(index(own))).toBe(true);
  for (const owner of users) expect(await found(owner, 0)).toEqual([]);
  await runInDurableObject(index(own), async (_instance, state) => {
    expect(state.storage.sql.exec("SELECT count(*) AS n FROM member").one()).toEqual({ n: 0 });
    // It remembers the erasure as long as a turn of before may last, then nothing.
    expect((await state.storage.getAlarm()) ?? 0).toBeGreaterThan(Date.now() + rememberErasureMs - 60_000);
    state.storage.sql.exec("UPDATE owner SET erased_ms = 1");
  });
  await runDurableObjectAlarm(index(own));
  await runInDurableObject(index(own), (_instance, state) => {
    expect(state.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
  });
});

test("entries over the bounds are refused", async () => {
  const owner = newOwner();
  const tooLong = new Uint8Array(4097);
  expect(await index(owner).keep(entry(owner, "a", 0, { vector: tooLong }))).toEqual({ result: "too-large" });
  expect(await index(owner).keep(entry(owner, "a", 0, { features: "x".repeat(65_537) }))).toEqual({
    result: "too-large",
  });
});
