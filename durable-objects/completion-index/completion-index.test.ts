import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { countWrites } from "../../test/workers/count-writes.ts";
import type { ListCompletions, TellCompletion } from "../../src/shared/contracts/completion-index.ts";
import { CompletionStore } from "./completion-store.ts";

const owner = { tenant: "demo", user: "alice" };
const dayMs = 86_400_000;
let made = 0;

function index() {
  made += 1;
  return env.COMPLETION_INDEX.getByName(`completions-test-${made}`);
}

type Stub = ReturnType<typeof index>;

interface Told {
  readonly createdMs?: number;
  readonly untilMs?: number;
  readonly model?: string;
  readonly metadata?: Record<string, string>;
}

function tell(name: string, revision: number, told: Told | null = {}): TellCompletion {
  const { createdMs = 1000, untilMs = Date.now() + 30 * dayMs, model = "m", metadata = {} } = told ?? {};
  const entry = { id: `chatcmpl-${name}`, model, metadata: JSON.stringify(metadata), untilMs };
  return { v: 1, owner, objectName: name, revision, createdMs, entry: told === null ? null : entry };
}

const all: ListCompletions = {
  v: 1,
  owner,
  after: null,
  limit: 100,
  order: "asc",
  model: null,
  metadata: [],
};

/** As a list is narrowed to: pairs. */
const having = (metadata: Record<string, string>) => ({ metadata: Object.entries(metadata) });

async function names(stub: Stub, more: Partial<ListCompletions> = {}): Promise<string[]> {
  const listed = await stub.list({ ...all, ...more });
  if (listed.result !== "ok") throw new Error(listed.result);
  return listed.entries.map(({ id, objectName }) => {
    expect(id).toBe(`chatcmpl-${objectName}`);
    return objectName;
  });
}

async function tables(stub: Stub): Promise<unknown> {
  return runInDurableObject(
    stub,
    (_instance, { storage }) => storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()["n"],
  );
}

test("a user who stored nothing has an empty list, and asking writes nothing", async () => {
  const stub = index();
  expect(await stub.list(all)).toEqual({ result: "ok", entries: [], hasMore: false });
  expect(await stub.list({ ...all, after: "x" })).toEqual({ result: "after-unknown" });
  expect(await tables(stub)).toBe(0);
});

test("messages late, doubled and out of order leave what the newest said, also after an eviction", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 6 })), {
        minLength: 1,
        maxLength: 20,
      }),
      async (told) => {
        const stub = index();
        const newest = new Map<number, number>();
        for (const [turn, revision] of told) {
          newest.set(turn, Math.max(newest.get(turn) ?? 0, revision));
          // The sixth says that it is gone.
          const said = revision === 6 ? null : { model: `r${revision}` };
          expect(await stub.tell(tell(String(turn), revision, said))).toEqual({ result: "told" });
        }
        await evictDurableObject(stub);
        for (const [turn, revision] of newest)
          expect((await names(stub, { model: `r${revision}` })).includes(String(turn))).toBe(revision < 6);
        expect(await names(stub)).toHaveLength([...newest].filter(([, revision]) => revision < 6).length);
      },
    ),
    { numRuns: 20 },
  );
});

test("pages go through all of them, either way, also of the same millisecond", async () => {
  const stub = index();
  const expected = Array.from({ length: 25 }, (_, at) => `c${String(at).padStart(2, "0")}`);
  for (const [at, name] of expected.entries())
    await stub.tell(tell(name, 1, { createdMs: 1000 + (at >> 2) }));
  for (const order of ["asc", "desc"] as const) {
    const seen: string[] = [];
    for (let more = true; more;) {
      const page = await stub.list({ ...all, after: seen.at(-1) ?? null, limit: 4, order });
      if (page.result !== "ok") throw new Error(page.result);
      expect(page.entries.length).toBeLessThanOrEqual(4);
      seen.push(...page.entries.map(({ objectName }) => objectName));
      more = page.hasMore;
    }
    expect(seen).toEqual(order === "asc" ? expected : expected.toReversed());
  }
});

