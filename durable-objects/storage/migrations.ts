import type { Sql, SqlTransactions } from "./sql-port.ts";

/**
 * How a SQLite object gets from whatever schema it was left with to the code's own.
 *
 * A version row, since objects refuse `PRAGMA user_version`. Migrations only ever add: during a rollout, and after a
 * roll-back, older code opens what newer code has written, so a version above ours is left alone.
 */
export function hasSchema(sql: Sql, versionTable: VersionTable = "schema_version"): boolean {
  return (
    sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", versionTable).toArray().length >
    0
  );
}

/** Where the version stands. A part of an object that brings its own tables has a row of its own. */
export type VersionTable =
  | "schema_version"
  | "passage_schema_version"
  | "outside_schema_version"
  | "claim_schema_version"
  | "content_schema_version"
  | "large_schema_version";

/**
 * Brings the schema to `migrations.length`. Idempotent; one transaction. When: lazy-tables.ts.
 */
export function migrate(
  storage: SqlTransactions,
  migrations: readonly string[],
  versionTable: VersionTable = "schema_version",
): void {
  storage.transactionSync(() => {
    const { sql } = storage;
    const version = hasSchema(sql, versionTable)
      ? sql.exec<{ version: number }>(`SELECT version FROM ${versionTable}`).one().version
      : 0;
    if (version >= migrations.length) return;
    if (version === 0)
      sql.exec(
        `CREATE TABLE ${versionTable} (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), version INTEGER NOT NULL)`,
      );
    for (const statement of migrations.slice(version)) sql.exec(statement);
    sql.exec(`INSERT OR REPLACE INTO ${versionTable} VALUES (1, ?)`, migrations.length);
  });
}
