/**
 * Which uploads in parts does one owner have? Their tables are two of library-tables.ts's. A part is a row of `file` as well, one that is
 * not ready and as old as its upload: so its bytes count like any other's, and the version before, which knows no parts, gives it up after
 * an hour and erases it with its owner.
 */
import type { FilePurpose, StoredIn } from "../../src/shared/contracts/library.ts";
import type { AnnouncedFile, UploadPart, UploadState } from "../../src/shared/contracts/parted-upload.ts";

export interface UploadRow {
  readonly id: string;
  readonly createdMs: number;
  /** As it is noted: whether a pending one's time is over, the clock says. */
  readonly state: UploadState;
  readonly announced: AnnouncedFile;
  /** The file that it becomes, or is to become by whoever puts it together last. */
  readonly fileId: string | null;
  readonly fingerprint: string | null;
}

interface PartRow extends UploadPart {
  readonly whole: boolean;
}

/** What goes with an upload that is over, and how. */
interface Remover {
  remove(file: { readonly id: string; readonly stored_in: StoredIn }, nowMs: number): void;
}

/** OpenAI's hour. */
export const uploadLifeMs = 3_600_000;
/** So long after its making an upload that is over is known: what it is told again says the same. */
const rememberedMs = 86_400_000;
/** Whoever announces and cancels again and again is told the same of the latest alone. */
const mostRemembered = 1000;

/** Only where the tables are there. */
export class UploadRows {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #files: Remover;

