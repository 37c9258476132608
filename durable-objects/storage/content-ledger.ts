/**
 * Which of this object's keys are, or may be, in the bucket? One row per key, from before its bytes are uploaded until the bucket has
 * confirmed their deletion. So after a crash in between the key is known and will be erased: the bucket holds nothing unknown, and nothing
 * refers to a missing key.
 *
 *   intend ─▸ (put) ─▸ hold ─▸ doom ─▸ (deleted) ─▸ gone
 *      └──────── never held, and its time is over ────┘
 */
import type { ContentBucket } from "../../src/shared/content/large-content.ts";
import { LazyTables } from "./lazy-tables.ts";
import type { SqlTransactions } from "./sql-port.ts";

const migrations = [
  `CREATE TABLE content (
     key TEXT PRIMARY KEY, held INTEGER NOT NULL, attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL) WITHOUT ROWID;`,
];

/** By then a put has ended, even one whose object was killed. */
export const intentMs = 600_000;
const retryMs = 5_000;
/** Keys that R2 deletes in one call. */
const atOnce = 1000;

export class ContentLedger {
  readonly #storage: SqlTransactions;
  readonly #tables: LazyTables;

  constructor(storage: SqlTransactions) {
    this.#storage = storage;
    this.#tables = new LazyTables(storage, migrations, "content_schema_version");
  }

  /** To be called before the bytes are put. If the key is never held, they are erased once no put can be under way any more. */
  intend(key: string, nowMs: number): void {
    this.#tables.make();
    this.#storage.sql.exec("INSERT INTO content VALUES (?, 0, 0, ?)", key, nowMs + intentMs);
  }

  /** To be called in the transaction that refers to the key. `false`: its bytes are being erased, or gone, and nothing may refer to it. */
  hold(key: string): boolean {
    return (
      this.#storage.sql
        .exec("UPDATE content SET held = 1 WHERE key = ? AND held = 0 AND attempts = 0 RETURNING key", key)
        .toArray().length > 0
    );
  }

  /** To be called in the transaction that drops the reference. */
  doom(key: string, nowMs: number): void {
    this.#storage.sql.exec("UPDATE content SET held = 0, attempts = 0, due_ms = ? WHERE key = ?", nowMs, key);
  }

  /** Dooms every held key except these: nothing refers to the others. */
  keepOnly(keys: readonly string[], nowMs: number): void {
    if (!this.#tables.areMade) return;
    const held = this.#storage.sql.exec<{ key: string }>("SELECT key FROM content WHERE held = 1").toArray();
    for (const { key } of held) if (!keys.includes(key)) this.doom(key, nowMs);
  }

  /** Dooms every key. One whose put may be under way is erased once it can't be any more. */
  doomAll(nowMs: number): void {
    if (!this.#tables.areMade) return;
    this.#storage.sql.exec("UPDATE content SET held = 0, attempts = 0, due_ms = ? WHERE held = 1", nowMs);
  }

  /** How many keys are to be erased that the bucket has, or may have. */
  countLeaving(): number {
    if (!this.#tables.areMade) return 0;
    return this.#storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM content WHERE held = 0").one().n;
  }

  /** When something is to be erased next; `null`: nothing is. */
  nextMs(): number | null {
    if (!this.#tables.areMade) return null;
    return this.#storage.sql
      .exec<{ next: number | null }>("SELECT min(due_ms) AS next FROM content WHERE held = 0")
      .one().next;
  }

  /**
   * When to try a put again: later after each failure, which the intents on disk show even after an eviction. 0: none failed.
   */
  nextPutMs(nowMs: number): number {
    if (!this.#tables.areMade) return 0;
    const { tries, last } = this.#storage.sql
      .exec<{ tries: number; last: number | null }>(
        "SELECT count(*) AS tries, max(due_ms) AS last FROM content WHERE held = 0 AND attempts = 0 AND due_ms > ?",
        nowMs,
      )
      .one();
    return last === null ? 0 : last - intentMs + retryMs * 2 ** Math.min(tries - 1, 6);
  }

  /**
   * Erases what is due. Rejects where the bucket can't be reached: it is due again then, later each time.
   *
   * @param bucket `null`: it was there once, and is not bound any more
   */
  async sweep(bucket: ContentBucket | null, nowMs: number): Promise<void> {
    for (;;) {
      const keys = this.#keys("held = 0 AND due_ms <= ?", nowMs);
      if (keys.length === 0) return;
      // If memory is lost from here on, they are due again.
      this.#putOff(nowMs);
      if (bucket === null) throw new Error("content lies in a bucket that is not bound any more");
      await bucket.delete(keys);
      // A key that was doomed meanwhile may have bytes that arrived after the deletion: it is due again.
      for (const key of keys)
        this.#storage.sql.exec("DELETE FROM content WHERE key = ? AND held = 0 AND attempts > 0", key);
    }
  }

  #putOff(nowMs: number): void {
    this.#storage.sql.exec(
      `UPDATE content SET attempts = attempts + 1, due_ms = ?1 + ${retryMs} * (1 << min(attempts, 6))
       WHERE key IN (SELECT key FROM content WHERE held = 0 AND due_ms <= ?1 ORDER BY key LIMIT ${atOnce})`,
      nowMs,
    );
  }

  #keys(where: string, ...values: readonly number[]): string[] {
    if (!this.#tables.areMade) return [];
    return this.#storage.sql
      .exec<{ key: string }>(`SELECT key FROM content WHERE ${where} ORDER BY key LIMIT ${atOnce}`, ...values)
      .toArray()
      .map(({ key }) => key);
  }
}
