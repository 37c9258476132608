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
  type FindClaimedBatch,
  type FindClaimedBatchOutcome,
  type FinishUpload,
  type HoldPlaces,
  type HoldPlacesOutcome,
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
  type ReleasePlaces,
  type ReleasePlacesOutcome,
  type UseFiles,
  type UseFilesOutcome,
  type WritePart,
  type WritePartOutcome,
} from "../../src/shared/contracts/library.ts";
import type {
  BeginUploadPart,
  BeginUploadPartOutcome,
  CancelUpload,
  CancelUploadOutcome,
  ClaimStandingOutcome,
  ClaimUpload,
  ClaimUploadOutcome,
  CompleteUploadOutcome,
  CreateUpload,
  CreateUploadOutcome,
  FinishUploadPart,
  FinishUploadPartOutcome,
  NameClaim,
} from "../../src/shared/contracts/parted-upload.ts";
import { within } from "../../src/shared/isolate/within.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { longestWaitMs } from "../storage/in-time.ts";
import { wrongMessage } from "../storage/owned-message.ts";
import { LibraryFiles } from "./library-files.ts";
import { LibraryBatches } from "./library-batches.ts";
import { LibraryDuties } from "./library-duties.ts";
import { LibraryRoll } from "./library-roll.ts";
import { LibraryStore } from "./library-store.ts";
import { PartedUploads } from "./parted-uploads.ts";
import { VectorStores } from "./vector-stores.ts";

/**
 * One owner's files, and which uploads in parts, vector stores and batches of requests they have. It is the source of truth about files: a file that is
 * deleted here is gone, and every object that holds a part of it is told until it holds nothing (library-duties.ts). Limits are enforced
 * here, where everything is counted. The methods below check who asks and see to what a change leaves to do; the classes that they call have
 * the work, by subject.
 */
export class Library extends DurableObject {
  readonly #store: LibraryStore;
  readonly #roll: LibraryRoll;
  readonly #duties: LibraryDuties;
  readonly #vectorStores: VectorStores;
  readonly #batches: LibraryBatches;
  readonly #files: LibraryFiles;
  readonly #uploads: PartedUploads;

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env);
    this.#store = new LibraryStore(context.storage);
    this.#roll = new LibraryRoll(env, this.#store);
    this.#batches = new LibraryBatches(env, this.#store);
    this.#duties = new LibraryDuties(context, env, this.#store, this.#roll, this.#batches);
    this.#vectorStores = new VectorStores(this.#store, this.#roll, this.#duties);
    this.#files = new LibraryFiles(this.#store, this.#roll);
    this.#uploads = new PartedUploads(this.#store, this.#roll);
    if (this.#store.isOpen) void context.blockConcurrencyWhile(() => this.#duties.wake());
  }

  async beginUpload(message: BeginUpload): Promise<BeginUploadOutcome> {
    return this.#changed(message, () => this.#files.begin(message));
  }

  writePart(message: WritePart): WritePartOutcome {
    return this.#failure(message) ?? this.#files.write(message);
  }

  async finishUpload(message: FinishUpload): Promise<FileOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (!this.#files.finish(message)) return { result: "unknown" };
    await this.#duties.wakeInTime();
    return this.#files.get(message.fileId);
  }

  async dropUpload(message: DropUpload): Promise<DeleteFileOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (!this.#files.drop(message)) return { result: "unknown" };
    await this.#carryOut();
    return { result: "deleted" };
  }

  async createUpload(message: CreateUpload): Promise<CreateUploadOutcome> {
    return this.#changed(message, () => this.#uploads.create(message));
  }

  beginUploadPart(message: BeginUploadPart): BeginUploadPartOutcome {
    return this.#failure(message) ?? this.#uploads.beginPart(message);
  }

  finishUploadPart(message: FinishUploadPart): FinishUploadPartOutcome {
    return this.#failure(message) ?? this.#uploads.finishPart(message);
  }

  async claimUpload(message: ClaimUpload): Promise<ClaimUploadOutcome> {
    return this.#changed(message, () => this.#uploads.claim(message));
  }

  claimStanding(message: NameClaim): ClaimStandingOutcome {
    return this.#failure(message) ?? this.#uploads.standing(message);
  }

  async completeUpload(message: NameClaim): Promise<CompleteUploadOutcome> {
    // A file of many parts owes the bucket as many deletions: nobody waits for them.
    return this.#changed(message, () => this.#uploads.complete(message));
  }

  async cancelUpload(message: CancelUpload): Promise<CancelUploadOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const cancelled = this.#uploads.cancel(message);
    await this.#carryOut();
    return cancelled;
  }

  getFile(message: NameFile): FileOutcome {
    return this.#failure(message) ?? this.#files.get(message.fileId);
  }

  listFiles(message: ListFiles): ListFilesOutcome {
    return this.#failure(message) ?? this.#files.list(message);
  }

  readPart(message: ReadPart): ReadPartOutcome {
    return this.#failure(message) ?? this.#files.readPart(message);
  }

  /** Its bytes, and its text in every store, are gone with the answer, or soon after if an object can't be reached. */
  async deleteFile(message: NameFile): Promise<DeleteFileOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (!this.#files.remove(message.fileId)) return { result: "unknown" };
    await this.#carryOut();
    return { result: "deleted" };
  }

  async createStore(message: CreateStore): Promise<CreateStoreOutcome> {
    return this.#failure(message) ?? this.#vectorStores.create(message);
  }

  useFiles(message: UseFiles): UseFilesOutcome {
    return this.#failure(message) ?? this.#vectorStores.use(message);
  }

  listStores(message: ListStores): ListStoresOutcome {
    return this.#failure(message) ?? this.#vectorStores.list(message);
  }

  async deleteStore(message: DeleteStore): Promise<DeleteStoreOutcome> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (!this.#vectorStores.remove(message.storeId)) return { result: "unknown" };
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

  findClaimedBatch(message: FindClaimedBatch): FindClaimedBatchOutcome {
    return this.#failure(message) ?? this.#batches.claimed(message.claim);
  }

  /** In a tenant's own. */
  holdPlaces(message: HoldPlaces): HoldPlacesOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    this.#store.open(message.owner, message.jurisdiction);
    return this.#store.places.hold(message, Date.now());
  }

  /** In a tenant's own. */
  releasePlaces(message: ReleasePlaces): ReleasePlacesOutcome {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    if (this.#store.isOpen) this.#store.places.release(message.batchId);
    return { result: "released" };
  }

  listBatches(message: ListBatches): ListBatchesOutcome {
    return this.#failure(message) ?? this.#batches.list(message);
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

  /** Makes a change, after which the alarm is set for whatever is due later. */
  async #changed<Outcome>(
    message: Message,
    change: () => Outcome | Promise<Outcome>,
  ): Promise<Outcome | LibraryFailure> {
    const failure = this.#failure(message);
    if (failure !== null) return failure;
    const outcome = await change();
    await this.#duties.wakeInTime();
    return outcome;
  }

  /** What is owed. What takes longer, of thousands of files or of somebody out of reach, goes on without whoever asked. */
  async #carryOut(): Promise<void> {
    await within(this.#duties.run(), longestWaitMs);
  }

  #failure(message: Message): LibraryFailure | null {
    return wrongMessage(message, libraryVersion, this.#store);
  }
}

interface Message {
  readonly v: number;
  readonly owner: Owner;
}
