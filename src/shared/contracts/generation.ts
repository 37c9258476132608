import type { Owner } from "./owner.ts";
import type { Refusal } from "./refusal.ts";

/**
 * Messages to a Generation object, one object a turn. Each carries a version: during a rollout old callers meet new objects and new callers
 * old ones, and an unknown version is answered as such, never guessed at.
 */
export const generationVersion = 1;

interface Message {
  readonly v: typeof generationVersion;
  readonly owner: Owner;
}

export interface StartTurn extends Message {
  /**
   * The charge id and every effect's idempotency key. The object's name, but where a claim (an Idempotency-Key) named the
   * object: then it is new with every message, so that a claim used again after its time is charged and saved anew.
   */
  readonly turnId: string;
  /** HMAC of the client's body where a claim led here: another body is a `mismatch`. */
  readonly fingerprint: string | null;
  readonly policy: TurnPolicy;
  /** `TurnRequest` as JSON: the object keeps it as it came and hands it to its runner. */
  readonly request: string;
  readonly follow: Follow;
}

export interface TurnPolicy {
  /** Between two journal rows. */
  readonly intervalMs: number;
  /** How long after the end the journal can still be replayed. */
  readonly replayMs: number;
  /** How long after the end the final response stays; 0: as long as the journal. */
  readonly retentionMs: number;
  /** A turn that runs longer is ended as failed. */
  readonly deadlineMs: number;
}

/** What the caller of `start` waits for. */
export type Follow =
  /** The stream, once the turn has answered at all. Of a turn that begins with this very message it is all of it, whatever was seen of another. */
  | { readonly kind: "stream"; readonly read: ReadPosition }
  /** The final response. */
  | { readonly kind: "end" }
  /** Only the claim (a background turn). */
  | { readonly kind: "claim" };

export interface ReadPosition {
  /** The first event wanted; 0 is the first there is. */
  readonly from: number;
  /** Whether every event carries its number as `id:`. */
  readonly ids: boolean;
}

export type EndStatus = "completed" | "incomplete" | "failed" | "cancelled";

export type StartOutcome =
  | { readonly result: "claimed"; readonly attached: boolean }
  | {
      readonly result: "stream";
      readonly attached: boolean;
      /** Response headers that the turn's own run decided (limits, cache, timing). */
      readonly headers: Record<string, string>;
      /** SSE bytes. Cancelling it stops this reader, never the turn. */
      readonly stream: ReadableStream<Uint8Array>;
    }
  | {
      readonly result: "ended";
      readonly attached: boolean;
      readonly headers: Record<string, string>;
      readonly status: EndStatus;
      /** The final response as JSON. `null` where the turn ended without one, or it has been deleted. */
      readonly response: string | null;
    }
  /** Nothing was generated and nothing is kept: the same request may be made again. */
  | {
      readonly result: "refused";
      readonly attached: boolean;
      readonly headers: Record<string, string>;
      readonly refusal: Refusal;
    }
  | { readonly result: "mismatch" }
  /** Of a turn that is there: the stream was to begin behind its last event. */
  | { readonly result: "position-unknown" }
  /** The claim that led here is over, and the answer is kept for itself: the claim's next use has another object. */
  | { readonly result: "expired" }
  | { readonly result: "too-large"; readonly maxBytes: number }
  | GenerationFailure;

/** As `start`, for a turn that may be there already: nothing begins. Older code knows no such call. */
export type AttachTurn = Message & Pick<StartTurn, "fingerprint" | "policy" | "follow">;
export type AttachOutcome =
  | StartOutcome
  /** Nobody has asked it before. */
  | { readonly result: "absent" };

export type ReadTurn = Message & { readonly read: ReadPosition };
export type ReadOutcome =
  | {
      readonly result: "stream";
      readonly headers: Record<string, string>;
      readonly stream: ReadableStream<Uint8Array>;
    }
  /** The journal's time is over; `retrieve` still has the final response. */
  | { readonly result: "pruned" }
  /** A position behind the last event of an ended turn, or no whole number. */
  | { readonly result: "position-unknown" }
  | GenerationFailure;

export type RetrieveTurn = Message;
export type RetrieveOutcome =
  /** `response`: what there is to be seen already; absent or `null`: nothing. */
  | { readonly result: "running"; readonly createdMs: number; readonly response?: string | null }
  | {
      readonly result: "ended";
      readonly status: EndStatus;
      readonly createdMs: number;
      readonly endedMs: number;
      readonly response: string | null;
      /** The usage receipt's claims as JSON. Absent from objects of older code; `null`: none is kept. */
      readonly receipt?: string | null;
    }
  | GenerationFailure;

export type CancelTurn = Message;
export type CancelOutcome =
  /** `changed` is false where the turn had ended before, in whichever way. */
  | {
      readonly result: "ended";
      readonly changed: boolean;
      readonly status: EndStatus;
      readonly response: string | null;
    }
  | GenerationFailure;

/** To an ended turn: its response stays until then at least. Older code knows no such call. */
export type HoldTurn = Message & { readonly untilMs: number };
export type HoldOutcome = { readonly result: "held" } | GenerationFailure;

/** To an ended turn that is listed: these metadata (JSON object of strings) in place of its own. Older code knows no such call. */
export type UpdateTurn = Message & { readonly metadata: string };
export type UpdateTurnOutcome =
  | { readonly result: "updated"; readonly response: string }
  | { readonly result: "running" }
  | GenerationFailure;

/** To an ended turn that is listed: what it was asked with, numbered from 0. Older code knows no such call. */
export type MessagesOfTurn = Message & {
  /** The number that the page begins behind; `null`: at the beginning. */
  readonly after: number | null;
  /** 1 to 100. */
  readonly limit: number;
  readonly order: "asc" | "desc";
};
export type MessagesOutcome =
  /** `messages`: JSON, an array of `[number, message]`. */
  | { readonly result: "ok"; readonly messages: string; readonly hasMore: boolean }
  | { readonly result: "after-unknown" }
  | { readonly result: "running" }
  | GenerationFailure;

export interface DeleteTurn extends Message {
  /** Only one that was claimed by then: what the object holds since is not meant. Absent: whatever it holds. */
  readonly madeThroughMs?: number;
}
export type DeleteTurnOutcome = { readonly result: "deleted" } | GenerationFailure;

export type GenerationFailure =
  /** None, another owner's, or gone: the same for all three. */
  | { readonly result: "unknown" }
  /** Another version of the code runs there: ask again soon (503). */
  | { readonly result: "version-unsupported"; readonly supported: number };
