import type { FilePurpose, LibraryFailure, LibraryFile, LibraryLimits, LibraryMessage } from "./library.ts";
import type { NotEnrolled, StoredIn } from "./library.ts";

/**
 * Messages to a Library object about files that are uploaded in parts (`/v1/uploads`): announced, sent part by part, put together once. Its
 * parts count against the owner's limits from their first byte on, and all of an upload goes when it is over (docs/decisions/0110).
 */

/** OpenAI's 64 MB, as its clients cut them. The platform takes bodies of 100 MB at least (Free and Pro, as documented). */
export const mostPartBytes = 67_108_864;
/** Each part is two rows, and in the bucket an object. */
export const mostUploadParts = 1000;

/** What its client says of the file before any of it comes. */
export interface AnnouncedFile {
  readonly filename: string;
  readonly purpose: FilePurpose;
  readonly mediaType: string;
  readonly bytes: number;
  /** Of the file, from its making. */
  readonly expiresAfterMs: number | null;
}

/** `expired`: it was still pending an hour after its making. */
export type UploadState = "pending" | "completed" | "cancelled" | "expired";

export interface UploadView extends AnnouncedFile {
  readonly id: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly state: UploadState;
  /** Of a completed one, as long as it is there. */
  readonly file: LibraryFile | null;
}

/** It is no longer pending, so nothing can be added or changed. */
export interface UploadOver {
  readonly result: "over";
  readonly state: UploadState;
}

/** Refused where what is announced has no room now; no room is kept for it. Twice is once. */
export interface CreateUpload extends LibraryMessage {
  readonly uploadId: string;
  readonly announced: AnnouncedFile;
  readonly limits: LibraryLimits;
}
export type CreateUploadOutcome =
  | { readonly result: "ok"; readonly upload: UploadView }
  | { readonly result: "full"; readonly limit: "files" | "bytes"; readonly most: number }
  | NotEnrolled
  | LibraryFailure;

/** Sets room aside for a part whose bytes are on their way. Twice is once. */
export interface BeginUploadPart extends LibraryMessage {
  readonly uploadId: string;
  readonly partId: string;
  readonly reserveBytes: number;
  readonly storedIn: StoredIn;
  readonly limits: LibraryLimits;
}
export type BeginUploadPartOutcome =
  /** The part may have that many bytes; never more than the whole file was announced with. */
  | { readonly result: "ok"; readonly roomBytes: number; readonly announcedBytes: number }
  | { readonly result: "full"; readonly limit: "parts" | "bytes"; readonly most: number }
  | UploadOver
  | LibraryFailure;

/** All bytes of a part are there. Twice is once. */
export interface FinishUploadPart extends LibraryMessage {
  readonly partId: string;
  readonly bytes: number;
}
export type FinishUploadPartOutcome = { readonly result: "ok"; readonly createdMs: number } | LibraryFailure;

/** Whoever puts the parts together says so first, and into which file. Whoever says so later takes its place. Twice is once. */
export interface ClaimUpload extends LibraryMessage {
  readonly uploadId: string;
  readonly fileId: string;
  readonly storedIn: StoredIn;
  /** In the order of the file. None of them twice. */
  readonly partIds: readonly string[];
  /** A tag of what is asked for, which tells a repetition from another wish. */
  readonly fingerprint: string;
}
export type ClaimUploadOutcome =
  | { readonly result: "ok"; readonly parts: readonly UploadPart[]; readonly announced: AnnouncedFile }
  /** The same was asked for before. */
  | { readonly result: "completed"; readonly upload: UploadView }
  /** None of this upload's, or not whole. */
  | { readonly result: "part-unknown"; readonly partId: string }
  | { readonly result: "wrong-length"; readonly bytes: number; readonly announcedBytes: number }
  | UploadOver
  | LibraryFailure;

export interface UploadPart {
  readonly partId: string;
  readonly bytes: number;
  readonly storedIn: StoredIn;
}

/** Whether the file is still the one that the upload becomes. */
export interface NameClaim extends LibraryMessage {
  readonly uploadId: string;
  readonly fileId: string;
}
export type ClaimStandingOutcome = { readonly result: "ok" } | LibraryFailure;

/** `completeUpload`: the file is whole, and there; its parts go. Twice is once. `unknown`: not, or not any more, the file of that upload. */
export type CompleteUploadOutcome =
  | { readonly result: "ok"; readonly upload: UploadView }
  | UploadOver
  | LibraryFailure;

/** Its parts go. Twice is once. */
export interface CancelUpload extends LibraryMessage {
  readonly uploadId: string;
}
export type CancelUploadOutcome = CompleteUploadOutcome;