  constructor(storage: DurableObjectStorage, files: Remover) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#files = files;
  }

  /** `null`: there is none. */
  row(id: string): UploadRow | null {
    const [row] = this.#sql
      .exec<{
        id: string;
        created_ms: number;
        state: UploadState;
        filename: string;
        purpose: FilePurpose;
        media_type: string;
        bytes: number;
        expires_after_ms: number | null;
        file_id: string | null;
        fingerprint: string | null;
      }>("SELECT * FROM upload WHERE id = ?", id)
      .toArray();
    if (row === undefined) return null;
    const { filename, purpose, media_type: mediaType, bytes, expires_after_ms: expiresAfterMs } = row;
    return {
      id: row.id,
      createdMs: row.created_ms,
      state: row.state,
      announced: { filename, purpose, mediaType, bytes, expiresAfterMs },
      fileId: row.file_id,
      fingerprint: row.fingerprint,
    };
  }

  add(
    id: string,
    { filename, purpose, mediaType, bytes, expiresAfterMs }: AnnouncedFile,
    nowMs: number,
  ): void {
    this.#sql.exec(
      `DELETE FROM upload WHERE state <> 'pending' AND created_ms <=
         (SELECT created_ms FROM upload ORDER BY created_ms DESC LIMIT 1 OFFSET ?)`,
      mostRemembered,
    );
    this.#sql.exec(
      "INSERT INTO upload VALUES (?, ?, 'pending', ?, ?, ?, ?, ?, NULL, NULL)",
      id,
      nowMs,
      filename,
      purpose,
      mediaType,
      bytes,
      expiresAfterMs,
    );
  }

  /** Beside its row of `file`. */
  addPart(partId: string, uploadId: string, nowMs: number): void {
    this.#sql.exec("INSERT OR IGNORE INTO upload_part VALUES (?, ?, ?, 0)", partId, uploadId, nowMs);
  }

  partCount(uploadId: string): number {
    return this.#sql
      .exec<{ n: number }>("SELECT count(*) AS n FROM upload_part WHERE upload_id = ?", uploadId)
      .one().n;
  }

  /** All bytes of it are there. @returns when it was begun; `null`: there is no such part */
  finishPart(partId: string, bytes: number): number | null {
    const [part] = this.#sql
      .exec<{ created_ms: number; whole: number }>(
        `SELECT upload_part.created_ms, whole FROM upload_part JOIN file ON file.id = upload_part.id
         WHERE upload_part.id = ?`,
        partId,
      )
      .toArray();
    if (part === undefined) return null;
    if (part.whole === 0)
      this.#storage.transactionSync(() => {
        this.#sql.exec("UPDATE file SET bytes = ? WHERE id = ? AND ready = 0", bytes, partId);
        this.#sql.exec("UPDATE upload_part SET whole = 1 WHERE id = ?", partId);
      });
    return part.created_ms;
  }

  isWholePart(partId: string): boolean {
    return (
      this.#sql.exec("SELECT 1 FROM upload_part WHERE id = ? AND whole = 1", partId).toArray().length > 0
    );
  }

  /** The whole ones by their ids. */
  wholeParts(uploadId: string): ReadonlyMap<string, UploadPart> {
    return new Map(
      this.#parts(uploadId)
        .filter(({ whole }) => whole)
        .map(({ partId, bytes, storedIn }) => [partId, { partId, bytes, storedIn }]),
    );
  }

  dropPart(partId: string): void {
    this.#sql.exec("DELETE FROM upload_part WHERE id = ?", partId);
  }

  claim(id: string, fileId: string, fingerprint: string): void {
    this.#sql.exec("UPDATE upload SET file_id = ?, fingerprint = ? WHERE id = ?", fileId, fingerprint, id);
  }

  /** Its parts go, and, but for a completed one's, what was put together of them. */
  end({ id }: Pick<UploadRow, "id">, state: Exclude<UploadState, "pending">, nowMs: number): void {
    this.#storage.transactionSync(() => {
      for (const { partId, storedIn } of this.#parts(id))
        this.#files.remove({ id: partId, stored_in: storedIn }, nowMs);
      this.#sql.exec("DELETE FROM upload_part WHERE upload_id = ?", id);
      if (state !== "completed") this.removeAttempt(id, nowMs);
      this.#sql.exec("UPDATE upload SET state = ? WHERE id = ?", state, id);
    });
  }

  /** What was put together of it, where that did not become its file. */
  removeAttempt(id: string, nowMs: number): void {
    for (const attempt of this.#sql
      .exec<{ id: string; stored_in: StoredIn }>(
        `SELECT file.id, stored_in FROM file JOIN upload ON file.id = file_id
         WHERE upload.id = ? AND ready = 0`,
        id,
      )
      .toArray())
      this.#files.remove(attempt, nowMs);
  }

  /** Those whose hour is over go; those that are over are forgotten when a day is. */
  expire(nowMs: number): void {
    for (const id of this.#idsOf("state = 'pending' AND created_ms <= ?", nowMs - uploadLifeMs))
      this.end({ id }, "expired", nowMs);
    this.#sql.exec("DELETE FROM upload WHERE created_ms <= ?", nowMs - rememberedMs);
  }

  /** Of every upload that was made by then nothing stays but the file that it became. */
  removeThrough(throughMs: number, nowMs: number): void {
    for (const id of this.#idsOf("created_ms <= ?", throughMs)) {
      if (this.row(id)?.state === "pending") this.end({ id }, "cancelled", nowMs);
      this.#sql.exec("DELETE FROM upload WHERE id = ?", id);
    }
  }

  /** When one is over, or to be forgotten; `null`: never. */
  nextMs(): number | null {
    return this.#sql
      .exec<{ at: number | null }>(
        `SELECT min(CASE state WHEN 'pending' THEN created_ms + ? ELSE created_ms + ? END) AS at FROM upload`,
        uploadLifeMs,
        rememberedMs,
      )
      .one().at;
  }

  #idsOf(where: string, value: number): string[] {
    return this.#sql
      .exec<{ id: string }>(`SELECT id FROM upload WHERE ${where}`, value)
      .toArray()
      .map(({ id }) => id);
  }

  #parts(uploadId: string): PartRow[] {
    return this.#sql
      .exec<{ id: string; bytes: number; stored_in: StoredIn; whole: number }>(
        `SELECT upload_part.id, bytes, stored_in, whole FROM upload_part JOIN file ON file.id = upload_part.id
         WHERE upload_id = ?`,
        uploadId,
      )
      .toArray()
      .map(({ id, bytes, stored_in, whole }) => ({
        partId: id,
        bytes,
        storedIn: stored_in,
        whole: whole === 1,
      }));
  }
}
