import {
  mostUploadParts,
  type BeginUploadPart,
  type BeginUploadPartOutcome,
  type CancelUpload,
  type CancelUploadOutcome,
  type ClaimStandingOutcome,
  type ClaimUpload,
  type ClaimUploadOutcome,
  type CompleteUploadOutcome,
  type CreateUpload,
  type CreateUploadOutcome,
  type FinishUploadPart,
  type FinishUploadPartOutcome,
  type NameClaim,
  type UploadOver,
  type UploadPart,
  type UploadState,
  type UploadView,
} from "../../src/shared/contracts/parted-upload.ts";
import type { LibraryFailure } from "../../src/shared/contracts/library.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import type { LibraryRoll } from "./library-roll.ts";
import type { LibraryStore } from "./library-store.ts";
import { uploadLifeMs, type UploadRow } from "./upload-rows.ts";

/**
 * An owner's uploads in parts (docs/decisions/0110). What lies here is counted from its first byte on; which file an upload becomes is
 * settled in one transaction, whoever puts its parts together and however often. Every change answers a repetition as it answered first.
 */
export class PartedUploads {
  readonly #store: LibraryStore;
  readonly #roll: LibraryRoll;

  constructor(store: LibraryStore, roll: LibraryRoll) {
    this.#store = store;
    this.#roll = roll;
  }

  async create({
    owner,
    jurisdiction,
    uploadId,
    announced,
    limits,
  }: CreateUpload): Promise<CreateUploadOutcome> {
    const outside = await this.#roll.join(owner, jurisdiction);
    if (outside !== null) return outside;
    this.#store.open(owner, jurisdiction);
    const known = this.#store.uploads.row(uploadId);
    if (known !== null) return { result: "ok", upload: this.#view(known) };
    const { files, bytes } = this.#store.standing();
    if (files >= limits.maxFiles) return { result: "full", limit: "files", most: limits.maxFiles };
    if (bytes + announced.bytes > limits.maxTotalBytes)
      return { result: "full", limit: "bytes", most: limits.maxTotalBytes };
    this.#store.uploads.add(uploadId, announced, Date.now());
    return { result: "ok", upload: this.#viewOf(uploadId) };
  }

  beginPart(message: BeginUploadPart): BeginUploadPartOutcome {
    const { uploadId, partId, reserveBytes, storedIn, limits } = message;
    const pending = this.#pending(uploadId);
    if (!pending.ok) return pending.error;
    const { createdMs, announced } = pending.value;
    const { bytes: announcedBytes } = announced;
    const known = this.#store.row(partId);
    if (known !== null) return { result: "ok", roomBytes: known.bytes, announcedBytes };
    if (this.#store.uploads.partCount(uploadId) >= mostUploadParts)
      return { result: "full", limit: "parts", most: mostUploadParts };
    const left = limits.maxTotalBytes - this.#store.standing().bytes;
    if (left <= 0) return { result: "full", limit: "bytes", most: limits.maxTotalBytes };
    const roomBytes = Math.min(reserveBytes, left, announcedBytes);
    this.#store.transaction(() => {
      this.#store.beginUpload(partId, roomBytes, storedIn, createdMs);
      this.#store.uploads.addPart(partId, uploadId, Date.now());
    });
    return { result: "ok", roomBytes, announcedBytes };
  }

  finishPart({ partId, bytes }: FinishUploadPart): FinishUploadPartOutcome {
    const createdMs = this.#store.isOpen ? this.#store.uploads.finishPart(partId, bytes) : null;
    return createdMs === null ? { result: "unknown" } : { result: "ok", createdMs };
  }

  claim({ uploadId, fileId, storedIn, partIds, fingerprint }: ClaimUpload): ClaimUploadOutcome {
    const pending = this.#pending(uploadId);
    if (!pending.ok) {
      const done = this.#row(uploadId);
      return done?.state === "completed" && done.fingerprint === fingerprint
        ? { result: "completed", upload: this.#view(done) }
        : pending.error;
    }
    const { announced } = pending.value;
    const whole = this.#store.uploads.wholeParts(uploadId);
    const parts: UploadPart[] = [];
    let bytes = 0;
    for (const partId of partIds) {
      const part = whole.get(partId);
      if (part === undefined) return { result: "part-unknown", partId };
      parts.push(part);
      bytes += part.bytes;
    }
    if (bytes !== announced.bytes) return { result: "wrong-length", bytes, announcedBytes: announced.bytes };
    if (pending.value.fileId !== fileId)
      this.#store.transaction(() => {
        const nowMs = Date.now();
        this.#store.uploads.removeAttempt(uploadId, nowMs);
        // It takes no room: what it is made of lies here, and goes when it is whole.
        this.#store.beginUpload(fileId, 0, storedIn, nowMs);
        this.#store.uploads.claim(uploadId, fileId, fingerprint);
      });
    return { result: "ok", parts, announced };
  }

