/** A database as the SQL tool needs it: one adapter a kind. */
import type { Result } from "../../contracts/result.ts";

export interface ReadOnlyDatabase {
  /**
   * Runs one statement that reads. Never rejects. What it does not give, it does not take into memory either: a row may be as long as
   * the database can hold.
   */
  read(statement: ReadStatement): Promise<Result<ReadRows, DatabaseFault>>;
}

export interface ReadStatement {
  /** As the judge wrote it. */
  readonly sql: string;
  /** It can stand in the place of a table. */
  readonly isQuery: boolean;
  readonly maxRows: number;
  /** Of all rows together, as JSON. */
  readonly maxCharacters: number;
  readonly timeoutMs: number;
  /** Fires when the result is no longer wanted: the connection is closed. */
  readonly signal: AbortSignal;
}

export interface ReadRows {
  /** JSON of each, in their order. */
  readonly rows: readonly string[];
  /** There were more, or longer ones, than were allowed. */
  readonly isCut: boolean;
}

/** Why a database refuses, without its own words, which may hold its data. */
export type DatabaseFault =
  | "unreachable"
  | "timeout"
  | "forbidden"
  | "unknown-table"
  | "unknown-column"
  | "unknown-function"
  | "types"
  | "refused";

/**
 * As many of the rows as are allowed. @param found JSON of each: one more than `maxRows`, and cut where it is longer than all may be
 * together
 */
export function withinBounds(
  found: readonly string[],
  { maxRows, maxCharacters }: Pick<ReadStatement, "maxRows" | "maxCharacters">,
): ReadRows {
  const rows: string[] = [];
  let characters = 0;
  for (const row of found.slice(0, maxRows)) {
    characters += row.length + 1;
    if (characters > maxCharacters) break;
    rows.push(row);
  }
  return { rows, isCut: rows.length < found.length };
}
