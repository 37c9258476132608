import type { Owner } from "./owner.ts";

/**
 * Messages to a ConversationIndex object: which conversations does one user have? One object a user. The Conversation objects are the
 * source of truth; each reports to the index until it is acknowledged (docs/decisions/0007).
 */
export const conversationIndexVersion = 1;

interface Message {
  readonly v: typeof conversationIndexVersion;
  readonly owner: Owner;
}

export interface IndexEntry {
  readonly id: string;
  readonly createdMs: number;
  readonly title: string | null;
  /** JSON object of strings. */
  readonly metadata: string;
}

/** What one conversation is, now. Idempotent: a revision that is not above the last one known changes nothing. */
export interface TellIndex extends Message {
  /** The Conversation object's name, by which the index knows it, whatever its id. */
  readonly objectName: string;
  readonly revision: number;
  /** `null`: it was deleted. */
  readonly entry: IndexEntry | null;
  /** The record of a deletion, kept for good. Without content. */
  readonly deletion: DeletionRecord | null;
}
export type TellOutcome = { readonly result: "told" } | IndexFailure;

/** A conversation's end, as its owner may look it up: no content, no name that the owner gave. */
export interface DeletionRecord {
  /** `del_…` */
  readonly id: string;
  /** The conversation's id if it was one of ours (`conv_…`); a name of the owner's own is content, and gone. */
  readonly conversationId: string | null;
  readonly deletedMs: number;
  readonly items: number;
  readonly turns: number;
  /** Turns whose own objects, and large items of which the bucket, had not confirmed their erasure when this was written. */
  readonly turnsPending: number;
  /** Until then the platform could bring the storage of a point in time back (SQLite objects: 30 days). */
  readonly recoverableUntilMs: number;
}

export interface ListConversations extends Message {
  /** A conversation's id: the page begins behind it. `null`: at the newest. */
  readonly after: string | null;
  /** The object that has, or had, that id: a page goes on behind one that was deleted since. Absent: older code. */
  readonly afterObject?: string | null;
  /** 1 to 100. */
  readonly limit: number;
  readonly order: "asc" | "desc";
}
export type ListConversationsOutcome =
  | { readonly result: "ok"; readonly entries: readonly IndexEntry[]; readonly hasMore: boolean }
  | { readonly result: "after-unknown" }
  | IndexFailure;

export interface ListDeletions extends Message {
  /** A record's id. */
  readonly after: string | null;
  readonly limit: number;
}
export type ListDeletionsOutcome =
  | { readonly result: "ok"; readonly records: readonly DeletionRecord[]; readonly hasMore: boolean }
  | { readonly result: "after-unknown" }
  | IndexFailure;

export type IndexFailure =
  /** Another user's: only possible by a mistake of ours. */
  { readonly result: "unknown" } | { readonly result: "version-unsupported"; readonly supported: number };

/** Different for every tenant and user, as a bucket's name is: a tenant's id holds no `/`, and the user comes last. */
export function conversationIndexName({ tenant, user }: Owner): string {
  return `${tenant}/conversations/${JSON.stringify(user)}`;
}