  /** Whoever puts it together for nothing stops at the next part. */
  standing({ uploadId, fileId }: NameClaim): ClaimStandingOutcome {
    const pending = this.#pending(uploadId);
    return pending.ok && pending.value.fileId === fileId ? { result: "ok" } : { result: "unknown" };
  }

  complete({ uploadId, fileId }: NameClaim): CompleteUploadOutcome {
    const pending = this.#pending(uploadId);
    if (!pending.ok) {
      const done = this.#row(uploadId);
      return done?.state === "completed" && done.fileId === fileId
        ? { result: "ok", upload: this.#view(done) }
        : pending.error;
    }
    const row = pending.value;
    const file = this.#store.row(fileId);
    if (row.fileId !== fileId || file === null) return { result: "unknown" };
    const { filename, purpose, mediaType, bytes, expiresAfterMs } = row.announced;
    const expiresMs = expiresAfterMs === null ? null : file.created_ms + expiresAfterMs;
    this.#store.transaction(() => {
      this.#store.finishUpload({ id: fileId, filename, purpose, mediaType, bytes, expiresMs });
      this.#store.uploads.end(row, "completed", Date.now());
    });
    return { result: "ok", upload: this.#viewOf(uploadId) };
  }

  cancel({ uploadId }: CancelUpload): CancelUploadOutcome {
    const row = this.#row(uploadId);
    if (row === null) return { result: "unknown" };
    const state = stateOf(row);
    if (state !== "pending" && state !== "cancelled") return { result: "over", state };
    if (state === "pending") this.#store.uploads.end(row, "cancelled", Date.now());
    return { result: "ok", upload: this.#viewOf(uploadId) };
  }

  #row(uploadId: string): UploadRow | null {
    return this.#store.isOpen ? this.#store.uploads.row(uploadId) : null;
  }

  #pending(uploadId: string): Result<UploadRow, UploadOver | LibraryFailure> {
    const row = this.#row(uploadId);
    if (row === null) return err({ result: "unknown" });
    const state = stateOf(row);
    return state === "pending" ? ok(row) : err({ result: "over", state });
  }

  #viewOf(uploadId: string): UploadView {
    const row = this.#row(uploadId);
    if (row === null) throw new Error("an upload that was just changed is there");
    return this.#view(row);
  }

  #view(row: UploadRow): UploadView {
    const state = stateOf(row);
    const { id, createdMs, announced, fileId } = row;
    const file = state === "completed" && fileId !== null ? this.#store.file(fileId, Date.now()) : null;
    return { ...announced, id, createdMs, expiresMs: createdMs + uploadLifeMs, state, file };
  }
}

/** The alarm, which notes that its time is over, may ring later. */
function stateOf({ state, createdMs }: UploadRow): UploadState {
  return state === "pending" && createdMs + uploadLifeMs <= Date.now() ? "expired" : state;
}
