/**
 * Messages to a SemanticIndex object: which answered questions are near this one? One object a user, and one a tenant whose answers are
 * shared, which also knows the others, so that a tenant can be erased (docs/storage.md).
 */
export const semanticIndexVersion = 1;

/** `user: null`: the tenant's own. */
export interface IndexOwner {
  readonly tenant: string;
  readonly user: string | null;
}

interface Message {
  readonly v: typeof semanticIndexVersion;
  readonly owner: IndexOwner;
}

/** To an object that may come to hold something by it, and must then know where the tenant's others are. */
interface WritingMessage extends Message {
  readonly jurisdiction: "none" | "eu";
}

export interface FindNearest extends Message {
  readonly scope: string;
  /** A signed byte a dimension, and what 1 stands for (src/shared/cache/semantic/vector-bytes.ts). */
  readonly vector: Uint8Array;
  readonly scale: number;
  readonly atLeast: number;
  /** 1 to 16. */
  readonly limit: number;
}
export type FindNearestOutcome =
  | {
      readonly result: "ok";
      /** Nearest first. */
      readonly entries: readonly {
        readonly answerKey: string;
        readonly score: number;
        readonly features: string;
      }[];
    }
  | IndexFailure;

/** Idempotent by scope and answer key. */
export interface KeepEntry extends WritingMessage {
  readonly scope: string;
  readonly answerKey: string;
  readonly vector: Uint8Array;
  readonly scale: number;
  readonly features: string;
  readonly askedMs: number;
  readonly askedBy: string;
  readonly expiresMs: number;
  readonly maxEntries: number;
}
export type KeepOutcome =
  | { readonly result: "kept" }
  /** Questions that were asked before an erasure are not stored after it. */
  | { readonly result: "erased" }
  /** Over a bound of entry-store.ts: only possible by a mistake of ours. */
  | { readonly result: "too-large" }
  /** The tenant's object could not be told of this one, and could not erase it without knowing it. */
  | { readonly result: "not-enrolled" }
  | IndexFailure;

/** Erases everything, or (in a tenant's own) one user's questions; also those that are still on their way. Idempotent. */
export interface EraseEntries extends WritingMessage {
  readonly askedBy: string | null;
  /** Questions that were asked up to then are not stored either, whenever they come. At most an hour ahead. */
  readonly throughMs: number;
}
export type EraseOutcome = { readonly result: "erased" } | IndexFailure;

/** To a tenant's own: everything of all its users. */
export interface EraseTenant extends WritingMessage {
  readonly throughMs: number;
}
export type EraseTenantOutcome =
  /** `pending`: users' objects that have not confirmed yet; the alarm asks them again. */
  { readonly result: "erased"; readonly pending: number } | IndexFailure;

/** A user's object to the tenant's: I am about to hold something. */
export interface EnrolIndex extends WritingMessage {
  readonly user: string;
  /** Of this time of being enrolled: a late `leave` of the one before changes nothing. */
  readonly enrolment: string;
  readonly askedMs: number;
}
export type EnrolOutcome = { readonly result: "enrolled" } | { readonly result: "erased" } | IndexFailure;

/** I hold nothing any more. Idempotent. */
export interface LeaveIndex extends Message {
  readonly user: string;
  readonly enrolment: string;
}
export type LeaveOutcome = { readonly result: "left" } | IndexFailure;

export type IndexFailure =
  /** Another owner's: only possible by a mistake of ours. */
  { readonly result: "unknown" } | { readonly result: "version-unsupported"; readonly supported: number };

/** Different for every tenant and user: a tenant's id holds no `/`, the user comes last, and no user is called `null` without quotes. */
export function semanticIndexName({ tenant, user }: IndexOwner): string {
  return `${tenant}/semantic/${JSON.stringify(user)}`;
}
