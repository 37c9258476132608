import type {
  FilePurpose,
  IdPage,
  LibraryFile,
  LibraryLimits,
  StoredIn,
} from "../../src/shared/contracts/library.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { pageQuery } from "../storage/list-page.ts";
import { LazyTables } from "../storage/lazy-tables.ts";
import { ownerRow } from "../storage/owner-row.ts";

/**
 * The tables of one owner's files and vector stores (docs/storage.md). Ids begin with the time of their making, so a list in the order of ids
 * is one in the order of time, and a page goes on behind an id that is gone.
 */
const migrations = [
  `CREATE TABLE owner (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     tenant TEXT NOT NULL, user TEXT NOT NULL, jurisdiction TEXT NOT NULL);
   CREATE TABLE file (
     id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, ready INTEGER NOT NULL, stored_in TEXT NOT NULL,
     bytes INTEGER NOT NULL, filename TEXT NOT NULL, purpose TEXT NOT NULL, media_type TEXT NOT NULL,
     expires_ms INTEGER) WITHOUT ROWID;
   CREATE INDEX file_by_expiry ON file (expires_ms) WHERE expires_ms IS NOT NULL;
   CREATE TABLE part (
     file_id TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (file_id, part));
   CREATE TABLE store (id TEXT PRIMARY KEY) WITHOUT ROWID;
   CREATE TABLE use (file_id TEXT NOT NULL, store_id TEXT NOT NULL, PRIMARY KEY (file_id, store_id)) WITHOUT ROWID;
   CREATE INDEX use_by_store ON use (store_id);
   CREATE TABLE duty (
     id TEXT PRIMARY KEY, kind TEXT NOT NULL, file_id TEXT NOT NULL, store_id TEXT NOT NULL, message TEXT NOT NULL,
     attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX duty_by_time ON duty (due_ms);`,
];

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

/** What is owed to others until they have it. `make`: a store's object is told what it is. */
export interface Duty {
  readonly id: string;
  readonly kind: "make" | "delete-store" | "forget-file" | "erase-content";
  readonly fileId: string;
  readonly storeId: string;
  /** JSON; only of `make`. */
  readonly message: string;
  readonly attempts: number;
}

/** An upload that nobody finished within this is given up. Longer than any request may run. */
export const uploadMs = 3_600_000;

export class LibraryStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #tables: LazyTables;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#tables = new LazyTables(storage, migrations);
  }

  owner(): Owner | null {
    return this.#tables.areMade ? ownerRow(this.#sql) : null;
  }

  /** Before the first write. */
  open(owner: Owner, jurisdiction: string): void {
    this.#tables.make();
    this.#sql.exec("INSERT OR IGNORE INTO owner VALUES (1, ?, ?, ?)", owner.tenant, owner.user, jurisdiction);
  }

  /** How many bytes a new file may have; or which limit is reached. */
  room({ maxFiles, maxTotalBytes }: LibraryLimits): number | "files" | "bytes" {
    const { files, bytes } = this.#sql
      .exec<{ files: number; bytes: number }>("SELECT count(*) AS files, total(bytes) AS bytes FROM file")
      .one();
    if (files >= maxFiles) return "files";
    return bytes < maxTotalBytes ? maxTotalBytes - bytes : "bytes";
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

  /** Ready or not. `null`: there is none. */
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

  /** The file goes at once; what others hold of it is owed. */
  removeFile({ id, stored_in: storedIn }: Pick<FileRow, "id" | "stored_in">, nowMs: number): void {
    this.#storage.transactionSync(() => {
      for (const { store_id: storeId } of this.#sql
        .exec<{ store_id: string }>("SELECT store_id FROM use WHERE file_id = ?", id)
        .toArray())
        this.#owe({ kind: "forget-file", fileId: id, storeId, message: "" }, nowMs);
      if (storedIn === "bucket")
        this.#owe({ kind: "erase-content", fileId: id, storeId: "", message: "" }, nowMs);
      for (const table of ["part", "use"]) this.#sql.exec(`DELETE FROM ${table} WHERE file_id = ?`, id);
      this.#sql.exec("DELETE FROM file WHERE id = ?", id);
    });
  }

  /** Files whose time is over, and uploads that nobody finished. */
  overdue(nowMs: number, limit: number): FileRow[] {
    if (!this.#tables.areMade) return [];
    return this.#sql
      .exec<FileRow>(
        "SELECT * FROM file WHERE expires_ms <= ? OR (ready = 0 AND created_ms <= ?) LIMIT ?",
        nowMs,
        nowMs - uploadMs,
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
      this.#owe({ kind: "make", fileId: "", storeId: id, message }, nowMs);
    });
  }

  noteUse(storeId: string, fileIds: readonly string[]): void {
    for (const fileId of fileIds) this.#sql.exec("INSERT OR IGNORE INTO use VALUES (?, ?)", fileId, storeId);
  }

  removeStore(id: string, nowMs: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("DELETE FROM store WHERE id = ?", id);
      this.#sql.exec("DELETE FROM use WHERE store_id = ?", id);
      // What was owed to a store that goes need not reach it, but that it goes.
      this.#sql.exec("DELETE FROM duty WHERE store_id = ?", id);
      this.#owe({ kind: "delete-store", fileId: "", storeId: id, message: "" }, nowMs);
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

  dueDuties(nowMs: number, limit: number): Duty[] {
    if (!this.#tables.areMade) return [];
    return this.#duties("due_ms <= ? ORDER BY due_ms LIMIT ?", nowMs, limit);
  }

  duty(id: string): Duty | null {
    return this.#duties("id = ?", id)[0] ?? null;
  }

  /** Done, if it is still the one that was read. */
  doneDuty({ id, attempts }: Duty): void {
    this.#sql.exec("DELETE FROM duty WHERE id = ? AND attempts = ?", id, attempts);
  }

  putOff({ id, attempts }: Duty, dueMs: number): void {
    this.#sql.exec(
      "UPDATE duty SET attempts = attempts + 1, due_ms = ? WHERE id = ? AND attempts = ?",
      dueMs,
      id,
      attempts,
    );
  }

  /** When there is something to do next; `null`: never. */
  nextMs(): number | null {
    if (!this.#tables.areMade) return null;
    const { at } = this.#sql
      .exec<{ at: number | null }>(
        `SELECT min(at) AS at FROM (
           SELECT min(due_ms) AS at FROM duty
           UNION ALL SELECT min(expires_ms) FROM file WHERE expires_ms IS NOT NULL
           UNION ALL SELECT min(created_ms) + ? FROM file WHERE ready = 0)`,
        uploadMs,
      )
      .one();
    return at;
  }

  #owe(duty: Omit<Duty, "id" | "attempts">, nowMs: number): void {
    const { kind, fileId, storeId, message } = duty;
    this.#sql.exec(
      "INSERT OR REPLACE INTO duty VALUES (?, ?, ?, ?, ?, 0, ?)",
      dutyId(kind, fileId, storeId),
      kind,
      fileId,
      storeId,
      message,
      nowMs,
    );
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
      }>(`SELECT id, kind, file_id, store_id, message, attempts FROM duty WHERE ${where}`, ...values)
      .toArray()
      .map(({ file_id: fileId, store_id: storeId, ...rest }) => ({ ...rest, fileId, storeId }));
  }
}

export function dutyId(kind: Duty["kind"], fileId: string, storeId: string): string {
  return `${kind}/${storeId}/${fileId}`;
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
