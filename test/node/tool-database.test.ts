import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../dev/free-ports.ts";
import { startPglite, type LocalDatabase } from "../../dev/archive/local-database.ts";
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
  const tool = sqlTool(sql, () => postgresDatabase(server.url));
  return tool.run({ query }, { signal: new AbortController().signal });
}

test("rows come back as JSON, no more than are allowed", async () => {
  const counted = await asked("SELECT state, count(*) AS n FROM tool_orders GROUP BY state ORDER BY state");
  expect(counted).toEqual({
    ok: true,
    value: { text: '{"rows":[{"state":"open","n":"5"},{"state":"sent","n":"5"}]}' },
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

test("the transaction reads only, also where the judge were passed by", async () => {
  const written = await postgresDatabase(server.url).query("INSERT INTO tool_orders VALUES (11, 'x')", {
    timeoutMs: 1000,
  });
  expect(written).toEqual({ ok: false, error: "forbidden" });
  const made = await postgresDatabase(server.url).query("CREATE TABLE tool_more (a int)", {
    timeoutMs: 1000,
  });
  expect(made).toEqual({ ok: false, error: "forbidden" });
});

test("a database that is not there is unreachable, and nothing of its address is told", async () => {
  const gone = await postgresDatabase("postgres://someone:word@127.0.0.1:1/db").query("SELECT 1", {
    timeoutMs: 1000,
  });
  expect(gone).toEqual({ ok: false, error: "unreachable" });
});
