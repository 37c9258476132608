/** Questions to a tenant's own database, in SQL that only reads. */
import { err, ok, type Result } from "../../contracts/result.ts";
import type { ServerTool, ToolFault, ToolOutput } from "../server-tool.ts";
import type { SqlConfig } from "../tool-policy.ts";
import { sqlDefinition } from "./definition.ts";
import { judgeSql } from "./judge-sql.ts";

/** A database as this tool needs it: one adapter a kind. */
export interface ReadOnlyDatabase {
  /** Runs one statement in a transaction that reads only. Never rejects. */
  query(
    sql: string,
    options: { readonly timeoutMs: number },
  ): Promise<Result<readonly object[], DatabaseFault>>;
}

/** What a database refuses, without its own words: those may hold what is in it. */
export type DatabaseFault =
  | "unreachable"
  | "timeout"
  | "forbidden"
  | "unknown-table"
  | "unknown-column"
  | "unknown-function"
  | "types"
  | "refused";

const faultWords: Readonly<Record<Exclude<DatabaseFault, "unreachable" | "timeout">, string>> = {
  forbidden: "the database lets it not be read",
  "unknown-table": "a table that it names does not exist",
  "unknown-column": "a column that it names does not exist",
  "unknown-function": "a function that it calls does not exist with these arguments",
  types: "its types or values do not fit each other",
  refused: "the database does not take it",
};

/** @param open the database of a binding; `null`: there is none by that name */
export function sqlTool(config: SqlConfig, open: () => ReadOnlyDatabase | null): ServerTool {
  const tables = new Set(config.tables);
  return {
    ...sqlDefinition(config),
    shown: "mcp_call",
    isRepeatable: true,
    // The database stops the statement by itself, and says so.
    timeoutMs: config.timeout_ms + 2000,
    async run({ query }): Promise<Result<ToolOutput, ToolFault>> {
      const judged = judgeSql(String(query), { tables, extensions: [] });
      if (!judged.ok) return err({ kind: "refused", detail: `the query may not run: ${judged.error}` });
      const database = open();
      if (database === null)
        return err({ kind: "unavailable", detail: "it is not set up: its database is missing" });
      const { sql, isQuery } = judged.value;
      const limited = isQuery ? `SELECT * FROM (${sql}) AS asked LIMIT ${config.max_rows + 1}` : sql;
      const answered = await database.query(limited, { timeoutMs: config.timeout_ms });
      if (!answered.ok) return err(toFault(answered.error));
      return ok({ text: written(answered.value, config.max_rows) });
    },
  };
}

function toFault(fault: DatabaseFault): ToolFault {
  if (fault === "timeout") return { kind: "timeout" };
  if (fault === "unreachable") return { kind: "unavailable", detail: "the database can't be reached" };
  return { kind: "refused", detail: faultWords[fault] };
}

function written(rows: readonly object[], maxRows: number): string {
  const shown = rows.slice(0, maxRows);
  return JSON.stringify(
    { rows: shown, ...(rows.length > maxRows ? { note: `only the first ${maxRows} rows are shown` } : {}) },
    (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value),
  );
}
