/** An entry of this list that is no response's id: it stands for the archive. */
export const archiveDuty = "archive";

/**
 * The places that still hold content of a deleted conversation: its turns' own objects, by their responses' ids, and the archive. Each
 * stays listed until it has erased its part. Only once there are tables.
 */
export class DoomedTurns {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add(id: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO doomed VALUES (?)", id);
  }

  /** All that are known here, saved or not. */
  addKnown(): void {
    for (const table of ["turn_response", "unsaved"])
      this.#sql.exec(`INSERT OR IGNORE INTO doomed SELECT response_id FROM ${table}`);
  }

  /** In the order of their ids. */
  page(after: string, limit: number): string[] {
    return this.#sql
      .exec<{ response_id: string }>(
        "SELECT response_id FROM doomed WHERE response_id > ? ORDER BY response_id LIMIT ?",
        after,
        limit,
      )
      .toArray()
      .map(({ response_id: responseId }) => responseId);
  }

  count(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM doomed").one().n;
  }

  /** Without the archive. */
  countTurns(): number {
    return this.#sql
      .exec<{ n: number }>("SELECT count(*) AS n FROM doomed WHERE response_id <> ?", archiveDuty)
      .one().n;
  }

  erased(id: string): void {
    this.#sql.exec("DELETE FROM doomed WHERE response_id = ?", id);
  }
}
