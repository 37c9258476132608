/** A tenant's PostgreSQL behind the SQL tool, through a Hyperdrive. What it says when it refuses stays here: its words may hold what is in it. */
import postgres from "postgres";
import { err, ok } from "../../../src/shared/contracts/result.ts";
import type { DatabaseFault, ReadOnlyDatabase } from "../../../src/shared/tools/sql/sql-tool.ts";

/**
 * One connection a query, ended with it: a Worker keeps none between requests, and Hyperdrive keeps them for it.
 *
 * @param url a secret: it holds the password
 */
export function postgresDatabase(url: string): ReadOnlyDatabase {
  return {
    async query(sql, { timeoutMs }) {
      const client = postgres(url, {
        max: 1,
        fetch_types: false,
        prepare: false,
        connect_timeout: Math.max(1, Math.ceil(timeoutMs / 1000)),
        onnotice: () => undefined,
      });
      try {
        const rows = await client.begin("read only", async (transaction) => {
          await transaction.unsafe(
            `SET LOCAL statement_timeout = ${Math.ceil(timeoutMs)}; SET LOCAL search_path = public, pg_catalog`,
          );
          return transaction.unsafe<object[]>(sql);
        });
        return ok([...rows]);
      } catch (error) {
        return err(postgresFault(error));
      } finally {
        // What does not end in time is cut off: nobody waits for it.
        await client.end({ timeout: 1 });
      }
    },
  };
}

/** By SQLSTATE (PostgreSQL, appendix A). Anything that has none never reached the database. */
const postgresFaults: readonly (readonly [prefix: string, DatabaseFault])[] = [
  ["57014", "timeout"],
  ["25006", "forbidden"],
  ["42501", "forbidden"],
  ["42P01", "unknown-table"],
  ["42703", "unknown-column"],
  ["42883", "unknown-function"],
  ["42804", "types"],
  ["22", "types"],
];

function postgresFault(error: unknown): DatabaseFault {
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) return "unreachable";
  return postgresFaults.find(([prefix]) => code.startsWith(prefix))?.[1] ?? "refused";
}
