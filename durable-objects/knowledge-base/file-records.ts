import type {
  AttachedFile,
  FileCounts,
  FileErrorCode,
  FileStatus,
  StoreFileView,
} from "../../src/shared/contracts/knowledge-base.ts";
import type { FilePurpose, StoredIn } from "../../src/shared/contracts/library.ts";
import type { Attributes } from "../../src/shared/retrieval/passage.ts";
import { pageQuery, type PageBounds } from "../storage/list-page.ts";
import { countsOf } from "./file-counts.ts";
import { rememberedMs } from "./knowledge-tables.ts";

type FileRow = {
  sequence: number;
  id: string;
  created_ms: number;
  filename: string;
  purpose: FilePurpose;
  media_type: string;
  bytes: number;
  stored_in: StoredIn;
  attributes: string;
  max_tokens: number;
  overlap_tokens: number;
  status: FileStatus;
  error_code: FileErrorCode | null;
  error_message: string | null;
  usage_bytes: number;
  passages: number;
  work: number;
  attempts: number;
};

/** A file to be processed. If the file is removed or wanted otherwise meanwhile, the result is thrown away. */
export interface Work extends AttachedFile {
  /** Another one where it was taken out and put in again. */
  readonly sequence: number;
  /** Counts up whenever it is wanted anew. */
  readonly work: number;
  readonly attempts: number;
}

