import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { LazyTables } from "./lazy-tables.ts";

const first = ["CREATE TABLE one (id INTEGER PRIMARY KEY);"];
const second = [...first, "CREATE TABLE two (id INTEGER PRIMARY KEY);"];

/** One whose class has no tables of its own. */
function object() {
  return env.TOKEN_BUCKET.getByName(`lazy-tables-${crypto.randomUUID()}`);
}

function names({ sql }: DurableObjectStorage): string[] {
  return sql
    .exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name",
    )
    .toArray()
    .map(({ name }) => name);
}

test("tables come with the first write, once; newer code adds its own at a wake, and older code leaves them alone", async () => {
  const stub = object();
  await runInDurableObject(stub, (_instance, { storage }) => {
    const tables = new LazyTables(storage, first);
    expect([tables.areMade, names(storage)]).toEqual([false, []]);
    tables.make();
    tables.make();
    expect([tables.areMade, names(storage)]).toEqual([true, ["one", "schema_version"]]);
  });
  await evictDurableObject(stub);
  await runInDurableObject(stub, (_instance, { storage }) => {
    for (const known of [second, first]) {
      expect(new LazyTables(storage, known).areMade).toBe(true);
      expect(names(storage)).toEqual(["one", "schema_version", "two"]);
    }
  });
});

test("a part of an object has tables of its own, and a deleted storage gets them anew", async () => {
  await runInDurableObject(object(), async (_instance, { storage }) => {
    const whole = new LazyTables(storage, first);
    const part = new LazyTables(
      storage,
      ["CREATE TABLE own (id INTEGER PRIMARY KEY);"],
      "passage_schema_version",
    );
    part.make();
    expect([whole.areMade, part.areMade]).toEqual([false, true]);
    whole.make();
    expect(names(storage)).toEqual(["one", "own", "passage_schema_version", "schema_version"]);
    await storage.deleteAll();
    whole.wereDeleted();
    expect(whole.areMade).toBe(false);
    whole.make();
    expect(names(storage)).toEqual(["one", "schema_version"]);
  });
});

test("a transaction that is undone takes its tables with it, and the next write makes them", async () => {
  await runInDurableObject(object(), async (_instance, { storage }) => {
    const tables = new LazyTables(storage, first);
    const undone = () =>
      storage.transactionSync(() => {
        tables.make();
        storage.sql.exec("INSERT INTO one VALUES (1)");
        throw new Error("no room");
      });
    expect(undone).toThrow("no room");
    await Promise.resolve();
    expect([tables.areMade, names(storage)]).toEqual([false, []]);
    tables.make();
    await Promise.resolve();
    expect([tables.areMade, names(storage)]).toEqual([true, ["one", "schema_version"]]);
  });
});
