import type { Attributes } from "../retrieval/passage.ts";
import type { BatchOpening, BatchView } from "./batch.ts";
import type { AttachedFile, StoreDefinition, StoreView } from "./knowledge-base.ts";
import type { Jurisdiction, Owner } from "./owner.ts";

/**
 * Messages to a Library object: which files and which vector stores does one owner have? One object an owner: a user, or a
 * whole tenant (its user is then empty). It is the truth about files; of a vector store it knows that it exists, and the store's own
 * object knows the rest (docs/decisions/0060).
 */
export const libraryVersion = 1;

export interface LibraryMessage {
  readonly v: typeof libraryVersion;
  readonly owner: Owner;
  readonly jurisdiction: Jurisdiction;
}

export type LibraryFailure =
  /** No such file or store, or another owner's. */
  { readonly result: "unknown" } | { readonly result: "version-unsupported"; readonly supported: number };

/** Where a file's bytes lie: as it was chosen when it was uploaded. */
export type StoredIn = "bucket" | "library";

/** What clients upload files for; `batch_output` is what batches make. */
export const uploadPurposes = ["assistants", "user_data", "batch"] as const;
export const filePurposes = [...uploadPurposes, "batch_output"] as const;
export type FilePurpose = (typeof filePurposes)[number];

export interface LibraryFile {
  readonly id: string;
  readonly filename: string;
  readonly purpose: FilePurpose;
  /** As the client said; may be empty. */
  readonly mediaType: string;
  readonly bytes: number;
  readonly storedIn: StoredIn;
  readonly createdMs: number;
  readonly expiresMs: number | null;
}

/** What one owner may have. */
export interface LibraryLimits {
  readonly maxFiles: number;
  readonly maxTotalBytes: number;
}

/** Sets room aside for a file whose bytes are on their way: as much as is asked for, or as there is left. Twice is once. */
export interface BeginUpload extends LibraryMessage {
  readonly fileId: string;
  /** The most that may come; more than the file has, where its sender did not say. */
  readonly reserveBytes: number;
  readonly storedIn: StoredIn;
  readonly limits: LibraryLimits;
  /** The batch that makes it: where that is no longer one of the owner's, nor is its file. Absent: a client sends it. */
  readonly ofBatch?: string;
}
export type BeginUploadOutcome =
  /** The file may have that many bytes. */
  | { readonly result: "ok"; readonly roomBytes: number }
  | { readonly result: "full"; readonly limit: "files" | "bytes"; readonly most: number }
  | NotEnrolled
  | LibraryFailure;

/** Bytes of a file that lies in the Library object itself, in parts of at most a mebibyte. The same part twice is once. */
export interface WritePart extends LibraryMessage {
  readonly fileId: string;
  readonly part: number;
  readonly bytes: Uint8Array;
}
export type WritePartOutcome = { readonly result: "ok" } | LibraryFailure;

/** All bytes are there: from now on it is a file. Twice is once. */
export interface FinishUpload extends LibraryMessage {
  readonly fileId: string;
  readonly filename: string;
  readonly purpose: FilePurpose;
  readonly mediaType: string;
  readonly bytes: number;
  readonly expiresAfterMs: number | null;
}
export type FileOutcome = { readonly result: "ok"; readonly file: LibraryFile } | LibraryFailure;

/** `get` and `deleteFile`. */
export interface NameFile extends LibraryMessage {
  readonly fileId: string;
}
/** Takes back an upload that never became a file. */
export interface DropUpload extends NameFile {
  /** Where its bytes may lie, also if it was given up meanwhile. Absent: what is given up needs no more. */
  readonly storedIn?: StoredIn;
}
export type DeleteFileOutcome = { readonly result: "deleted" } | LibraryFailure;

export interface ReadPart extends NameFile {
  readonly part: number;
}
export type ReadPartOutcome =
  /** `null`: behind the last. */
  { readonly result: "ok"; readonly bytes: Uint8Array | null } | LibraryFailure;

/** A page of a list whose ids grow with time, so that one goes on behind an id that is gone. */
export interface IdPage {
  readonly after: string | null;
  readonly before: string | null;
  readonly limit: number;
  readonly order: "asc" | "desc";
}

export interface ListFiles extends LibraryMessage, IdPage {
  readonly purpose: FilePurpose | null;
}
export type ListFilesOutcome =
  | { readonly result: "ok"; readonly files: readonly LibraryFile[]; readonly hasMore: boolean }
  | LibraryFailure;

/** A file as a request wants it in a store. */
export interface FileChoice {
  readonly fileId: string;
  readonly attributes: Attributes;
  readonly chunking: { readonly maxTokens: number; readonly overlapTokens: number };
}

/** Makes a vector store: notes it here, and sees to it that its own object has it. The same id twice is once. */
export interface CreateStore extends LibraryMessage {
  readonly storeId: string;
  readonly definition: StoreDefinition;
  readonly files: readonly FileChoice[];
  readonly maxStores: number;
  readonly maxPassages: number;
}
export type CreateStoreOutcome =
  | { readonly result: "ok"; readonly store: StoreView }
  /** Its object could not be reached: there is no such store. */
  | NotEnrolled
  | { readonly result: "full"; readonly most: number }
  | { readonly result: "file-unknown"; readonly fileId: string }
  | LibraryFailure;

/** Which files go into a store: from now on, deleting one of them takes it out there as well. */
export interface UseFiles extends LibraryMessage {
  readonly storeId: string;
  readonly files: readonly FileChoice[];
}
export type UseFilesOutcome =
  | { readonly result: "ok"; readonly files: readonly AttachedFile[] }
  | { readonly result: "file-unknown"; readonly fileId: string }
  | LibraryFailure;

