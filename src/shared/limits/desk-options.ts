import type { BucketAddress, LimitScope } from "./bucket-name.ts";
import type { BucketBatch, BucketReply } from "./bucket-protocol.ts";
import type { DrawOutcome, DrawReply, DrawRequest, StockAddress } from "./regional/region-protocol.ts";

/** What the isolate's side of the limits needs from the outside; made once by the composition root. */
export interface DeskOptions {
  /** One round trip to a bucket. May throw as Durable Object stubs do: an `Error` with `retryable` or `overloaded`. */
  readonly call: (address: BucketAddress, batch: BucketBatch) => Promise<BucketReply>;
  readonly now: () => number;
  /** Calls back after so many milliseconds, in the calling request's context; the result cancels it. */
  readonly setTimer: (callback: () => void, ms: number) => () => void;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** A unique id, for loans. */
  readonly newId: () => string;
  /** Whether blocks of large limits are lent to this isolate. An object that admits one turn takes none. */
  readonly takesLoans: boolean;
  /** The regions' stocks of loans (regional/regional-stock.ts); absent: every bucket is asked where it is. */
  readonly regions?: RegionalStocks;
  readonly events: LimitEvents;
}

export interface RegionalStocks {
  /** One round trip to a stock. May throw as `call` does. */
  readonly draw: (at: StockAddress, request: DrawRequest) => Promise<DrawReply>;
  /** To be counted; `detail` is for the log, and there where it failed. */
  readonly drawn: (outcome: DrawOutcome, detail?: string) => void;
}

/** What is counted and logged. Called on the spot; must return at once. */
export interface LimitEvents {
  /** A bucket took longer than `slowMs` to answer a request. */
  slow(scope: LimitScope, elapsedMs: number): void;
  /** A bucket did not answer within `askTimeoutMs`, or with an error. */
  unreachable(scope: LimitScope, detail: string): void;
  /** Let in without asking, by the tenant's policy: one for each admission, to be logged. */
  openAdmission(admission: {
    readonly tenant: string;
    readonly scope: LimitScope;
    readonly chargeId: string;
    readonly tokens: number;
  }): void;
  /** So many settlements were given up: their reservations stay charged as estimated. */
  settlementsLost(count: number): void;
}

/** A bucket slower than this is counted. */
export const slowMs = 50;
/** A bucket may live on another continent; later than this it counts as unreachable. */
export const askTimeoutMs = 1_000;

/** Resolves after `ms` in this request's context. */
export function pause(options: DeskOptions, ms: number): Promise<void> {
  return new Promise((resolve) => {
    options.setTimer(resolve, ms);
  });
}

export type StubFailure = "retryable" | "overloaded" | "other";

/** How a Durable Object stub's error asks to be treated. Overloaded first: such an error may also be called retryable. */
export function stubFailure(error: unknown): StubFailure {
  if (typeof error !== "object" || error === null) return "other";
  if ("overloaded" in error && error.overloaded === true) return "overloaded";
  return "retryable" in error && error.retryable === true ? "retryable" : "other";
}
