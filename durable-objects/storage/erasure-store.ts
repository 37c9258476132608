/**
 * Which entries of a list were erased, and which erasures are not confirmed yet? A table of its own holds each object to be erased, which stays for a day
 * after that, so that its late messages are recognised. Only if the tables exist.
 */
import { rollTables } from "./roll-store.ts";

/** A list's roll, and its erasures: one migration. The list's own table is `entry`, with `object_name`. */
export const erasureTables = `${rollTables}
   CREATE TABLE erasure (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), through_ms INTEGER NOT NULL);
   INSERT INTO erasure VALUES (1, 0);
   CREATE TABLE doomed (object_name TEXT PRIMARY KEY, erased_ms INTEGER, record TEXT) WITHOUT ROWID;
   CREATE INDEX doomed_owed ON doomed (object_name) WHERE erased_ms IS NULL;`;

/** No message is later than this. */
export const rememberErasureMs = 86_400_000;

export class ErasureStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whatever was created by then is erased, however late it is reported; 0: nothing is. */
  throughMs(): number {
    return this.#sql.exec<{ through_ms: number }>("SELECT through_ms FROM erasure").one().through_ms;
  }

  /** Whether something that was created then is erased, though it is reported only now. */
  covers(madeMs: number): boolean {
    const throughMs = this.throughMs();
    return throughMs > 0 && madeMs <= throughMs;
  }

  extend(throughMs: number): void {
    this.#sql.exec("UPDATE erasure SET through_ms = max(through_ms, ?)", throughMs);
  }

  /** @param where chooses rows of a table with a column `object_name` */
  doom(table: "entry" | "unlisted", where: string, ...given: readonly number[]): void {
    this.#sql.exec(
      `INSERT OR REPLACE INTO doomed SELECT object_name, NULL, NULL FROM ${table} WHERE ${where}`,
      ...given,
    );
  }

  /** In the order of their names. */
  owed(after: string, limit: number): string[] {
    return this.#sql
      .exec<{ object_name: string }>(
        "SELECT object_name FROM doomed WHERE erased_ms IS NULL AND object_name > ? ORDER BY object_name LIMIT ?",
        after,
        limit,
      )
      .toArray()
      .map(({ object_name: objectName }) => objectName);
  }

  owedCount(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM doomed WHERE erased_ms IS NULL").one().n;
  }

  /** @param record the id of the deletion record that its object keeps and reports; `null`: none */
  erased(objectName: string, record: string | null, nowMs: number): void {
    this.#sql.exec(
      "UPDATE doomed SET erased_ms = ?, record = ? WHERE object_name = ?",
      nowMs,
      record,
      objectName,
    );
  }

  isOfErasure(record: string): boolean {
    return this.#sql.exec("SELECT 1 FROM doomed WHERE record = ?", record).toArray().length > 0;
  }

  /** Its record is forgotten a day after an erasure, unless a member has not been told of it yet. */
  tidy(nowMs: number): void {
    const before = nowMs - rememberErasureMs;
    this.#sql.exec("DELETE FROM doomed WHERE erased_ms <= ?", before);
    this.#sql.exec(
      `UPDATE erasure SET through_ms = 0 WHERE through_ms <= ?
       AND NOT EXISTS (SELECT 1 FROM doomed WHERE erased_ms IS NULL)
       AND NOT EXISTS (SELECT 1 FROM member WHERE doomed_ms IS NOT NULL)`,
      before,
    );
  }

  isOver(): boolean {
    return this.throughMs() === 0 && this.#sql.exec("SELECT 1 FROM doomed LIMIT 1").toArray().length === 0;
  }
}
