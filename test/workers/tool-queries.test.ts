import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { bearer } from "./edge-under-test.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";
import { create } from "./responses-fixture.ts";
import { besideEngine, calls, messagesBehind, says } from "./tool-server.ts";

/** Questions of a model to its tenant's D1. */
const engine = scriptedEdge({
  tooled: {
    limits: limitless,
    tools: {
      sql: {
        binding: "TOOLS_TOOLED__DB",
        dialect: "d1",
        description: "Orders.",
        tables: ["orders", "odd"],
        max_rows: 2,
      },
      max_result_characters: 1000,
    },
  },
});
besideEngine(engine);

const { TOOLS_TOOLED__DB: database } = env as unknown as { readonly TOOLS_TOOLED__DB: D1Database };

beforeAll(async () => {
  await database.exec("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, state TEXT)");
  await database.exec("INSERT OR REPLACE INTO orders VALUES (1, 'open'), (2, 'sent'), (3, 'open')");
  await database.exec('CREATE TABLE odd ("a ""b" TEXT, bytes BLOB, big INTEGER)');
  await database.exec("INSERT INTO odd VALUES ('x', x'0102', 9007199254740993)");
});

async function told(query: string): Promise<string> {
  engine.rounds.push(calls(["query_database", { query }]), says("So."));
  await create(await bearer("tooled", "olga"), {});
  return String(messagesBehind(engine).at(-1)?.["content"]);
}

describe("a question to the tenant's database", () => {
  test.each([
    ["SELECT id, state FROM orders ORDER BY id", '{"rows":[{"id":1,"state":"open"},{"id":2,"state":"sent"}]'],
    ["SELECT count(*) AS n FROM orders", '{"rows":[{"n":3}]}'],
    ["SELECT id FROM orders WHERE id > 9", '{"rows":[]}'],
    ["SELECT * FROM odd", '{"rows":[{"a \\"b":"x","bytes":"2 bytes","big":"9007199254740993"}]}'],
    ["SELECT id AS a, state AS a FROM orders WHERE id = 1", '"open"'],
    ["SELECT * FROM secrets", "not among those that may be read"],
    ["DELETE FROM orders", "it is no SELECT"],
    ["SELECT price FROM orders", "a column that it names does not exist"],
  ])("%s is told %s", async (query, words) => {
    expect(await told(query)).toContain(words);
    expect(await database.prepare("SELECT count(*) AS n FROM orders").first()).toEqual({ n: 3 });
  });

  test.each([
    ["SELECT printf('%.*c', 1000000, 'x') AS t FROM orders", 0],
    ["SELECT id, printf('%.*c', 600, 'x') AS t FROM orders ORDER BY id", 1],
  ])("whose rows are longer than may be shown leaves them in the database: %s", async (query, rows) => {
    const answered = await told(query);
    expect(answered.length).toBeLessThan(1000);
    const read = JSON.parse(answered) as { readonly rows: readonly object[]; readonly note: string };
    expect(read.rows).toHaveLength(rows);
    expect(read.note).not.toBe("");
  });
});
