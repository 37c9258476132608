import type { DeletionRecord } from "./conversation-index.ts";
import type { EnteringTurn, RunningTurn } from "../turn/durable/turn-order.ts";
import type { Owner } from "./owner.ts";

/**
 * Messages to a Conversation object. Each carries a version: during a rollout old callers meet new objects and new callers old ones, and an
 * unknown version is answered as such, never guessed at.
 *
 * Items cross the line as JSON text in the form of OpenAI's conversation items, without their ids: the object orders and keeps them and
 * never looks inside.
 */
export const conversationVersion = 1;

interface Message {
  readonly v: typeof conversationVersion;
  readonly owner: Owner;
}

export interface NewItem {
  /** `message`, `function_call`, `function_call_output`, `reasoning`, … */
  readonly type: string;
  /** A message's role; `null` for everything else. */
  readonly role: string | null;
  /** The item without `id`. Those of one message together: at most `maxItemsUnits`. */
  readonly json: string;
}

export interface StoredItem extends NewItem {
  /** `msg_…`, `fc_…`: holds the sequence, so that a page's `after` needs no index. */
  readonly id: string;
  readonly sequence: number;
  readonly turnId: string;
  readonly createdMs: number;
}

/**
 * All that one message brings, in UTF-16 units: an RPC message holds 32 MiB, in which a unit may take two bytes, and it is in memory twice. A
 * durable turn's request has the same bound.
 */
export const maxItemsUnits = 12_000_000;
/** The same, with the answer. */
export const maxTurnUnits = 16_000_000;

export interface CreateConversation extends Message {
  readonly id: string;
  /** JSON object of strings, as OpenAI's `metadata`. */
  readonly metadata: string;
  /** The items that it begins with. Absent: none. */
  readonly items?: readonly NewItem[];
  /** Made from those items, by rule. */
  readonly title?: string | null;
}
export type CreateOutcome =
  | { readonly result: "created" | "exists"; readonly createdMs: number }
  | { readonly result: "item-too-large"; readonly maxBytes: number }
  | ConversationFailure;

export interface LoadHistory extends Message {
  /** `true`: `unknown` unless created before. `false`: a name never used is an empty conversation, and nothing is written. */
  readonly mustExist: boolean;
  readonly limitItems: number;
  /** Counted low (8 bytes a token), so that never too little is loaded: compose trims exactly. */
  readonly limitTokens: number;
  /** An item's id, or `root`: the history up to it, itself included; `br_…`: that branch's. Absent: that of the active branch. */
  readonly upTo?: string | null;
  /** The turn that loads it: it then runs in this conversation until its `append`. Absent: the history is only read. */
  readonly turn?: EnteringTurn;
}
export type HistoryOutcome =
  | {
      readonly result: "ok";
      /** Oldest first; begins at the first item of a turn, so that no tool result stands without its call. */
      readonly items: readonly StoredItem[];
      /** Whether anything older was left out. */
      readonly truncated: boolean;
      /** Goes back with `append`: a turn that began before a deletion is not saved after it. */
      readonly incarnation: number;
      /** A summary of what was said before the first item; `null`: nothing was, or all of it is there. Absent: older code. */
      readonly summary?: string | null;
      /** For `append`: a turn that asked for no item stands at the end of this branch, whichever is active by then. Absent: older code. */
      readonly behind?: string;
    }
  /** `upTo` is no item of this conversation, or parts a tool's call from its result. */
  | { readonly result: "item-unknown" }
  /** Behind `upTo` a branch would begin, and there are as many as there may be. */
  | { readonly result: "branches-full"; readonly most: number }
  /** Another turn is being written. `late`: still, after the wait. */
  | { readonly result: "busy"; readonly why: "running" | "full" | "late"; readonly running: RunningTurn }
  | ConversationFailure;

