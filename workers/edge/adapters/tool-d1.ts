/** A tenant's D1 behind the SQL tool. What it says when it refuses stays here: its words may hold what is in it. */
import { err, ok, type Result } from "../../../src/shared/contracts/result.ts";
import type { DatabaseFault, ReadOnlyDatabase } from "../../../src/shared/tools/sql/sql-tool.ts";

/**
 * D1 knows no read-only transaction: only statements that the judge has written reach it, and its binding alone decides which
 * database they read. It stops a statement after 30 s by itself; until then the caller's own time is what counts.
 */
export function d1Database(database: D1Database): ReadOnlyDatabase {
  return {
    async query(sql): Promise<Result<readonly object[], DatabaseFault>> {
      try {
        return ok((await database.prepare(sql).all()).results);
      } catch (error) {
        return err(d1Fault(error));
      }
    },
  };
}

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
