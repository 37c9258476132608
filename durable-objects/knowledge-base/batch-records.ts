/** Which files were added to a store as one batch, and how far are they? Only where the tables exist. */
import type { BatchView } from "../../src/shared/contracts/knowledge-base.ts";
import { countsOf } from "./file-counts.ts";

/** Batches that a store remembers: each names up to 2,000 files. The oldest give way. */
export const rememberedBatches = 256;

export class BatchRecords {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** `false`: the batch exists already. */
  add(id: string, nowMs: number): boolean {
    const isNew =
      this.#sql.exec("INSERT OR IGNORE INTO batch VALUES (?, ?, NULL)", id, nowMs).rowsWritten > 0;
    if (isNew)
      for (const { id: oldest } of this.#sql
        .exec<{ id: string }>(
          // Ids are random, so the order of two in one millisecond is arbitrary; the one that was just made must stay.
          `DELETE FROM batch WHERE id IN (
             SELECT id FROM batch WHERE id != ? ORDER BY created_ms DESC, id LIMIT -1 OFFSET ?) RETURNING id`,
          id,
          rememberedBatches - 1,
        )
        .toArray())
        this.#sql.exec("DELETE FROM batch_file WHERE batch_id = ?", oldest);
    return isNew;
  }

  /** Only of a batch that was made. */
  include(id: string, fileId: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO batch_file VALUES (?, ?)", id, fileId);
  }

  batch(id: string): BatchView | null {
    const [row] = this.#sql
      .exec<{ created_ms: number; cancelled_ms: number | null }>(
        "SELECT created_ms, cancelled_ms FROM batch WHERE id = ?",
        id,
      )
      .toArray();
    if (row === undefined) return null;
    const counts = countsOf(
      this.#sql,
      `SELECT status, count(*) AS n FROM file
       WHERE id IN (SELECT file_id FROM batch_file WHERE batch_id = ?) GROUP BY status`,
      id,
    );
    return { id, createdMs: row.created_ms, cancelledMs: row.cancelled_ms, counts };
  }

  /** Files that wait are not processed any more; the one that is being processed is dropped. */
  cancel(id: string, nowMs: number): void {
    this.#sql.exec(
      `UPDATE file SET status = 'cancelled', work = work + 1, usage_bytes = 0, passages = 0
       WHERE status = 'in_progress' AND id IN (SELECT file_id FROM batch_file WHERE batch_id = ?)`,
      id,
    );
    this.#sql.exec("UPDATE batch SET cancelled_ms = ? WHERE id = ? AND cancelled_ms IS NULL", nowMs, id);
  }

  /** Files of a batch that are not processed yet. */
  unfinished(batchId: string): string[] {
    return this.#sql
      .exec<{ id: string }>(
        `SELECT id FROM file WHERE status = 'in_progress'
           AND id IN (SELECT file_id FROM batch_file WHERE batch_id = ?)`,
        batchId,
      )
      .toArray()
      .map(({ id }) => id);
  }

  clear(): void {
    for (const table of ["batch", "batch_file"]) this.#sql.exec(`DELETE FROM ${table}`);
  }
}
