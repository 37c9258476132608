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
  /** `erasedMs`: what was made by then is erased, though it is told only now; 0: nothing is. */
  { readonly result: "enrolled"; readonly erasedMs: number } | RollFailure;

/** To a tenant's own: the user's lists nothing any more. Of an enrolment that is not the user's last one, nothing. */
export type LeaveIndex = EnrolIndex;
export type LeaveIndexOutcome = { readonly result: "left" } | RollFailure;

/** Erases what the owner made until then: the list's entries, and what they stand for; of a tenant's own, of all its users. Twice is once. */
export interface EraseIndex extends Message {
  readonly throughMs: number;
  /** Of a tenant that is being deleted: what isolates that still know it make until then goes as well. */
  readonly lookAgainMs?: number;
}
export type EraseIndexOutcome =
  /** Nothing of it is listed any more; so many objects have not confirmed their erasure yet, and are told until they have. */
  | {
      readonly result: "erased";
      readonly pending: number;
      /** Something that was made later stays, and its owner on the roll. Absent: nothing does. */
      readonly kept?: true;
    }
  | RollFailure;

export type RollFailure =
  /** Another owner's: by a mistake of ours alone. */
  { readonly result: "unknown" } | { readonly result: "version-unsupported"; readonly supported: number };
