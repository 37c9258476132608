import { createServer } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../dev/start/free-ports.ts";
import { startPglite, type LocalDatabase } from "../../dev/archive/local-database.ts";
import type { ReadStatement } from "../../src/shared/tools/sql/read-only-database.ts";
import { sqlTool } from "../../src/shared/tools/sql/sql-tool.ts";
import { toolPolicySchema } from "../../src/shared/tools/tool-policy.ts";
import { connect } from "../../workers/archiver/postgres-database.ts";
import { postgresDatabase } from "../../workers/edge/adapters/tool-postgres.ts";

/** The SQL tool before a PostgreSQL: PGlite, or a schema of the one that TOOLS_TEST_DATABASE_URL names. */
let server: LocalDatabase;

beforeAll(async () => {
  const real = process.env["TOOLS_TEST_DATABASE_URL"];
  server =
    real === undefined || real === ""
      ? await startPglite(await freePort())
      : { url: real, stop: async () => undefined };
  await setUp(`
    DROP TABLE IF EXISTS tool_orders; DROP TABLE IF EXISTS tool_secrets;
    CREATE TABLE tool_orders (id int, state text);
    INSERT INTO tool_orders SELECT n, CASE WHEN n % 2 = 0 THEN 'sent' ELSE 'open' END FROM generate_series(1, 10) n;
    CREATE TABLE tool_secrets (word text)`);
});
afterAll(async () => {
  await setUp("DROP TABLE tool_orders; DROP TABLE tool_secrets");
  await server.stop();
});

async function setUp(sql: string): Promise<void> {
  const connection = connect(server.url);
  await connection.database.transaction((query) => query(sql));
  await connection.end(1);
}

async function asked(query: string, change: object = {}) {
  const { sql } = toolPolicySchema.parse({
    sql: {
      binding: "X",
      description: "Orders.",
      tables: ["tool_orders", "tool_gone"],
      max_rows: 3,
      ...change,
    },
  });
  if (sql === null) throw new Error("no database");
  const tool = sqlTool(sql, () => postgresDatabase(server.url), 1000);
  return tool.run({ query }, { signal: new AbortController().signal });
}

test("rows come back as JSON, no more than are allowed", async () => {
  const counted = await asked("SELECT state, count(*) AS n FROM tool_orders GROUP BY state ORDER BY state");
  expect(counted).toEqual({
    ok: true,
    value: { text: '{"rows":[{"state":"open","n":5},{"state":"sent","n":5}]}' },
  });
  const many = await asked("WITH o AS (SELECT id FROM tool_orders) SELECT id FROM o ORDER BY id");
  expect(many.ok && JSON.parse(many.value.text)).toEqual({
    rows: [{ id: 1 }, { id: 2 }, { id: 3 }],
    note: "only the first 3 rows are shown",
  });
});

test.each([
  ["SELECT * FROM tool_secrets", "not among those that may be read"],
  ["DELETE FROM tool_orders", "no SELECT"],
  ["SELECT nothing FROM tool_orders", "a column that it names does not exist"],
  ["SELECT * FROM tool_gone", "a table that it names does not exist"],
  ["SELECT id + state FROM tool_orders", "does not exist with these arguments"],
  ["SELECT 1 / (id - id) FROM tool_orders", "do not fit each other"],
])("%s is refused in our words: %s", async (query, words) => {
  const refused = await asked(query);
  expect(refused).toMatchObject({ ok: false, error: { kind: "refused" } });
  expect(JSON.stringify(refused)).toContain(words);
});