export interface ListStores extends LibraryMessage, IdPage {}
export type ListStoresOutcome =
  | { readonly result: "ok"; readonly ids: readonly string[]; readonly hasMore: boolean }
  | LibraryFailure;

export interface DeleteStore extends LibraryMessage {
  readonly storeId: string;
}
export type DeleteStoreOutcome = { readonly result: "deleted" } | LibraryFailure;

/** Makes a batch of requests: notes it here, and sees to it that its own object has it. The same id twice is once. */
export interface CreateOwnersBatch extends LibraryMessage {
  readonly batchId: string;
  readonly createdMs: number;
  readonly opening: BatchOpening;
  /** Of batches that have not ended. */
  readonly maxOpen: number;
  /** Of those of all users of the tenant. Absent: older code asks, which knows no such bound. */
  readonly maxOpenTotal?: number;
  /** Absent: each call makes one. Older code takes it for absent. */
  readonly claim?: BatchClaim;
}

/** An `Idempotency-Key`, and the body that came with it: tags of them, of which neither can be read. */
export interface BatchClaim {
  readonly key: string;
  readonly fingerprint: string;
}
export type CreateOwnersBatchOutcome =
  /** Where it was claimed before: that one, as it is now. */
  | { readonly result: "ok"; readonly batch: BatchView }
  /** The claim's key came with another body before. */
  | { readonly result: "reused" }
  /** Its object could not be reached: there is no such batch. */
  | NotEnrolled
  /** `of`: whose batches are too many; absent: the user's. */
  | { readonly result: "full"; readonly most: number; readonly of?: "tenant" }
  | LibraryFailure;

/**
 * To a tenant's own: one of its users' batches has so many requests (0: nobody knows yet), and is to count among all that have not ended.
 * Again with the same id it is once, by what was said last.
 */
export interface HoldPlaces extends LibraryMessage {
  readonly batchId: string;
  readonly lines: number;
  /** Of all batches together; a bound that is absent does not matter. */
  readonly maxOpen?: number;
  readonly maxLines?: number;
  /** It counts no longer than this, should nobody say that it has ended. */
  readonly untilMs: number;
}
export type HoldPlacesOutcome =
  | { readonly result: "held" }
  | { readonly result: "full"; readonly most: number }
  | LibraryFailure;

/** It has ended, or never was. */
export interface ReleasePlaces extends LibraryMessage {
  readonly batchId: string;
}
export type ReleasePlacesOutcome = { readonly result: "released" } | LibraryFailure;

/** Which batch did this claim make? */
export interface FindClaimedBatch extends LibraryMessage {
  readonly claim: BatchClaim;
}
export type FindClaimedBatchOutcome =
  | { readonly result: "ok"; readonly batchId: string }
  /** The claim's key came with another body. */
  | { readonly result: "reused" }
  | LibraryFailure;

export interface ListBatches extends LibraryMessage, IdPage {}
export type ListBatchesOutcome = ListStoresOutcome;

/** From a batch: it has ended, and counts no more; or its time is over, and it is listed no more. Twice is once. */
export interface BatchOver extends LibraryMessage {
  readonly batchId: string;
  readonly what: "ended" | "gone";
}
export type BatchOverOutcome = { readonly result: "noted" } | LibraryFailure;

/** Somebody else that must be asked first could not be, or takes nothing new: nothing was made. */
export interface NotEnrolled {
  readonly result: "unreachable";
  readonly detail: string;
  /** All of the tenant is being erased, and takes nothing new until then; 0: it does not say when. Absent: it is not. Older code does not read it. */
  readonly closedUntilMs?: number;
}

/** To a tenant's own: this user has a Library now. Before anything lies in it, so that no erasure of the tenant passes it over. */
export interface EnrolLibrary extends LibraryMessage {
  readonly user: string;
  /** Random, of this enrolment. */
  readonly enrolment: string;
}
export type EnrolLibraryOutcome =
  | { readonly result: "enrolled" }
  /** The tenant is being deleted, or was a moment ago. `untilMs`: absent of an older version. */
  | { readonly result: "closed"; readonly untilMs?: number }
  | LibraryFailure;

/** To a tenant's own: the user's is empty and forgets itself. Of an enrolment that is not the user's last one, nothing. */
export type LeaveLibrary = EnrolLibrary;
export type LeaveLibraryOutcome = { readonly result: "left" } | LibraryFailure;

/** Erases every file and every store of the owner; of a tenant, its users' as well. Twice is once. */
export interface EraseLibrary extends LibraryMessage {
  /** Of a tenant's own: until then nobody of it makes anything new; 0: they may. */
  readonly closedUntilMs: number;
  /** Of a user's, whose turn may come minutes behind its tenant's: what was made later stays. Absent: all goes. */
  readonly throughMs?: number;
}
export type EraseLibraryOutcome =
  /** What is gone with the answer can't be found any more; so many stores, files' bytes and users' Libraries are still to be told. */
  | {
      readonly result: "erased";
      readonly pending: number;
      /** Something that was made later stays, and its owner on the roll. Absent: nothing does. */
      readonly kept?: true;
    }
  | LibraryFailure;

/** Different for every tenant and user, as a bucket's name is: a tenant's id holds no `/`, and the user comes last. */
export function libraryName({ tenant, user }: Owner): string {
  return `${tenant}/library/${JSON.stringify(user)}`;
}
