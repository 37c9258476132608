import type { Owner } from "./owner.ts";

/**
 * Messages among the objects that each list what one user keeps (ConversationIndex, CompletionIndex): how an erasure of a tenant reaches all
 * its users. A tenant's own object, whose user is empty, keeps the roll of those that list something.
 */
export const indexRollVersion = 1;

interface Message {
  readonly v: typeof indexRollVersion;
  readonly owner: Owner;
}

/** To a tenant's own: this user's lists something from now on. Before it does, so that no erasure of the tenant passes it over. */
export interface EnrolIndex extends Message {
  readonly user: string;
  /** Random, of this enrolment. */
  readonly enrolment: string;
}
export type EnrolIndexOutcome =
  /** `erasedMs`: what was created by then is erased, though it is reported only now; 0: nothing is. */
  { readonly result: "enrolled"; readonly erasedMs: number } | RollFailure;

/** To a tenant's own: the user's lists nothing any more. Of an enrolment that is not the user's last one, nothing. */
export type LeaveIndex = EnrolIndex;
export type LeaveIndexOutcome = { readonly result: "left" } | RollFailure;

/** Erases what the owner created until then: the list's entries and the objects behind them; for a tenant's own list, those of all its users. Idempotent. */
export interface EraseIndex extends Message {
  readonly throughMs: number;
  /** Of a tenant that is being deleted: what isolates that still know it make until then goes as well. */
  readonly lookAgainMs?: number;
}
export type EraseIndexOutcome =
  /** Nothing of it is listed any more; this many objects have not confirmed their erasure yet, and are told until they do. */
  | {
      readonly result: "erased";
      readonly pending: number;
      /** Something that was made later stays, and its owner on the roll. Absent: nothing does. */
      readonly kept?: true;
    }
  | RollFailure;

export type RollFailure =
  /** Another owner's: only possible by a mistake of ours. */
  { readonly result: "unknown" } | { readonly result: "version-unsupported"; readonly supported: number };