/** The files of one store: what becomes of each. Only where the tables are there. */
export class FileRecords {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /**
   * Wanted anew where it is not there, failed, was cancelled, or was wanted otherwise; else it takes the attributes.
   *
   * @param isOutdated what was made of it can't be compared with what is made now
   */
  attach(file: AttachedFile, nowMs: number, isOutdated = false): void {
    const known = this.#row(file.fileId);
    const { maxTokens, overlapTokens } = file.chunking;
    const attributes = JSON.stringify(file.attributes);
    if (known === null)
      this.#sql.exec(
        `INSERT INTO file VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'in_progress', NULL, NULL, 0, 0, 1, 0, ?)`,
        file.fileId,
        nowMs,
        file.filename,
        file.purpose,
        file.mediaType,
        file.bytes,
        file.storedIn,
        attributes,
        maxTokens,
        overlapTokens,
        nowMs,
      );
    else if (
      known.status === "failed" ||
      known.status === "cancelled" ||
      (known.status === "completed" && isOutdated) ||
      known.max_tokens !== maxTokens ||
      known.overlap_tokens !== overlapTokens
    )
      this.#sql.exec(
        `UPDATE file SET status = 'in_progress', attributes = ?, max_tokens = ?, overlap_tokens = ?, error_code = NULL,
           error_message = NULL, work = work + 1, attempts = 0, due_ms = ? WHERE id = ?`,
        attributes,
        maxTokens,
        overlapTokens,
        nowMs,
        file.fileId,
      );
    else this.#sql.exec("UPDATE file SET attributes = ? WHERE id = ?", attributes, file.fileId);
    this.#sql.exec("DELETE FROM gone WHERE file_id = ?", file.fileId);
  }

  setAttributes(fileId: string, attributes: Attributes): void {
    this.#sql.exec("UPDATE file SET attributes = ? WHERE id = ?", JSON.stringify(attributes), fileId);
  }

  file(fileId: string): StoreFileView | null {
    const row = this.#row(fileId);
    return row === null ? null : viewOf(row);
  }

  /** `null`: no file in this store, nor one that lately was, is called so. */
  files(
    bounds: PageBounds<string>,
    status: FileStatus | null,
    batchId: string | null,
  ): { readonly rows: readonly StoreFileView[]; readonly hasMore: boolean } | "after" | "before" {
    const after = bounds.after === null ? null : this.#sequenceOf(bounds.after);
    if (bounds.after !== null && after === null) return "after";
    const before = bounds.before === null ? null : this.#sequenceOf(bounds.before);
    if (bounds.before !== null && before === null) return "before";
    const page = pageQuery("sequence", { ...bounds, after, before });
    const { rows, hasMore } = page.finish(
      this.#sql
        .exec<FileRow>(
          `SELECT * FROM file WHERE status LIKE ? AND (? = '' OR id IN (SELECT file_id FROM batch_file WHERE batch_id = ?))
           ${page.sql}`,
          // No status holds a wildcard that another one would meet.
          status ?? "%",
          batchId ?? "",
          batchId ?? "",
          ...page.values,
        )
        .toArray(),
    );
    return { rows: rows.map(viewOf), hasMore };
  }

  isForgotten(fileId: string): boolean {
    return (
      this.#sql.exec("SELECT 1 FROM gone WHERE file_id = ? AND forgotten = 1", fileId).toArray().length > 0
    );
  }

  /** @param forgotten the file itself is deleted: it must not come again, also where it was never here */
  removeFile(fileId: string, forgotten: boolean, nowMs: number): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?)",
      fileId,
      this.#sequenceOf(fileId) ?? 0,
      forgotten ? 1 : 0,
      nowMs + rememberedMs,
    );
    this.#sql.exec("DELETE FROM file WHERE id = ?", fileId);
    this.#sql.exec("DELETE FROM batch_file WHERE file_id = ?", fileId);
    this.#sql.exec("DELETE FROM gone WHERE until_ms <= ?", nowMs);
  }

  /** The next file to process, counted as tried and put off, so that one that kills its object is not tried for ever. */
  begin(nowMs: number, againMs: (attempts: number) => number): Work | null {
    const [row] = this.#sql
      .exec<FileRow>(
        "SELECT * FROM file WHERE status = 'in_progress' AND due_ms <= ? ORDER BY due_ms, sequence LIMIT 1",
        nowMs,
      )
      .toArray();
    if (row === undefined) return null;
    const attempts = row.attempts + 1;
    this.#sql.exec(
      "UPDATE file SET attempts = ?, due_ms = ? WHERE id = ?",
      attempts,
      againMs(attempts),
      row.id,
    );
    return { ...viewOf(row), sequence: row.sequence, work: row.work, attempts };
  }

  /** Whether this is still what is wanted of the file. */
  isWanted({ sequence, work }: Work): boolean {
    return (
      this.#sql
        .exec("SELECT 1 FROM file WHERE sequence = ? AND work = ? AND status = 'in_progress'", sequence, work)
        .toArray().length > 0
    );
  }

  passagesBeside(fileId: string): number {
    return this.#sql
      .exec<{ n: number }>("SELECT CAST(total(passages) AS INTEGER) AS n FROM file WHERE id != ?", fileId)
      .one().n;
  }

  completed(fileId: string, passages: number, usageBytes: number): void {
    this.#sql.exec(
      "UPDATE file SET status = 'completed', passages = ?, usage_bytes = ? WHERE id = ?",
      passages,
      usageBytes,
      fileId,
    );
  }

  failed(fileId: string, code: FileErrorCode, message: string): void {
    this.#sql.exec(
      `UPDATE file SET status = 'failed', error_code = ?, error_message = ?, passages = 0, usage_bytes = 0
       WHERE id = ?`,
      code,
      message,
      fileId,
    );
  }

  putOff({ sequence, work }: Work, dueMs: number): void {
    this.#sql.exec("UPDATE file SET due_ms = ? WHERE sequence = ? AND work = ?", dueMs, sequence, work);
  }

  /** When the next file is to be processed; `null`: none is. */
  nextDueMs(): number | null {
    return this.#sql
      .exec<{ at: number | null }>("SELECT min(due_ms) AS at FROM file WHERE status = 'in_progress'")
      .one().at;
  }

  /** How many in which state, and what they use together. */
  totals(): { readonly counts: FileCounts; readonly usageBytes: number } {
    const { usage } = this.#sql
      .exec<{ usage: number }>("SELECT CAST(total(usage_bytes) AS INTEGER) AS usage FROM file")
      .one();
    return {
      usageBytes: usage,
      counts: countsOf(this.#sql, "SELECT status, count(*) AS n FROM file GROUP BY status"),
    };
  }

  clear(): void {
    for (const table of ["file", "gone"]) this.#sql.exec(`DELETE FROM ${table}`);
  }

  #row(fileId: string): FileRow | null {
    return this.#sql.exec<FileRow>("SELECT * FROM file WHERE id = ?", fileId).toArray()[0] ?? null;
  }

  #sequenceOf(fileId: string): number | null {
    const [row] = this.#sql
      .exec<{ sequence: number }>(
        "SELECT sequence FROM file WHERE id = ?1 UNION ALL SELECT sequence FROM gone WHERE file_id = ?1 LIMIT 1",
        fileId,
      )
      .toArray();
    return row?.sequence ?? null;
  }
}

function viewOf(row: FileRow): StoreFileView {
  return {
    fileId: row.id,
    filename: row.filename,
    purpose: row.purpose,
    mediaType: row.media_type,
    bytes: row.bytes,
    storedIn: row.stored_in,
    attributes: JSON.parse(row.attributes) as Attributes,
    chunking: { maxTokens: row.max_tokens, overlapTokens: row.overlap_tokens },
    createdMs: row.created_ms,
    status: row.status,
    usageBytes: row.usage_bytes,
    lastError: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
  };
}
