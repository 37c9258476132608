import { DurableObject } from "cloudflare:workers";
import {
  libraryVersion,
  type BatchOver,
  type BatchOverOutcome,
  type BeginUpload,
  type BeginUploadOutcome,
  type CreateOwnersBatch,
  type CreateOwnersBatchOutcome,
  type CreateStore,
  type CreateStoreOutcome,
  type DeleteFileOutcome,
  type DeleteStore,
  type DeleteStoreOutcome,
  type DropUpload,
  type EnrolLibrary,
  type EnrolLibraryOutcome,
  type EraseLibrary,
  type EraseLibraryOutcome,
  type FileOutcome,
  type FinishUpload,
  type LeaveLibrary,
  type LeaveLibraryOutcome,
  type LibraryFailure,
  type ListBatches,
  type ListBatchesOutcome,
  type ListFiles,
  type ListFilesOutcome,
  type ListStores,
  type ListStoresOutcome,
  type NameFile,
  type ReadPart,
  type ReadPartOutcome,
  type UseFiles,
  type UseFilesOutcome,
  type WritePart,
  type WritePartOutcome,
} from "../../src/shared/contracts/library.ts";
import { within } from "../../src/shared/isolate/within.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { longestWaitMs } from "../storage/in-time.ts";
import { wrongMessage } from "../storage/owned-message.ts";
import { LibraryBatches } from "./library-batches.ts";
import { LibraryDuties } from "./library-duties.ts";
import { LibraryRoll } from "./library-roll.ts";
import { LibraryStore } from "./library-store.ts";
import { VectorStores } from "./vector-stores.ts";

/**
 * One owner's files, and which vector stores and batches of requests they have. It is the source of truth about files: a file that is
 * deleted here is gone, and every object that holds a part of it is told until it holds nothing (library-duties.ts). Limits are enforced
 * here, where everything is counted.
 */
