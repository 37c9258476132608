/** Which batches of requests does one owner have? Their table is one of library-tables.ts's. */
import type { BatchClaim, IdPage } from "../../src/shared/contracts/library.ts";
import { pageQuery } from "../storage/list-page.ts";

/**
 * `new`: its object is being told what it is. Where nobody hears whether it was, it is `doomed`: to be told that it is no more. `ended`: it
 * counts no more against the limit.
 */
export type BatchState = "new" | "open" | "ended" | "doomed";

export interface DoomedBatch {
  readonly id: string;
  readonly attempts: number;
}

/** Only where the tables are there. */
export class BatchRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** `null`: there is none. */
  state(id: string): BatchState | null {
    return (
      this.#sql.exec<{ state: BatchState }>("SELECT state FROM batch WHERE id = ?", id).toArray()[0]?.state ??
      null
    );
  }

  /** Of those that have not ended. */
  openCount(): number {
    return this.#sql
      .exec<{ n: number }>("SELECT count(*) AS n FROM batch WHERE state IN ('new', 'open')")
      .one().n;
  }

  add(id: string, nowMs: number): void {
    this.#sql.exec("INSERT OR IGNORE INTO batch VALUES (?, 'new', 0, ?)", id, nowMs + madeWithinMs);
  }

  /** Its object has it. */
  made(id: string): void {
    this.#sql.exec("UPDATE batch SET state = 'open', due_ms = NULL WHERE id = ? AND state = 'new'", id);
  }

  /** It may be told so before anybody here hears that it was made. */
  ended(id: string): void {
    this.#sql.exec("UPDATE batch SET state = 'ended', due_ms = NULL WHERE id = ? AND state <> 'doomed'", id);
  }

  /** Also one that nobody made: its object is told all the same. */
  doom(id: string, nowMs: number): void {
    this.#sql.exec(
      "UPDATE batch SET state = 'doomed', attempts = 0, due_ms = ? WHERE id = ? AND state <> 'doomed'",
      nowMs,
      id,
    );
  }

  remove(id: string): void {
    this.#sql.exec("DELETE FROM batch WHERE id = ?", id);
    this.#sql.exec("DELETE FROM batch_claim WHERE batch_id = ?", id);
  }

  /** From now on the key names this batch, for a day. */
  claim({ key, fingerprint }: BatchClaim, id: string, nowMs: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO batch_claim VALUES (?, ?, ?, ?)", key, fingerprint, id, nowMs);
  }

  /** The batch that the key names; `reused`: which was asked for with another body. `null`: none that is there. */
  claimed({ key, fingerprint }: BatchClaim, nowMs: number): { readonly id: string } | "reused" | null {
    const [row] = this.#sql
      .exec<{ id: string; fingerprint: string }>(
        `SELECT batch.id, fingerprint FROM batch_claim JOIN batch ON batch.id = batch_id
         WHERE key = ? AND made_ms > ? AND state <> 'doomed'`,
        key,
        nowMs - claimedMs,
      )
      .toArray();
    if (row === undefined) return null;
    return row.fingerprint === fingerprint ? { id: row.id } : "reused";
  }

  /** Whose objects are to be told now that they are no more. */
  due(nowMs: number, limit: number): DoomedBatch[] {
    return this.#sql
      .exec<{ id: string; attempts: number }>(
        "SELECT id, attempts FROM batch WHERE due_ms <= ? ORDER BY due_ms LIMIT ?",
        nowMs,
        limit,
      )
      .toArray();
  }

  putOff({ id, attempts }: DoomedBatch, dueMs: number): void {
    this.#sql.exec(
      "UPDATE batch SET attempts = ?, due_ms = ? WHERE id = ? AND due_ms IS NOT NULL",
      attempts + 1,
      dueMs,
      id,
    );
  }

  /** As many are owed their end. */
  doomedCount(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM batch WHERE state = 'doomed'").one().n;
  }

  /** Any that is not on its way out. */
  holdsAny(): boolean {
    return this.#sql.exec("SELECT 1 FROM batch WHERE state <> 'doomed' LIMIT 1").toArray().length > 0;
  }

  ids(): string[] {
    return this.#sql
      .exec<{ id: string }>("SELECT id FROM batch")
      .toArray()
      .map(({ id }) => id);
  }

  page(bounds: IdPage) {
    const page = pageQuery("id", bounds);
    const { rows, hasMore } = page.finish(
      this.#sql
        .exec<{ id: string }>(
          `SELECT id FROM batch WHERE state IN ('open', 'ended') ${page.sql}`,
          ...page.values,
        )
        .toArray(),
    );
    return { rows: rows.map(({ id }) => id), hasMore };
  }
}

/** Who made it would have heard by then. */
const madeWithinMs = 60_000;

const claimedMs = 86_400_000;
