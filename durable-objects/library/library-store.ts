import type { FilePurpose, IdPage, LibraryFile, StoredIn } from "../../src/shared/contracts/library.ts";
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import { timeOfId } from "../../src/shared/turn/response-id.ts";
import { LazyTables } from "../storage/lazy-tables.ts";
import { pageQuery } from "../storage/list-page.ts";
import { ownerRow } from "../storage/owner-row.ts";
import { BatchPlaces } from "./batch-places.ts";
import { BatchRows } from "./batch-rows.ts";
import { DutyStore } from "./duty-store.ts";
import { libraryMigrations } from "./library-tables.ts";
import { RollStore } from "../storage/roll-store.ts";
import { uploadLifeMs, UploadRows } from "./upload-rows.ts";

type FileRow = {
  id: string;
  created_ms: number;
  ready: number;
  stored_in: StoredIn;
  bytes: number;
  filename: string;
  purpose: FilePurpose;
  media_type: string;
  expires_ms: number | null;
};

/** One owner's files, and the list of its uploads, vector stores and batches: each change is written with the duties that follow from it. */
export class LibraryStore {
  /** Only where the tables are there. */
  readonly duties: DutyStore;
  readonly roll: RollStore;
  readonly batches: BatchRows;
  readonly uploads: UploadRows;
  readonly places: BatchPlaces;
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #tables: LazyTables;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.duties = new DutyStore(storage.sql);
    this.roll = new RollStore(storage.sql);
    this.batches = new BatchRows(storage.sql);
    this.uploads = new UploadRows(storage, { remove: (file, nowMs) => this.removeFile(file, nowMs) });
    this.places = new BatchPlaces(storage.sql);
    this.#tables = new LazyTables(storage, libraryMigrations);
  }

  /** Whether anything was ever written here. */
  get isOpen(): boolean {
    return this.#tables.areMade;
  }

  owner(): Owner | null {
    return this.#tables.areMade ? ownerRow(this.#sql) : null;
  }

  /** Only where the tables are there. */
  jurisdiction(): Jurisdiction {
    return this.#sql.exec<{ jurisdiction: Jurisdiction }>("SELECT jurisdiction FROM owner").one()
      .jurisdiction;
  }

  /** Before the first write. */
  open(owner: Owner, jurisdiction: string): void {
    this.#tables.make();
    this.#sql.exec("INSERT OR IGNORE INTO owner VALUES (1, ?, ?, ?)", owner.tenant, owner.user, jurisdiction);
  }

  /** What there is, and what is on its way. An upload in parts is one file, whatever there is of it; its parts count by their bytes. */
  standing(): { readonly files: number; readonly bytes: number } {
    return this.#sql
      .exec<{ files: number; bytes: number }>(
        `SELECT (SELECT count(*) FROM file WHERE id NOT IN (SELECT id FROM upload_part)
                 AND id NOT IN (SELECT file_id FROM upload WHERE state = 'pending' AND file_id IS NOT NULL))
              + (SELECT count(*) FROM upload WHERE state = 'pending') AS files,
           total(bytes) AS bytes FROM file`,
      )
      .one();
  }

  transaction(change: () => void): void {
    this.#storage.transactionSync(change);
  }

  beginUpload(id: string, reserveBytes: number, storedIn: StoredIn, nowMs: number): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO file VALUES (?, ?, 0, ?, ?, '', '', '', NULL)",
      id,
      nowMs,
      storedIn,
      reserveBytes,
    );
  }

  /** A file, ready or not. `null`: there is none. */
  row(id: string): FileRow | null {
    if (!this.#tables.areMade) return null;
    return this.#sql.exec<FileRow>("SELECT * FROM file WHERE id = ?", id).toArray()[0] ?? null;
  }

  finishUpload(file: Omit<LibraryFile, "createdMs" | "storedIn">): void {
    this.#sql.exec(
      `UPDATE file SET ready = 1, bytes = ?, filename = ?, purpose = ?, media_type = ?, expires_ms = ?
       WHERE id = ? AND ready = 0`,
      file.bytes,
      file.filename,
      file.purpose,
      file.mediaType,
      file.expiresMs,
      file.id,
    );
  }

  /** A file that is there, and whose time is not over. */
  file(id: string, nowMs: number): LibraryFile | null {
    const row = this.row(id);
    return row === null || row.ready === 0 || (row.expires_ms !== null && row.expires_ms <= nowMs)
      ? null
      : fileOf(row);
  }

  files(bounds: IdPage, purpose: FilePurpose | null, nowMs: number) {
    if (!this.#tables.areMade) return { rows: [], hasMore: false };
    const page = pageQuery("id", bounds);
    const { rows, hasMore } = page.finish(
      this.#sql
        .exec<FileRow>(
          `SELECT * FROM file WHERE ready = 1 AND (expires_ms IS NULL OR expires_ms > ?)
           AND purpose LIKE ? ${page.sql}`,
          nowMs,
          purpose ?? "%",
          ...page.values,
        )
        .toArray(),
    );
    return { rows: rows.map(fileOf), hasMore };
  }

  /** A file, or a part of one that is whole. */
  isReadable(id: string, nowMs: number): boolean {
    return this.file(id, nowMs) !== null || (this.#tables.areMade && this.uploads.isWholePart(id));
  }

  writePart(fileId: string, part: number, bytes: Uint8Array): void {
    this.#sql.exec("INSERT OR REPLACE INTO part VALUES (?, ?, ?)", fileId, part, exactly(bytes));
  }

  part(fileId: string, part: number): Uint8Array | null {
    if (!this.#tables.areMade) return null;
    const [row] = this.#sql
      .exec<{ bytes: ArrayBuffer }>("SELECT bytes FROM part WHERE file_id = ? AND part = ?", fileId, part)
      .toArray();
    return row === undefined ? null : new Uint8Array(row.bytes);
  }

  /** Deletes the file at once; its traces in other objects become duties. */
  removeFile({ id, stored_in: storedIn }: Pick<FileRow, "id" | "stored_in">, nowMs: number): void {
    this.#storage.transactionSync(() => {
      for (const { store_id: storeId } of this.#sql
        .exec<{ store_id: string }>("SELECT store_id FROM use WHERE file_id = ?", id)
        .toArray())
        this.duties.owe({ kind: "forget-file", fileId: id, storeId, message: "" }, nowMs);
      if (storedIn === "bucket")
        this.duties.owe({ kind: "erase-content", fileId: id, storeId: "", message: "" }, nowMs);
      for (const table of ["part", "use"]) this.#sql.exec(`DELETE FROM ${table} WHERE file_id = ?`, id);
      this.uploads.dropPart(id);
      this.#sql.exec("DELETE FROM file WHERE id = ?", id);
    });
  }

  /** Its row is gone, and its bytes came all the same. */
  oweContent(fileId: string, nowMs: number): void {
    this.duties.owe({ kind: "erase-content", fileId, storeId: "", message: "" }, nowMs);
  }

  /** Every file, every upload, every store and every batch that was made by then. What was on its way comes too late. */
  removeThrough(throughMs: number, nowMs: number): void {
    this.#storage.transactionSync(() => {
      for (const id of this.batches.ids()) if ((timeOfId(id) ?? 0) <= throughMs) this.batches.doom(id, nowMs);
      for (const { id } of this.#sql.exec<{ id: string }>("SELECT id FROM store").toArray())
        if ((timeOfId(id) ?? 0) <= throughMs) this.removeStore(id, nowMs);
      this.uploads.removeThrough(throughMs, nowMs);
      for (const row of this.#sql
        .exec<Pick<FileRow, "id" | "stored_in" | "created_ms">>("SELECT id, stored_in, created_ms FROM file")
        .toArray())
        if (row.created_ms <= throughMs) this.removeFile(row, nowMs);
    });
  }

  /** Any file, upload, store or batch. */
  holdsAny(): boolean {
    return this.#anyIn("file", "upload", "store") || this.batches.holdsAny();
  }

  /** No file, no upload, no store, no batch, and nothing owed. */
  isEmpty(): boolean {
    return !this.#anyIn("file", "upload", "store", "duty", "batch");
  }

  #anyIn(...tables: readonly string[]): boolean {
    const any = tables.map((table) => `EXISTS (SELECT 1 FROM ${table})`).join(" OR ");
    return this.#sql.exec<{ found: number }>(`SELECT ${any} AS found`).one().found === 1;
  }

  /** Expired files, and unfinished uploads. */
  overdue(nowMs: number, limit: number): FileRow[] {
    if (!this.#tables.areMade) return [];
    return this.#sql
      .exec<FileRow>(
        "SELECT * FROM file WHERE expires_ms <= ? OR (ready = 0 AND created_ms <= ?) LIMIT ?",
        nowMs,
        nowMs - uploadLifeMs,
        limit,
      )
      .toArray();
  }

  hasStore(id: string): boolean {
    return (
      this.#tables.areMade && this.#sql.exec("SELECT 1 FROM store WHERE id = ?", id).toArray().length > 0
    );
  }

  storeCount(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM store").one().n;
  }

  addStore(id: string, message: string, fileIds: readonly string[], nowMs: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("INSERT INTO store VALUES (?)", id);
      this.noteUse(id, fileIds);
      this.duties.owe({ kind: "make", fileId: "", storeId: id, message }, nowMs);
    });
  }

  noteUse(storeId: string, fileIds: readonly string[]): void {
    for (const fileId of fileIds) this.#sql.exec("INSERT OR IGNORE INTO use VALUES (?, ?)", fileId, storeId);
  }

  removeStore(id: string, nowMs: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("DELETE FROM store WHERE id = ?", id);
      this.#sql.exec("DELETE FROM use WHERE store_id = ?", id);
      this.duties.dropAllOf(id);
      this.duties.owe({ kind: "delete-store", fileId: "", storeId: id, message: "" }, nowMs);
    });
  }

  stores(bounds: IdPage) {
    if (!this.#tables.areMade) return { rows: [], hasMore: false };
    const page = pageQuery("id", bounds);
    const { rows, hasMore } = page.finish(
      this.#sql.exec<{ id: string }>(`SELECT id FROM store WHERE 1 ${page.sql}`, ...page.values).toArray(),
    );
    return { rows: rows.map(({ id }) => id), hasMore };
  }

  /** When there is something to do next; `null`: never. */
  nextMs(): number | null {
    if (!this.#tables.areMade) return null;
    const { at } = this.#sql
      .exec<{ at: number | null }>(
        `SELECT min(at) AS at FROM (
           SELECT min(due_ms) AS at FROM duty
           UNION ALL SELECT min(expires_ms) FROM file WHERE expires_ms IS NOT NULL
           UNION ALL SELECT min(created_ms) + ? FROM file WHERE ready = 0
           UNION ALL SELECT min(due_ms) FROM batch WHERE due_ms IS NOT NULL)`,
        uploadLifeMs,
      )
      .one();
    return at;
  }

  /** The object's storage was deleted: the next write makes the tables anew. */
  forgotten(): void {
    this.#tables.wereDeleted();
  }
}

function fileOf(row: FileRow): LibraryFile {
  return {
    id: row.id,
    filename: row.filename,
    purpose: row.purpose,
    mediaType: row.media_type,
    bytes: row.bytes,
    storedIn: row.stored_in,
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
  };
}

/** The bytes themselves, without what lies around them in memory. */
function exactly(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}