test.each([
  ["SELECT max(id) - 1 AS a, 5-1 AS b FROM tool_orders WHERE id IN (1, 7)", '{"a":6,"b":4}'],
  ["SELECT extract(year from date '2026-05-01') AS y, coalesce(null, 2) AS c", '{"y":2026,"c":2}'],
  ["SELECT left('abc', 2) AS l, 'it''s \\ \"so\"' AS t", '{"l":"ab","t":"it\'s \\\\ \\"so\\""}'],
  ["SELECT 9007199254740993 - 1 AS big", "too many digits"],
  ["SELECT '9007199254740993'::bigint AS big", '{"big":9007199254740993}'],
  ["SELECT 1 AS edgewise, 2 AS asked, 3 AS asked", '{"edgewise":1,"asked":2,"asked":3}'],
  ["SELECT count(*) AS n FROM tool_orders WHERE id IN (1, 2) OR id IN (3) OR state LIKE 'o%'", '{"n":6}'],
  ["SELECT id FROM tool_orders ORDER BY id DESC LIMIT 2 OFFSET 1", '{"id":9},{"id":8}'],
  ["SELECT row_number() OVER (ORDER BY id) AS r FROM tool_orders WHERE id > 9", '{"r":1}'],
])("%s is read as it was meant: %s", async (query, told) => {
  expect(JSON.stringify(await asked(query))).toContain(JSON.stringify(told).slice(1, -1));
});

test.each([
  ["SELECT rpad('x', 20000000, 'x') AS t", 0],
  ["SELECT id, rpad('x', 500, 'x') AS t FROM tool_orders ORDER BY id", 1],
])("what is longer than may be shown stays in the database: %s", async (query, rows) => {
  const cut = await asked(query);
  const text = cut.ok ? cut.value.text : "";
  expect(text.length).toBeLessThan(1000);
  expect((JSON.parse(text) as { readonly rows: readonly object[] }).rows).toHaveLength(rows);
  expect(text).toContain("note");
});

function reading(sql: string, change: Partial<ReadStatement> = {}) {
  return postgresDatabase(server.url).read({
    sql,
    isQuery: false,
    maxRows: 3,
    maxCharacters: 1000,
    timeoutMs: 1000,
    signal: new AbortController().signal,
    ...change,
  });
}

test("the transaction reads only, also where the judge were passed by, and can't be left", async () => {
  expect(await reading("INSERT INTO tool_orders VALUES (11, 'x')")).toEqual({
    ok: false,
    error: "forbidden",
  });
  expect(await reading("CREATE TABLE tool_more (a int)")).toEqual({ ok: false, error: "forbidden" });
  expect(await reading("COMMIT; INSERT INTO tool_orders VALUES (11, 'x')")).toEqual({
    ok: false,
    error: "refused",
  });
  const counted = await asked("SELECT count(*) AS n FROM tool_orders");
  expect(counted).toMatchObject({ value: { text: '{"rows":[{"n":10}]}' } });
});

test("a function by the name of one of the database's own is not called in its place", async () => {
  await setUp(
    "CREATE OR REPLACE FUNCTION public.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'theirs' $$",
  );
  const lowered = await asked("SELECT lower('OURS') AS l");
  await setUp("DROP FUNCTION public.lower(text)");
  expect(lowered).toMatchObject({ value: { text: '{"rows":[{"l":"ours"}]}' } });
});

test("a question that nobody waits for any more is left at once, and its connection with it", async () => {
  const came = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  // Takes connections and says nothing.
  const silent = createServer((socket) => {
    socket.on("error", () => undefined).on("close", () => left.resolve());
    socket.once("data", () => came.resolve());
  });
  const port = await freePort();
  await new Promise<void>((resolve) => silent.listen(port, "127.0.0.1", resolve));
  const own = new AbortController();
  const asking = postgresDatabase(`postgres://a:b@127.0.0.1:${port}/c?sslmode=disable`).read({
    sql: "SELECT 1",
    isQuery: true,
    maxRows: 1,
    maxCharacters: 100,
    timeoutMs: 60_000,
    signal: own.signal,
  });
  await came.promise;
  own.abort();
  expect(await asking).toEqual({ ok: false, error: "unreachable" });
  await left.promise;
  silent.close();
});

test("a database that is not there is unreachable, and nothing of its address is told", async () => {
  for (const url of ["postgres://someone:word@127.0.0.1:1/db", "postgres://someone:word@:not a port/db"]) {
    const gone = await postgresDatabase(url).read({
      sql: "SELECT 1",
      isQuery: true,
      maxRows: 1,
      maxCharacters: 100,
      timeoutMs: 1000,
      signal: new AbortController().signal,
    });
    expect(gone).toEqual({ ok: false, error: "unreachable" });
  }
});
