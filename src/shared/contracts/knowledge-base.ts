import type { Attributes } from "../retrieval/passage.ts";
import type { FoundPassages, PassageSearch } from "../retrieval/ports.ts";
import type { FilePurpose, StoredIn } from "./library.ts";
import type { Jurisdiction, Owner } from "./owner.ts";
import type { Refusal } from "./refusal.ts";

/**
 * Messages to a KnowledgeBase object: one vector store, its files, and what can be found in them. One object a store, named by its
 * id. Files become findable one after another, by the object's alarm.
 */
export const knowledgeBaseVersion = 1;

interface Message {
  readonly v: typeof knowledgeBaseVersion;
  readonly owner: Owner;
}

export type KnowledgeFailure =
  /** No such store (or file, or batch, in it), or another owner's. */
  { readonly result: "unknown" } | { readonly result: "version-unsupported"; readonly supported: number };

export interface StoreDefinition {
  readonly name: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Days without use after which it expires; `null`: never. */
  readonly expiresAfterDays: number | null;
}

export const fileStatuses = ["in_progress", "completed", "failed", "cancelled"] as const;
export type FileStatus = (typeof fileStatuses)[number];
export type FileCounts = Readonly<Record<FileStatus, number>>;

export interface StoreView extends StoreDefinition {
  readonly id: string;
  readonly createdMs: number;
  readonly lastActiveMs: number;
  readonly expiredMs: number | null;
  /** Of what can be found: UTF-8 bytes of the passages, and their vectors. */
  readonly usageBytes: number;
  readonly counts: FileCounts;
}

/** A file on its way into a store: what the Library knows of it, and how it is wanted. */
export interface AttachedFile {
  readonly fileId: string;
  readonly filename: string;
  readonly purpose: FilePurpose;
  readonly mediaType: string;
  readonly bytes: number;
  readonly storedIn: StoredIn;
  readonly attributes: Attributes;
  readonly chunking: { readonly maxTokens: number; readonly overlapTokens: number };
}

export type FileErrorCode = "unsupported_file" | "invalid_file" | "server_error";

export interface StoreFileView extends AttachedFile {
  readonly createdMs: number;
  readonly status: FileStatus;
  readonly usageBytes: number;
  readonly lastError: { readonly code: FileErrorCode; readonly message: string } | null;
}

export interface BatchView {
  readonly id: string;
  readonly createdMs: number;
  readonly cancelledMs: number | null;
  readonly counts: FileCounts;
}

/** From the Library alone. The same id twice is once; a store that was deleted does not come to life again. */
export interface CreateStoreObject extends Message {
  readonly jurisdiction: Jurisdiction;
  readonly id: string;
  readonly createdMs: number;
  readonly definition: StoreDefinition;
  readonly files: readonly AttachedFile[];
  readonly maxPassages: number;
}
export type StoreOutcome = { readonly result: "ok"; readonly store: StoreView } | KnowledgeFailure;

export interface DescribeStore extends Message {}

/** Absent: as it is. */
export interface UpdateStore extends Message {
  readonly name?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly expiresAfterDays?: number | null;
}
/** An expired store stays as it is. */
export type UpdateStoreOutcome = StoreOutcome | { readonly result: "expired" };

export type DeleteStoreObjectOutcome = { readonly result: "deleted" } | KnowledgeFailure;

/** A file that is there already takes the attributes and is processed again where it failed, is wanted otherwise, or another embedder made its vectors. */
export interface AttachFiles extends Message {
  readonly files: readonly AttachedFile[];
  /** `null`: a file alone. The same batch twice is once. */
  readonly batchId: string | null;
  readonly maxPassages: number;
}
export type AttachFilesOutcome =
  | {
      readonly result: "ok";
      readonly files: readonly StoreFileView[];
      readonly batch: BatchView | null;
    }
  | { readonly result: "expired" }
  /** It was deleted meanwhile. */
  | { readonly result: "file-unknown"; readonly fileId: string }
  | KnowledgeFailure;

export interface NameStoreFile extends Message {
  readonly fileId: string;
}
export type StoreFileOutcome = { readonly result: "ok"; readonly file: StoreFileView } | KnowledgeFailure;

export interface UpdateStoreFile extends NameStoreFile {
  readonly attributes: Attributes;
}

/** `detachFile`: it may come again. `forgetFile`, from the Library alone: the file itself is deleted, and never comes again. */
export type DetachFileOutcome = { readonly result: "deleted" } | KnowledgeFailure;

export interface ListStoreFiles extends Message {
  readonly after: string | null;
  readonly before: string | null;
  readonly limit: number;
  readonly order: "asc" | "desc";
  readonly status: FileStatus | null;
  readonly batchId: string | null;
}
export type ListStoreFilesOutcome =
  | { readonly result: "ok"; readonly files: readonly StoreFileView[]; readonly hasMore: boolean }
  /** `after` or `before` names no file that is, or lately was, in this store. */
  | { readonly result: "cursor-unknown"; readonly cursor: "after" | "before" }
  | KnowledgeFailure;

export interface NameBatch extends Message {
  readonly batchId: string;
}
export type BatchOutcome = { readonly result: "ok"; readonly batch: BatchView } | KnowledgeFailure;

export interface SearchStore extends Message {
  readonly search: PassageSearch;
}
export type SearchStoreOutcome =
  | ({ readonly result: "ok" } & FoundPassages)
  | { readonly result: "expired" }
  /** An embedder that can't be reached, for example. */
  | { readonly result: "refused"; readonly refusal: Refusal }
  | KnowledgeFailure;
