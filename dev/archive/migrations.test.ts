import { afterAll, beforeAll, expect, it } from "vitest";
import { archiveMigrations, migrate } from "./migrations.ts";
import { startTestDatabase, type TestDatabase } from "./test-database.ts";

let world: TestDatabase;
beforeAll(async () => {
  world = await startTestDatabase();
}, 180_000);
afterAll(() => world.stop());

it("a schema that is up to date stays as it is", async () => {
  expect(archiveMigrations().length).toBeGreaterThan(0);
  expect(await migrate(world.database)).toEqual([]);
});

it("a new file is applied once, also by two runs at once", async () => {
  const migrations = [
    ...archiveMigrations(),
    { name: "9001-more.sql", text: "CREATE TABLE more (a text); CREATE TABLE most (a text)" },
  ];
  const applied = await Promise.all([
    migrate(world.database, migrations),
    migrate(world.database, migrations),
  ]);
  expect(applied.flat()).toEqual(["9001-more.sql"]);
});

it("a file that fails leaves nothing of itself, and those before it stand", async () => {
  const migrations = [
    { name: "9002-good.sql", text: "CREATE TABLE good (a text)" },
    { name: "9003-bad.sql", text: "CREATE TABLE half (a text); SELECT no_such_function()" },
  ];
  await expect(migrate(world.database, migrations)).rejects.toThrow("no_such_function");
  const tables = await world.database.transaction((query) =>
    query("SELECT to_regclass('good') AS good, to_regclass('half') AS half"),
  );
  expect(tables).toMatchObject([{ good: "good", half: null }]);
});

it("a file that was changed after it was applied is refused", async () => {
  const [first] = archiveMigrations();
  if (first === undefined) throw new Error("no migration");
  await expect(migrate(world.database, [{ ...first, text: `${first.text}\n-- changed` }])).rejects.toThrow(
    "was changed after it was applied",
  );
});