export class Library extends DurableObject {
  readonly #store: LibraryStore;
  readonly #roll: LibraryRoll;
  readonly #duties: LibraryDuties;
  readonly #vectorStores: VectorStores;
  readonly #batches: LibraryBatches;

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env);
    this.#store = new LibraryStore(context.storage);
    this.#roll = new LibraryRoll(env, this.#store);
    this.#batches = new LibraryBatches(env, this.#store);
    this.#duties = new LibraryDuties(context, env, this.#store, this.#roll, this.#batches);
    this.#vectorStores = new VectorStores(this.#store, this.#roll, this.#duties);
    if (this.#store.isOpen) void context.blockConcurrencyWhile(() => this.#duties.wake());
  }

  async beginUpload(message: BeginUpload): Promise<BeginUploadOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const { owner, jurisdiction, fileId, reserveBytes, storedIn, limits, ofBatch } = message;
    if (ofBatch !== undefined && !this.#hasBatch(ofBatch)) return { result: "unknown" };
    const outside = await this.#roll.join(owner, jurisdiction);
    if (outside !== null) return outside;
    this.#store.open(owner, jurisdiction);
    const known = this.#store.row(fileId);
    if (known !== null) return { result: "ok", roomBytes: known.bytes };
    const room = this.#store.room(limits);
    if (typeof room === "string")
      return {
        result: "full",
        limit: room,
        most: room === "files" ? limits.maxFiles : limits.maxTotalBytes,
      };
    const roomBytes = Math.min(reserveBytes, room);
    this.#store.beginUpload(fileId, roomBytes, storedIn, Date.now());
    await this.#duties.wakeInTime();
    return { result: "ok", roomBytes };
  }

  writePart(message: WritePart): WritePartOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const row = this.#store.row(message.fileId);
    // Given up meanwhile, or finished: its bytes stay as they are.
    if (row === null || row.ready === 1) return { result: "unknown" };
    this.#store.writePart(message.fileId, message.part, message.bytes);
    return { result: "ok" };
  }

  async finishUpload(message: FinishUpload): Promise<FileOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const row = this.#store.row(message.fileId);
    if (row === null) return { result: "unknown" };
    const { fileId: id, filename, purpose, mediaType, bytes, expiresAfterMs } = message;
    this.#store.finishUpload({
      id,
      filename,
      purpose,
      mediaType,
      bytes,
      expiresMs: expiresAfterMs === null ? null : row.created_ms + expiresAfterMs,
    });
    await this.#duties.wakeInTime();
    return this.#file(id);
  }

  /** An upload that never became a file. One that was given up, or erased, while its bytes came leaves none of them either. */
  async dropUpload(message: DropUpload): Promise<DeleteFileOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const { owner, jurisdiction, fileId, storedIn } = message;
    const row = this.#store.row(fileId);
    if (row?.ready === 1 || (row === null && storedIn !== "bucket")) return { result: "unknown" };
    this.#store.open(owner, jurisdiction);
    if (row === null) this.#store.oweContent(fileId, Date.now());
    else this.#store.removeFile(row, Date.now());
    await this.#carryOut();
    return { result: "deleted" };
  }

  getFile(message: NameFile): FileOutcome {
    return this.#failure(message) ?? this.#file(message.fileId);
  }

  listFiles(message: ListFiles): ListFilesOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const { rows, hasMore } = this.#store.files(message, message.purpose, Date.now());
    return { result: "ok", files: rows, hasMore };
  }

  readPart(message: ReadPart): ReadPartOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    return this.#store.file(message.fileId, Date.now()) === null
      ? { result: "unknown" }
      : { result: "ok", bytes: this.#store.part(message.fileId, message.part) };
  }

  /** Its bytes, and its text in every store, are gone with the answer, or soon after where somebody can't be reached. */
  async deleteFile(message: NameFile): Promise<DeleteFileOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const nowMs = Date.now();
    const row = this.#store.file(message.fileId, nowMs) === null ? null : this.#store.row(message.fileId);
    if (row === null) return { result: "unknown" };
    this.#store.removeFile(row, nowMs);
    await this.#carryOut();
    return { result: "deleted" };
  }

  async createStore(message: CreateStore): Promise<CreateStoreOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    return this.#vectorStores.create(message);
  }

  useFiles(message: UseFiles): UseFilesOutcome {
    return this.#failure(message) ?? this.#vectorStores.use(message);
  }

  listStores(message: ListStores): ListStoresOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const { rows, hasMore } = this.#store.stores(message);
    return { result: "ok", ids: rows, hasMore };
  }

  async deleteStore(message: DeleteStore): Promise<DeleteStoreOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (!this.#store.hasStore(message.storeId)) return { result: "unknown" };
    this.#store.removeStore(message.storeId, Date.now());
    await this.#carryOut();
    return { result: "deleted" };
  }

  async createBatch(message: CreateOwnersBatch): Promise<CreateOwnersBatchOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const { owner, jurisdiction } = message;
    const outside = await this.#roll.join(owner, jurisdiction);
    if (outside !== null) return outside;
    this.#store.open(owner, jurisdiction);
    const made = await this.#batches.create(message);
    await this.#duties.wakeInTime();
    return made;
  }

  listBatches(message: ListBatches): ListBatchesOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (!this.#store.isOpen) return { result: "ok", ids: [], hasMore: false };
    const { rows, hasMore } = this.#store.batches.page(message);
    return { result: "ok", ids: rows, hasMore };
  }

  async batchOver(message: BatchOver): Promise<BatchOverOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (!this.#store.isOpen) return { result: "noted" };
    this.#batches.over(message);
    await this.#duties.wakeInTime();
    return { result: "noted" };
  }

  /** Of a user, or of a whole tenant with all its users. So many as have not heard, here and at its users', when this ends. */
  async erase(message: EraseLibrary): Promise<EraseLibraryOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const { owner, jurisdiction } = message;
    this.#roll.forgetJoining();
    // A user's that never held anything still holds nothing.
    if (owner.user !== "" && !this.#store.isOpen) return { result: "erased", pending: 0 };
    this.#store.open(owner, jurisdiction);
    const isKept = this.#roll.erase(message, Date.now());
    await this.#carryOut();
    const pending = this.#duties.pending() + this.#roll.owedByMembers;
    return { result: "erased", pending, ...(isKept && { kept: true }) };
  }

  /** In a tenant's own. */
  enrol(message: EnrolLibrary): EnrolLibraryOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const untilMs = this.#roll.closedUntilMs(Date.now());
    if (untilMs !== null) return { result: "closed", untilMs };
    this.#store.open(message.owner, message.jurisdiction);
    this.#store.roll.enrol(message);
    return { result: "enrolled" };
  }

  /** In a tenant's own. */
  async leave(message: LeaveLibrary): Promise<LeaveLibraryOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (this.#store.isOpen) {
      this.#store.roll.strike(message);
      await this.#duties.wakeInTime();
    }
    return { result: "left" };
  }

  override async alarm(): Promise<void> {
    await this.#duties.run();
  }

  /** What is owed. What takes longer, of thousands of files or of somebody out of reach, goes on without whoever asked. */
  async #carryOut(): Promise<void> {
    await within(this.#duties.run(), longestWaitMs);
  }

  #hasBatch(id: string): boolean {
    return this.#store.isOpen && (this.#store.batches.state(id) ?? "doomed") !== "doomed";
  }

  #file(id: string): FileOutcome {
    const file = this.#store.file(id, Date.now());
    return file === null ? { result: "unknown" } : { result: "ok", file };
  }

  #failure(message: { readonly v: number; readonly owner: Owner }): LibraryFailure | null {
    return wrongMessage(message, libraryVersion, this.#store);
  }
}
