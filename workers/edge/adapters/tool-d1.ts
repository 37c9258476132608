/** A tenant's D1 behind the SQL tool. Its error messages stay here, since they may quote its data. */
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import {
  type DatabaseFault,
  type ReadOnlyDatabase,
  type ReadRows,
  type ReadStatement,
  withinBounds,
} from "../../../src/shared/tools/sql/read-only-database.ts";

/**
 * D1 knows no read-only transaction: only statements that the judge has written reach it, and its binding alone decides which
 * database they read. It stops a statement after 30 s by itself; until then the caller's own time is what counts.
 */
export function d1Database(database: D1Database): ReadOnlyDatabase {
  return {
    async read(statement): Promise<Result<ReadRows, DatabaseFault>> {
      const { sql, isQuery, signal } = statement;
      try {
        if (!isQuery) {
          const { results } = await database.prepare(sql).all();
          return ok(withinBounds(results.map(jsonOf), statement));
        }
        const [columns] = await database
          .prepare(`SELECT * FROM (${sql}) AS edgewise_asked LIMIT 0`)
          .raw({ columnNames: true });
        if (signal.aborted) return err("timeout");
        const { results } = await database.prepare(bounded(statement, columns)).all();
        return ok(withinBounds(results.map(jsonOf), statement));
      } catch (error) {
        return err(d1Fault(error));
      }
    },
  };
}

function jsonOf(row: object): string {
  return JSON.stringify(row);
}

/**
 * Each value cut, and each row counted, by the database, so that no more comes here than may be shown: a value may be two million
 * bytes, and a thousand rows of them would be all of a Worker's memory.
 */
function bounded({ sql, maxRows, maxCharacters }: ReadStatement, columns: readonly string[]): string {
  const names = columns.map((name) => `"${name.replaceAll('"', '""')}"`);
  const values = names.map(
    (name) =>
      `CASE typeof(${name}) WHEN 'text' THEN substr(${name}, 1, ${maxCharacters + 1}) ` +
      `WHEN 'blob' THEN length(${name}) || ' bytes' ` +
      // A number of JavaScript would be another one.
      `WHEN 'integer' THEN iif(${name} BETWEEN -${safest} AND ${safest}, ${name}, CAST(${name} AS TEXT)) ` +
      `ELSE ${name} END AS ${name}`,
  );
  const sizes = names.map((name) => `coalesce(length(${name}), 0)`).join(" + ");
  const cut = `SELECT ${values.join(", ")} FROM (${sql}) AS edgewise_asked LIMIT ${maxRows + 1}`;
  const sized = `SELECT *, ${sizes} AS edgewise_size FROM (${cut})`;
  const counted = `SELECT *, sum(edgewise_size) OVER (ROWS UNBOUNDED PRECEDING) - edgewise_size AS edgewise_before FROM (${sized})`;
  return `SELECT ${names.join(", ")} FROM (${counted}) WHERE edgewise_before <= ${maxCharacters}`;
}

const safest = Number.MAX_SAFE_INTEGER;

const d1Faults: readonly (readonly [pattern: RegExp, DatabaseFault])[] = [
  [/no such table/, "unknown-table"],
  [/no such column/, "unknown-column"],
  [/no such function|wrong number of arguments/, "unknown-function"],
  [/D1_ERROR|SQLITE_ERROR/, "refused"],
];

function d1Fault(error: unknown): DatabaseFault {
  const text = error instanceof Error ? error.message : "";
  return d1Faults.find(([pattern]) => pattern.test(text))?.[1] ?? "unreachable";
}
