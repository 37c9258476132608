/** Questions to a tenant's own database, in SQL that only reads. */
import { err, ok, type Result } from "../../contracts/result.ts";
import type { ServerTool, ToolFault, ToolOutput } from "../server-tool.ts";
import type { SqlConfig } from "../tool-policy.ts";
import { sqlDefinition } from "./definition.ts";
import { judgeSql } from "./judge-sql.ts";
import type { DatabaseFault, ReadOnlyDatabase, ReadRows } from "./read-only-database.ts";

const faultWords: Readonly<Record<Exclude<DatabaseFault, "unreachable" | "timeout">, string>> = {
  forbidden: "the database lets it not be read",
  "unknown-table": "a table that it names does not exist",
  "unknown-column": "a column that it names does not exist",
  "unknown-function": "a function that it calls does not exist with these arguments",
  types: "its types or values do not fit each other",
  refused: "the database does not take it",
};

/**
 * @param open opens the binding's database; `null`: no binding has that name
 * @param maxCharacters of the rows that the model reads
 */
export function sqlTool(
  config: SqlConfig,
  open: () => ReadOnlyDatabase | null,
  maxCharacters: number,
): ServerTool {
  const tables = new Set(config.tables);
  const rules = { tables, extensions: [], isSqlite: config.dialect === "d1" };
  return {
    ...sqlDefinition(config),
    shown: "mcp_call",
    isRepeatable: true,
    // The database stops the statement by itself, and says so.
    timeoutMs: config.timeout_ms + 2000,
    async run({ query }, { signal }): Promise<Result<ToolOutput, ToolFault>> {
      const judged = judgeSql(String(query), rules);
      if (!judged.ok) return err({ kind: "refused", detail: `the query may not run: ${judged.error}` });
      const database = open();
      if (database === null)
        return err({ kind: "unavailable", detail: "it is not set up: its database is missing" });
      const answered = await database.read({
        ...judged.value,
        maxRows: config.max_rows,
        maxCharacters: Math.max(1, maxCharacters - frameCharacters),
        timeoutMs: config.timeout_ms,
        signal,
      });
      return answered.ok ? ok({ text: written(answered.value) }) : err(toFault(answered.error));
    },
  };
}

function toFault(fault: DatabaseFault): ToolFault {
  if (fault === "timeout") return { kind: "timeout" };
  if (fault === "unreachable") return { kind: "unavailable", detail: "the database can't be reached" };
  return { kind: "refused", detail: faultWords[fault] };
}

/** The most characters of the text around the rows. */
const frameCharacters = 160;

function written({ rows, isCut }: ReadRows): string {
  const note = isCut
    ? rows.length === 0
      ? "the first row is too long to be shown: ask for less of it"
      : `only the first ${rows.length} rows are shown`
    : null;
  return `{"rows":[${rows.join(",")}]${note === null ? "" : `,"note":${JSON.stringify(note)}`}}`;
}