test("it is narrowed by model and by pairs that must all be there, whatever their keys are made of", async () => {
  const stub = index();
  const odd = { 'a"b.c$[0]': "x'; DROP TABLE entry --", "": "empty", __proto__x: "1" };
  await stub.tell(tell("a", 1, { model: "m1", metadata: { k: "v", l: "w" } }));
  await stub.tell(tell("b", 1, { model: "m2", metadata: { k: "v" } }));
  await stub.tell(tell("c", 1, { model: "m2", metadata: odd }));
  // Holds what the pair `:` with `,` is written as, and has no such pair.
  const trap = { a: ":", b: "x" };
  expect(JSON.stringify(trap)).toContain(JSON.stringify({ ":": "," }).slice(1, -1));
  await stub.tell(tell("d", 1, { model: "m3", metadata: trap }));
  expect(await names(stub, { model: "m2" })).toEqual(["b", "c"]);
  expect(await names(stub, having({ k: "v" }))).toEqual(["a", "b"]);
  expect(await names(stub, having({ k: "v", l: "w" }))).toEqual(["a"]);
  expect(await names(stub, having({ k: "V" }))).toEqual([]);
  expect(await names(stub, having(odd))).toEqual(["c"]);
  expect(await names(stub, having({ ":": "," }))).toEqual([]);
  expect(await names(stub, having({ a: ":" }))).toEqual(["d"]);
  expect(await names(stub, { model: "m1", ...having(odd) })).toEqual([]);
  expect(await names(stub, { model: "m2", ...having({ k: "v" }), after: "a" })).toEqual(["b"]);
});

