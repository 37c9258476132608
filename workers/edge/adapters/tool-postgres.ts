/** A tenant's PostgreSQL behind the SQL tool, through a Hyperdrive. Its error messages stay here, since they may quote its data. */
import postgres from "postgres";
import { err, ok } from "../../../src/shared/contracts/result.ts";
import {
  type DatabaseFault,
  type ReadOnlyDatabase,
  type ReadStatement,
  withinBounds,
} from "../../../src/shared/tools/sql/read-only-database.ts";

/**
 * One connection a query, ended with it: a Worker keeps none between requests, and Hyperdrive keeps them for it.
 *
 * @param url a secret: it holds the password
 */
export function postgresDatabase(url: string): ReadOnlyDatabase {
  return {
    async read(statement) {
      const { timeoutMs, signal } = statement;
      if (signal.aborted) return err("timeout");
      const client = clientOf(url, timeoutMs);
      if (client === null) return err("unreachable");
      // The result is no longer wanted: the connection is closed, whatever the server is doing.
      const leave = (): void => void client.end({ timeout: 0 });
      signal.addEventListener("abort", leave, { once: true });
      try {
        const rows = await client.begin("read only", async (transaction) => {
          await transaction.unsafe(
            // Functions in `public` must not shadow the database's own.
            `SET LOCAL statement_timeout = ${Math.ceil(timeoutMs)}; SET LOCAL search_path = pg_catalog, public`,
          );
          return transaction.unsafe<{ readonly edgewise_row: unknown }[]>(
            bounded(statement),
            [],
            oneStatement,
          );
        });
        return ok(withinBounds(rows.map(textOf), statement));
      } catch (error) {
        return err(postgresFault(error));
      } finally {
        signal.removeEventListener("abort", leave);
        // A connection that does not end in time is cut off.
        await client.end({ timeout: 1 });
      }
    },
  };
}

/**
 * Not in the simple protocol, which takes several statements in one text: COMMIT would be one. Known to the driver, and not to its types.
 */
const oneStatement = { prepare: false, simple: false } as const;

/** `null`: the binding holds no address of a database. */
function clientOf(url: string, timeoutMs: number) {
  try {
    return postgres(url, {
      max: 1,
      fetch_types: false,
      prepare: false,
      connect_timeout: Math.max(1, Math.ceil(timeoutMs / 1000)),
      onnotice: () => undefined,
    });
  } catch {
    // Its error repeats the address.
    return null;
  }
}

/**
 * Each row as JSON, made, cut and counted by the server, so that no more comes here than may be shown: a row may be a gigabyte, and
 * what a driver has read of it is in memory. Rows behind the one that passes the bound are left there.
 */
function bounded({ sql, isQuery, maxRows, maxCharacters }: ReadStatement): string {
  if (!isQuery) return sql;
  const cut = `SELECT left(row_to_json(edgewise_asked)::text, ${maxCharacters + 1}) AS edgewise_row FROM (${sql}) AS edgewise_asked LIMIT ${maxRows + 1}`;
  const counted = `SELECT edgewise_row, sum(length(edgewise_row)) OVER (ROWS UNBOUNDED PRECEDING) - length(edgewise_row) AS edgewise_before FROM (${cut}) AS edgewise_cut`;
  return `SELECT edgewise_row FROM (${counted}) AS edgewise_counted WHERE edgewise_before <= ${maxCharacters}`;
}

/** A plan or a setting is a row of its own kind. */
function textOf(row: { readonly edgewise_row?: unknown }): string {
  return typeof row.edgewise_row === "string" ? row.edgewise_row : JSON.stringify(row);
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