export interface AppendTurn extends Message {
  readonly id: string;
  readonly mustExist: boolean;
  readonly incarnation: number;
  /** Appending twice under one turn id appends once. */
  readonly turnId: string;
  /** None: the turn has ended without leaving a trace, and the next one may begin. */
  readonly items: readonly NewItem[];
  /**
   * What the turn comes behind: an item's id, `root`, or `br_…`: that branch's end. It is the active branch then. Absent or
   * `null`: the end of the one that is.
   */
  readonly behind?: string | null;
  /** Of a turn that leaves no items: in which incarnation it had begun. Absent: in none, or older code sent it. */
  readonly began?: number | null;
  /** When the turn was asked for: a conversation that it makes was made then. Absent: older code sent it. */
  readonly askedMs?: number | null;
  /** Of a turn that leaves no items: for how long its own object may keep what it was asked. Absent: older code sent it, and a day is meant. */
  readonly keptMs?: number | null;
  /** The turn's own id (`chatcmpl-…`, `resp_…`), so that a deletion finds what its object holds. */
  readonly responseId?: string | null;
  /** Made from the items by rule, for a conversation that has none yet. */
  readonly title?: string | null;
}
export type AppendOutcome =
  | { readonly result: "appended" | "already-appended"; readonly firstSequence: number }
  /** Nothing was to be saved. */
  | { readonly result: "released" }
  /** Deleted since the turn loaded its history: nothing was saved. */
  | { readonly result: "superseded" }
  | { readonly result: "item-too-large"; readonly maxBytes: number }
  | ConversationFailure;

/** Items that belong to no turn of a model. Answers with them, as they are now. */
export interface AddItems extends Message {
  /** Adding twice under one id adds once. */
  readonly addId: string;
  readonly items: readonly NewItem[];
  readonly title?: string | null;
}
export type AddOutcome =
  | { readonly result: "ok"; readonly items: readonly StoredItem[] }
  /** The id has added other items before. */
  | { readonly result: "reused" }
  | { readonly result: "item-too-large"; readonly maxBytes: number }
  | ConversationFailure;

export interface DeleteItem extends Message {
  readonly itemId: string;
}

export interface ListItems extends Message {
  /** An item's id; `null`: from the beginning (of the chosen order). */
  readonly after: string | null;
  /** 1 to 100. */
  readonly limit: number;
  readonly order: "asc" | "desc";
  /** Its number. Absent or `null`: the active one. */
  readonly branch?: number | null;
}
export type ListOutcome =
  | { readonly result: "ok"; readonly items: readonly StoredItem[]; readonly hasMore: boolean }
  | { readonly result: "after-unknown" | "branch-unknown" }
  | ConversationFailure;

/** Is there so much on the active branch, behind its last summary, that some of it should be put in short? */
export interface FindSummaryWork extends Message {
  /** UTF-16 units of items: with fewer there is nothing to do. */
  readonly afterUnits: number;
  /** The latest items up to this stay as they are. */
  readonly keepUnits: number;
  /** The most that is summarised at a time. */
  readonly mostUnits: number;
}
export interface SummaryWork {
  readonly incarnation: number;
  /** The summary so far, and its key; 0 and `null`: there is none. */
  readonly previous: string | null;
  readonly previousThrough: number;
  /** Items to be added to it, oldest first: whole turns. */
  readonly items: readonly StoredItem[];
  /** The key of the last of them. */
  readonly through: number;
}
export type SummaryWorkOutcome =
  | { readonly result: "ok"; readonly work: SummaryWork }
  | { readonly result: "nothing" }
  | ConversationFailure;

/** Saved only if the earlier summary is still the one that it was made from, and all its items still exist. */
export interface SaveSummary
  extends Message, Pick<SummaryWork, "incarnation" | "previousThrough" | "through"> {
  readonly text: string;
  /** How many items were put in short. Absent: older code. */
  readonly itemCount?: number;
}
export type SaveSummaryOutcome = { readonly result: "saved" | "superseded" } | ConversationFailure;