test("whatever pairs are made of, those that have them are found and no others", async () => {
  // Few and awkward characters, so that pairs are often alike, and texts of JSON within JSON.
  const awkward = fc.string({
    unit: fc.constantFrom('"', "\\", ":", ",", "{", "é", "💬", "\u0000", "'", "a"),
    maxLength: 4,
  });
  const pairs = fc.dictionary(awkward, awkward, { maxKeys: 4, noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(
      fc.array(pairs, { minLength: 1, maxLength: 8 }),
      fc.array(pairs, { minLength: 1, maxLength: 6 }),
      async (stored, sought) => {
        const stub = index();
        for (const [at, metadata] of stored.entries())
          await stub.tell(tell(`o${at}`, 1, { createdMs: at, metadata }));
        // What is looked for is most often something of what is there.
        const parts = stored.map((all) => Object.fromEntries(Object.entries(all).slice(0, 2)));
        for (const metadata of [...sought, ...parts]) {
          const expected = stored.flatMap((has, at) =>
            Object.entries(metadata).every(([key, value]) => Object.hasOwn(has, key) && has[key] === value)
              ? [`o${at}`]
              : [],
          );
          expect(await names(stub, having(metadata))).toEqual(expected);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("a page goes on behind one that was deleted since the one before, and a name comes to life again", async () => {
  const stub = index();
  for (const at of [1, 2, 3]) await stub.tell(tell(`o${at}`, 1, { createdMs: at }));
  await stub.tell({ ...tell("o2", 2, null), createdMs: 2 });
  expect(await names(stub)).toEqual(["o1", "o3"]);
  expect(await names(stub, { after: "o2" })).toEqual(["o3"]);
  expect(await names(stub, { after: "o2", order: "desc" })).toEqual(["o1"]);
  expect(await stub.list({ ...all, after: "o4" })).toEqual({ result: "after-unknown" });
  await stub.tell(tell("o2", 3, { createdMs: 9 }));
  expect(await names(stub)).toEqual(["o1", "o3", "o2"]);
});

test("what its object has forgotten is not listed, and the alarm takes it out, and everything with the last", async () => {
  const stub = index();
  const nowMs = Date.now();
  await stub.tell(tell("over", 1, { untilMs: nowMs - 1 }));
  await stub.tell(tell("kept", 1));
  await stub.tell(tell("gone", 1, null));
  expect(await names(stub)).toEqual(["kept"]);
  await evictDurableObject(stub);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  const left = () =>
    runInDurableObject(stub, (_instance, { storage }) =>
      storage.sql
        .exec<{ name: string }>("SELECT object_name AS name FROM entry ORDER BY name")
        .toArray()
        .map(({ name }) => name),
    );
  expect(await left()).toEqual(["gone", "kept"]);
  // It looks again when the next is over, but once a day at least.
  const alarmMs = await runInDurableObject(stub, (_instance, { storage }) => storage.getAlarm());
  expect(alarmMs).toBeGreaterThan(nowMs + dayMs - 60_000);
  expect(alarmMs).toBeLessThan(nowMs + dayMs + 60_000);
  await runInDurableObject(stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE entry SET until_ms = ?", nowMs - 1);
  });
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  expect(await tables(stub)).toBe(0);
  expect(await runDurableObjectAlarm(stub)).toBe(false);
  await stub.tell(tell("anew", 1));
  expect(await names(stub)).toEqual(["anew"]);
});

test("above its bound the oldest leave the list first, and an erasure finds them until their time is over", async () => {
  const stub = index();
  for (const at of [1, 2, 3, 4, 5]) await stub.tell(tell(`o${at}`, 1, { createdMs: at }));
  await runInDurableObject(stub, (_instance, { storage }) => {
    expect(new CompletionStore(storage).sweep(3, Date.now())).toBeGreaterThan(Date.now());
  });
  expect(await names(stub)).toEqual(["o3", "o4", "o5"]);
  // What is told of one again lists it again.
  await stub.tell(tell("o2", 2, { createdMs: 2 }));
  expect(await names(stub)).toEqual(["o2", "o3", "o4", "o5"]);
  const { owner } = tell("o1", 1);
  await stub.erase({ v: 1, owner, throughMs: 4 });
  expect(await names(stub)).toEqual(["o5"]);
  await runInDurableObject(stub, (_instance, { storage }) => {
    const erased = storage.sql.exec("SELECT object_name AS name FROM doomed").toArray();
    expect(erased.map(({ name }) => name)).toEqual(["o1", "o2", "o3", "o4"]);
    const store = new CompletionStore(storage);
    store.sweep(0, Date.now());
    expect([store.holdsAny(), store.isEmpty(Date.now())]).toEqual([true, false]);
    expect(store.sweep(0, Date.now() + 40 * dayMs)).toBeNull();
    expect(store.holdsAny()).toBe(false);
  });
});

test("another user learns nothing and changes nothing", async () => {
  const stub = index();
  await stub.tell(tell("o", 1));
  const stranger = { tenant: "demo", user: "bob" };
  expect(await stub.list({ ...all, owner: stranger })).toEqual({ result: "unknown" });
  expect(await stub.tell({ ...tell("o", 2, null), owner: stranger })).toEqual({ result: "unknown" });
  expect(await names(stub)).toEqual(["o"]);
  const newer = { ...all, v: 2 } as unknown as typeof all;
  expect(await stub.list(newer)).toEqual({ result: "version-unsupported", supported: 1 });
});

test("a completion costs two rows, and at most two more when it changes; a doubled message costs none", async () => {
  const stub = index();
  await stub.tell(tell("first", 1));
  let rows = 0;
  await runInDurableObject(stub, (_instance, { storage }) => {
    countWrites(storage.sql, "exec", (cursor) => {
      rows += (cursor as { rowsWritten: number }).rowsWritten;
    });
  });
  const costOf = async (message: TellCompletion): Promise<number> => {
    rows = 0;
    await stub.tell(message);
    return rows;
  };
  expect(await costOf(tell("second", 1))).toBe(2);
  expect(await costOf(tell("second", 1))).toBe(0);
  expect(await costOf(tell("second", 2, { metadata: { k: "v" } }))).toBeLessThanOrEqual(2);
  vi.restoreAllMocks();
});
