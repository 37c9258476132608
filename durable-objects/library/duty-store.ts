/** What does a Library still owe other objects? Its table is one of library-tables.ts's. */

/** `make`: tells a new store's object what it is. */
export interface Duty {
  readonly id: string;
  readonly kind: "make" | "delete-store" | "forget-file" | "erase-content";
  readonly fileId: string;
  readonly storeId: string;
  /** JSON; only of `make`. */
  readonly message: string;
  readonly attempts: number;
  /** With `attempts` it tells whether a duty is still the one that was read: what is owed anew is due at another time. */
  readonly dueMs: number;
}

export class DutyStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Owed anew it is another duty: whoever carries out the one before may have come too early. */
  owe(duty: Omit<Duty, "id" | "attempts" | "dueMs">, nowMs: number): void {
    const { kind, fileId, storeId, message } = duty;
    this.#sql.exec(
      `INSERT INTO duty VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO UPDATE SET message = excluded.message, attempts = 0,
         due_ms = CASE due_ms WHEN excluded.due_ms THEN due_ms + 1 ELSE excluded.due_ms END`,
      dutyId(kind, fileId, storeId),
      kind,
      fileId,
      storeId,
      message,
      nowMs,
    );
  }

  due(nowMs: number, limit: number): Duty[] {
    return this.#duties("due_ms <= ? ORDER BY due_ms LIMIT ?", nowMs, limit);
  }

  /** `null`: done, or never owed. */
  making(storeId: string): Duty | null {
    return this.#duties("id = ?", dutyId("make", "", storeId))[0] ?? null;
  }

  /** Marks it as done if it is still the one that was read. */
  done({ id, attempts, dueMs }: Duty): void {
    this.#sql.exec("DELETE FROM duty WHERE id = ? AND attempts = ? AND due_ms = ?", id, attempts, dueMs);
  }

  putOff({ id, attempts, dueMs }: Duty, nextMs: number): void {
    this.#sql.exec(
      "UPDATE duty SET attempts = attempts + 1, due_ms = ? WHERE id = ? AND attempts = ? AND due_ms = ?",
      nextMs,
      id,
      attempts,
      dueMs,
    );
  }

  /** What was owed to a store that goes need not reach it, but that it goes. */
  dropAllOf(storeId: string): void {
    this.#sql.exec("DELETE FROM duty WHERE store_id = ?", storeId);
  }

  count(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM duty").one().n;
  }

  #duties(where: string, ...values: readonly (string | number)[]): Duty[] {
    return this.#sql
      .exec<{
        id: string;
        kind: Duty["kind"];
        file_id: string;
        store_id: string;
        message: string;
        attempts: number;
        due_ms: number;
      }>(`SELECT id, kind, file_id, store_id, message, attempts, due_ms FROM duty WHERE ${where}`, ...values)
      .toArray()
      .map(({ file_id: fileId, store_id: storeId, due_ms: dueMs, ...rest }) => ({
        ...rest,
        fileId,
        storeId,
        dueMs,
      }));
  }
}

function dutyId(kind: Duty["kind"], fileId: string, storeId: string): string {
  return `${kind}/${storeId}/${fileId}`;
}
