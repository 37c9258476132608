/**
 * What do an isolate and a cluster's OriginPool object say to each other? An isolate always reports its whole state: what it has
 * open there and what it is asking for. A report that is lost is made good by the next one, one that comes twice or late
 * changes nothing: counts can't drift, and nothing has to be acknowledged.
 */
import type { FailureReason } from "../breaker.ts";

export const poolVersion = 1;

/** Number of the lease, replica, tokens, age in milliseconds. */
export type OpenLease = readonly [number: number, replica: string, tokens: number, ageMs: number];

/** How the requests ended that an isolate sent to a replica since its last report. A hint: lost with a lost report. */
export interface ReplicaOutcomes {
  readonly replica: string;
  readonly successes: number;
  readonly failures: Readonly<Partial<Record<FailureReason, number>>>;
  /** The least time to a first byte, and from which region it was asked. */
  readonly firstByte: { readonly region: string; readonly ms: number } | null;
}

export interface LeaseReport {
  readonly v: typeof poolVersion;
  /** Names the isolate: random, new with each. */
  readonly source: string;
  /** Grows with every report. */
  readonly sequence: number;
  /** The highest lease number given out so far: one up to this that is neither open nor asked for has ended. */
  readonly issued: number;
  readonly open: readonly OpenLease[];
  /** Leases that were requested and not answered yet. */
  readonly asking: readonly number[];
  readonly outcomes: readonly ReplicaOutcomes[];
  /**
   * Why it calls now: the location's snapshot is old; its own report is due; or something ended while others wait. The pool
   * bounds each by itself. `ask`: it goes along with an ask.
   */
  readonly reason: "refresh" | "report" | "notice" | "ask";
}

/** A request that found everything busy asks for a replica. Idempotent by source and number. */
export interface PoolAsk {
  readonly v: typeof poolVersion;
  readonly source: string;
  readonly number: number;
  /**
   * What the isolate has open now: what it sent a moment ago fills places that the pool would take for free. Null: as in its
   * last report.
   */
  readonly report: LeaseReport | null;
  readonly tokens: number;
  readonly model: string;
  readonly tenant: string;
  readonly tier: string;
  /** Replicas that it has tried. */
  readonly excluded: readonly string[];
  readonly maxWaitMs: number;
}

export type AskOutcome =
  /** The lease is counted from now on, under the number that was asked with. */
  | { readonly result: "granted"; readonly replica: string }
  /** The queue is full, or the wait is over. */
  | { readonly result: "overloaded"; readonly retryAfterMs: number }
  /** The isolate itself has ended it. */
  | { readonly result: "withdrawn" }
  /** No replica of this cluster may be asked at all: waiting would not help. */
  | { readonly result: "none-offered" }
  | { readonly result: "version-unsupported"; readonly supported: number };

/** A place in the queue is given up, or a lease that was granted ends. Idempotent. */
export interface PoolWithdrawal {
  readonly v: typeof poolVersion;
  readonly source: string;
  readonly number: number;
}

export type ExchangeOutcome =
  /** `snapshot`: as `encodeSnapshot` wrote it. `atMs`: when the report was taken in, by the pool's clock. */
  | { readonly result: "taken"; readonly snapshot: string; readonly atMs: number }
  | { readonly result: "version-unsupported"; readonly supported: number };
