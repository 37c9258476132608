import type {
  BeginUpload,
  BeginUploadOutcome,
  DropUpload,
  FileOutcome,
  FinishUpload,
  ListFiles,
  ListFilesOutcome,
  ReadPart,
  ReadPartOutcome,
  WritePart,
  WritePartOutcome,
} from "../../src/shared/contracts/library.ts";
import type { LibraryRoll } from "./library-roll.ts";
import type { LibraryStore } from "./library-store.ts";

/** An owner's files: how one comes in a single request, and how they are read, listed and deleted. */
export class LibraryFiles {
  readonly #store: LibraryStore;
  readonly #roll: LibraryRoll;

  constructor(store: LibraryStore, roll: LibraryRoll) {
    this.#store = store;
    this.#roll = roll;
  }

  async begin(message: BeginUpload): Promise<BeginUploadOutcome> {
    const { owner, jurisdiction, fileId, reserveBytes, storedIn, limits, ofBatch } = message;
    if (ofBatch !== undefined && !this.#hasBatch(ofBatch)) return { result: "unknown" };
    const outside = await this.#roll.join(owner, jurisdiction);
    if (outside !== null) return outside;
    this.#store.open(owner, jurisdiction);
    const known = this.#store.row(fileId);
    if (known !== null) return { result: "ok", roomBytes: known.bytes };
    const { files, bytes } = this.#store.standing();
    const { maxFiles, maxTotalBytes } = limits;
    if (files >= maxFiles) return { result: "full", limit: "files", most: maxFiles };
    if (bytes >= maxTotalBytes) return { result: "full", limit: "bytes", most: maxTotalBytes };
    const roomBytes = Math.min(reserveBytes, maxTotalBytes - bytes);
    this.#store.beginUpload(fileId, roomBytes, storedIn, Date.now());
    return { result: "ok", roomBytes };
  }

  write({ fileId, part, bytes }: WritePart): WritePartOutcome {
    const row = this.#store.row(fileId);
    // Given up meanwhile, or finished: its bytes stay as they are.
    if (row === null || row.ready === 1) return { result: "unknown" };
    this.#store.writePart(fileId, part, bytes);
    return { result: "ok" };
  }

  /** Whether there is such an upload, or such a file already. */
  finish(message: FinishUpload): boolean {
    const { fileId: id, filename, purpose, mediaType, bytes, expiresAfterMs } = message;
    const row = this.#store.row(id);
    if (row === null) return false;
    const expiresMs = expiresAfterMs === null ? null : row.created_ms + expiresAfterMs;
    this.#store.finishUpload({ id, filename, purpose, mediaType, bytes, expiresMs });
    return true;
  }

  /** One that never became a file, or a part. One that was given up, or erased, while its bytes came leaves none of them either. @returns whether it was one */
  drop({ owner, jurisdiction, fileId, storedIn }: DropUpload): boolean {
    const row = this.#store.row(fileId);
    if (row?.ready === 1 || (row === null && storedIn !== "bucket")) return false;
    this.#store.open(owner, jurisdiction);
    if (row === null) this.#store.oweContent(fileId, Date.now());
    else this.#store.removeFile(row, Date.now());
    return true;
  }

  get(id: string): FileOutcome {
    const file = this.#store.file(id, Date.now());
    return file === null ? { result: "unknown" } : { result: "ok", file };
  }

  list(message: ListFiles): ListFilesOutcome {
    const { rows, hasMore } = this.#store.files(message, message.purpose, Date.now());
    return { result: "ok", files: rows, hasMore };
  }

  readPart({ fileId, part }: ReadPart): ReadPartOutcome {
    return this.#store.isReadable(fileId, Date.now())
      ? { result: "ok", bytes: this.#store.part(fileId, part) }
      : { result: "unknown" };
  }

  /** @returns whether there was one */
  remove(id: string): boolean {
    const nowMs = Date.now();
    const row = this.#store.file(id, nowMs) === null ? null : this.#store.row(id);
    if (row !== null) this.#store.removeFile(row, nowMs);
    return row !== null;
  }

  #hasBatch(id: string): boolean {
    return this.#store.isOpen && (this.#store.batches.state(id) ?? "doomed") !== "doomed";
  }
}
