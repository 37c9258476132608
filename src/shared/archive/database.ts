/**
 * PostgreSQL as the archive's code sees it: transactions of statements, and what a failed one means. Adapters: postgres.js in
 * workers/archiver and in `npm run archive`.
 */
export type Parameter = string | number | null;
export type Row = Readonly<Record<string, unknown>>;
export type Query = (statement: string, parameters?: readonly Parameter[]) => Promise<readonly Row[]>;

export interface Database {
  /** All of it, or a throw and none. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
}

/**
 * Whose fault is it? `row`: what was written can't be, however often it is tried: find it among its batch. `database`: the
 * database is away, full, restarting, not migrated: nothing of the batch can be written now, all of it later.
 *
 * By SQLSTATE class (https://www.postgresql.org/docs/current/errcodes-appendix.html). An error without one is the network's.
 */
export function faultOf(error: unknown): "row" | "database" {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) return "database";
  return databaseClasses.has(code.slice(0, 2)) ? "database" : "row";
}

/**
 * Connection, feature, transaction state (a replica is read-only), authorisation, no such database, rollback (deadlock), a
 * missing table or right, resources, object not ready, operator, system.
 */
const databaseClasses = new Set(["08", "0A", "25", "28", "3D", "40", "42", "53", "55", "57", "58", "XX"]);