export type ListBranches = Message;
export interface ListedBranch {
  /** 0: what the conversation began with. */
  readonly branch: number;
  /** `null` for 0. */
  readonly parent: number | null;
  /** The last item that it shares with its parent; `null`: none. */
  readonly parentItemId: string | null;
  /** The last item that a reader of it sees, its parents' included; `null`: there is none. */
  readonly lastItemId: string | null;
  readonly createdMs: number;
  readonly active: boolean;
}
export type ListBranchesOutcome =
  | { readonly result: "ok"; readonly branches: readonly ListedBranch[] }
  | ConversationFailure;

/** Items of every branch, by their keys: for an export. */
export interface ExportItems extends Message {
  /** A key (`StoredItem.sequence`); 0: from the beginning. */
  readonly above: number;
}
export type ExportOutcome =
  | { readonly result: "ok"; readonly items: readonly StoredItem[]; readonly hasMore: boolean }
  | ConversationFailure;

/** Waits until another turn than `known` is being written, or none is, or something changed since `seen`; at most `waitMs`. */
export interface WatchConversation extends Message {
  /** A response id; `null`: none was being written when last asked. */
  readonly known: string | null;
  /** The last answer's `changes`. Absent or `null`: none was given yet. */
  readonly seen?: number | null;
  readonly waitMs: number;
}
export type WatchOutcome =
  | {
      readonly result: "ok";
      readonly running: RunningTurn | null;
      /** Changes whenever a turn was saved or the list changed otherwise. Absent: older code. */
      readonly changes?: number;
      /** Turns that were saved since `seen`, oldest first. */
      readonly ended?: readonly RunningTurn[];
      /** Whether more changed since `seen` than these turns tell. */
      readonly more?: boolean;
    }
  | ConversationFailure;

export type DescribeConversation = Message;
export type DescribeOutcome =
  | {
      readonly result: "ok";
      readonly id: string;
      readonly createdMs: number;
      readonly metadata: string;
      readonly items: number;
      readonly title: string | null;
      /** Who made it. Absent: older code. */
      readonly titleBy?: "rule" | "model" | "user" | null;
      /** The active branch; 0 is the one that it began with. */
      readonly branch: number;
    }
  | ConversationFailure;

/** Answers like `DescribeConversation`. Absent members stay as they are. */
export interface UpdateConversation extends Message {
  /** All of its metadata anew. */
  readonly metadata?: string;
  /** `null`: none of the user's own. */
  readonly title?: string | null;
  /** Whose title it is. A model's never takes the place of a user's own. Absent: the user's. */
  readonly titleBy?: "model" | "user";
  /** The branch that is to be the active one. */
  readonly branch?: number;
  /** Only if it is still this one: a title or summary of a deleted conversation must not reach the next. Absent: any. */
  readonly incarnation?: number;
}
export type UpdateOutcome = DescribeOutcome | { readonly result: "branch-unknown" };

export interface GetItem extends Message {
  readonly itemId: string;
}
/** An item that is not there is `unknown`, as a conversation is. */
export type GetItemOutcome = { readonly result: "ok"; readonly item: StoredItem } | ConversationFailure;

export interface DeleteConversation extends Message {
  /** As its owner calls it. Absent (older code, an erasure of lists): what is not made yet is not there. */
  readonly id?: string;
  /** Only what was made by then: what came since by the same name is not meant. Absent: whatever is there. */
  readonly madeThroughMs?: number;
}
export type DeleteOutcome =
  | {
      readonly result: "deleted";
      /** Absent where older code runs. */
      readonly record?: DeletionRecord;
    }
  | ConversationFailure;

export type ConversationFailure =
  /** None, another owner's, or deleted: the same for all three. */
  | { readonly result: "unknown" }
  /** Another version of the code runs there: ask again soon (503). */
  | { readonly result: "version-unsupported"; readonly supported: number };
