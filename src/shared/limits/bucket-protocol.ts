import type { LimitRule } from "./level.ts";

/**
 * What is said between an isolate and a bucket: one batch of operations in, one outcome for each out. Every operation is
 * idempotent by its id, so that a lost reply is answered by sending it again. Nothing here throws.
 *
 * Whole numbers, each from 0. `slots` are held while a request runs and never used up. A microdollar is a millionth of a US
 * dollar: a price in dollars for a million tokens is one in microdollars for a token.
 */
export interface Amounts {
  readonly requests: number;
  readonly tokens: number;
  readonly slots: number;
  readonly microdollars: number;
}
export type Unit = keyof Amounts;
export const noAmounts: Amounts = { requests: 0, tokens: 0, slots: 0, microdollars: 0 };

/** The use of one model. Only reported, never limited. */
export interface ModelUse {
  /** The model's id in the fleet file. */
  readonly model: string;
  readonly requests: number;
  readonly tokens: number;
  readonly microdollars: number;
}

/**
 * Sets `total` aside under `id`, all of it or nothing. With an id that is known it raises what is set aside to `total`
 * (used and held together), never lowers it.
 */
export interface ReserveOperation {
  readonly type: "reserve";
  readonly id: string;
  readonly total: Amounts;
  /** Not settled for so long: it stays charged as it is and is counted as `unsettled`. */
  readonly ttlMs: number;
  /** A loan: its holder re-lends it. Granted only while loans are a small part of the limit (see loan-policy.ts). */
  readonly lend: boolean;
}

/** Replaces what is set aside under `id` by what was used and what is still held. With nothing held, the end of it. */
export interface SettleOperation {
  readonly type: "settle";
  readonly id: string;
  /**
   * The receipt of the grant. `null` where no grant was seen (its reply was lost, or the bucket could not be reached):
   * what is set aside under `id`, if anything, is settled; if nothing is, `used` is charged as a debt.
   */
  readonly receipt: number | null;
  /** Counts the settlements of one id up: one that is not newer than the last is a duplicate. */
  readonly sequence: number;
  /** Used since the beginning. */
  readonly used: Amounts;
  /** The same by model, as far as a model was reached. */
  readonly models: readonly ModelUse[];
  /** Kept set aside. */
  readonly held: Amounts;
  /** What the holder was granted in all: needed only where a crash made the bucket forget the grant. */
  readonly granted: Amounts;
  /** Of a loan: nothing more will be lent from it, only what is held is still in flight. */
  readonly ended: boolean;
}

export type BucketOperation = ReserveOperation | SettleOperation;

export interface BucketBatch {
  readonly version: 1;
  /** The limits as configured now for this tier and scope. The bucket keeps none of them, only levels by name. */
  readonly rules: readonly LimitRule[];
  /** The longest that a request may run: a slot that was not given back is free again after this, in milliseconds. */
  readonly leaseMs: number;
  /** The tenant's: whose months the counts by model are of. */
  readonly timeZone: string;
  readonly operations: readonly BucketOperation[];
  /**
   * When the answer to settlements may come: `now`, after one write of its own; `soon`, when the next write (within about
   * a second) has made them durable. An unanswered settlement is sent again. Reservations never wait; nor do settlements
   * that go along with them for what they give back, and are sent by themselves too: `unsaid`.
   */
  readonly acknowledge: "now" | "soon" | "unsaid";
}

/** Asks nothing: a bucket answers it from memory, with what rides on every answer. */
export const emptyBatch: BucketBatch = {
  version: 1,
  rules: [],
  leaseMs: 0,
  timeZone: "UTC",
  operations: [],
  acknowledge: "soon",
};

export type BucketOutcome =
  | { readonly type: "granted"; readonly receipt: number }
  | BucketRefusal
  /** Too much is lent already, or too little is left to lend. No request is refused for that: each asks by itself. */
  | { readonly type: "not-lent" }
  /** The id was settled before it was reserved (its caller gave up waiting). */
  | { readonly type: "closed" }
  | { readonly type: "settled" }
  | { readonly type: "duplicate" }
  /** Its amounts are invalid: the caller's fault, which does not affect the rest of the batch. It changed nothing. */
  | { readonly type: "unsound"; readonly detail: string };

export interface BucketRefusal {
  readonly type: "refused";
  readonly limit: string;
  /** See `LimitRule`. */
  readonly of?: "key";
  readonly unit: Unit;
  readonly windowMs: number;
  readonly capacity: number;
  readonly remaining: number;
  readonly retryAfterMs: number;
  readonly resetMs: number;
  /** Tokens, prompt and answer together, that would be admitted with one request now; 0 where none would. */
  readonly fittingTokens: number;
  /** The same for the cost. */
  readonly fittingMicrodollars: number;
}

/** Of requests and of tokens, the limit nearest to refusal; `null`: no limit of this unit. */
export interface BucketStanding {
  readonly requests: UnitStanding | null;
  readonly tokens: UnitStanding | null;
}

export interface UnitStanding {
  readonly name: string;
  /** See `LimitRule`. */
  readonly of?: "key";
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
}

export interface BucketReply {
  readonly version: 1;
  /** One for each operation, in order. */
  readonly outcomes: readonly BucketOutcome[];
  readonly standing: BucketStanding;
  /**
   * Credential epoch, in milliseconds since 1970: a credential issued before it is revoked. 0 until something was revoked.
   * See revocation.ts.
   */
  readonly epoch: number;
  /** Ids of API keys that were revoked lately; absent: none. */
  readonly revokedKeys?: readonly string[];
}

/**
 * What was counted since `sinceMs`. `settled` is exact: the sum of every settlement that arrived, once each. All four
 * together are at least what was delivered, at any moment and after any crash.
 */
export interface BucketUsage {
  readonly sinceMs: number;
  readonly settled: Amounts;
  /** Set aside and not settled yet, loans included. */
  readonly reserved: Amounts;
  /** Set aside, never settled, expired: stays charged at its estimate. */
  readonly unsettled: Amounts;
  /** The most that a crash may have made the bucket forget. Shrinks as the settlements of what it forgot arrive. */
  readonly unaccounted: Amounts;
}

export interface BucketInspection {
  readonly version: 1;
  readonly usage: BucketUsage;
  readonly limits: readonly (UnitStanding & { readonly unit: Unit; readonly used: number })[];
  /** By model, most tokens first, in the calendar month that began at `sinceMs`; the rarest beyond a bound are counted together. */
  readonly models: { readonly sinceMs: number; readonly uses: readonly ModelUse[] };
  readonly lent: Amounts;
  readonly openReservations: number;
  readonly epoch: number;
}
