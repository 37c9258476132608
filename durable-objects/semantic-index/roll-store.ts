/**
 * In a tenant's own object: which users' objects hold something? So that a tenant's deletion reaches all of them, and no list of users
 * is kept beyond what their questions are. Its table is one of entry-store.ts's.
 */
export class RollStore {
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
  }

  enrol(user: string, enrolment: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO member (user, enrolment) VALUES (?, ?)", user, enrolment);
  }

  leave(user: string, enrolment: string): void {
    this.#sql.exec("DELETE FROM member WHERE user = ? AND enrolment = ?", user, enrolment);
  }

  /** All who are enrolled now are to be erased. */
  doom(nowMs: number): void {
    this.#sql.exec("UPDATE member SET doomed_ms = ?", nowMs);
  }

  doomed(limit: number): readonly { readonly user: string; readonly enrolment: string }[] {
    return this.#sql
      .exec<{ user: string; enrolment: string }>(
        "SELECT user, enrolment FROM member WHERE doomed_ms IS NOT NULL ORDER BY doomed_ms, user LIMIT ?",
        limit,
      )
      .toArray();
  }

  doomedCount(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM member WHERE doomed_ms IS NOT NULL").one()
      .n;
  }

  count(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM member").one().n;
  }
}
