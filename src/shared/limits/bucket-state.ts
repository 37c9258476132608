/** What does a bucket know? Its state in memory, and the sums over it. The rules are in bucket.ts. */
import type { Amounts } from "./bucket-protocol.ts";
import { emptyLevel, type Level, type LimitRule } from "./level.ts";

export interface Tally {
  requests: number;
  tokens: number;
}

/** Set aside under one id, until it is settled. */
export interface OpenReservation {
  readonly receipt: number;
  readonly held: Tally;
  readonly used: Tally;
  /** Sequence of its last settlement. */
  sequence: number;
  lent: boolean;
  expiresAtMs: number;
  /** By limit: see `charge` in level.ts. A limit that is missing here gets nothing back. */
  tails: Record<string, number>;
}

/** Receipts that a crash made the bucket forget: their settlements are new to it and yet no debts. */
export interface LostReceipts {
  readonly after: number;
  readonly upTo: number;
  readonly atMs: number;
}

export interface BucketState {
  sinceMs: number;
  /** When something last happened. */
  usedAtMs: number;
  /** The last receipt given. */
  receipt: number;
  epoch: number;
  /** API keys that were revoked lately, and until when they are named (revocation.ts). */
  revokedKeys: Map<string, number>;
  /** Everything ever charged, settled or not, returned or not: only its growth since the last write matters. */
  charged: Tally;
  settled: Tally;
  reserved: Tally;
  lent: Tally;
  unsettled: Tally;
  unaccounted: Tally;
  levels: Map<string, Level>;
  open: Map<string, OpenReservation>;
  /** Ids that ended without the bucket knowing their grant, and until when: what comes again under them is a duplicate. */
  closed: Map<string, number>;
  lost: LostReceipts[];
}

/** A bucket holds at most so many open reservations; more concurrent requests are refused like a limit. */
export const maxOpenReservations = 4_096;
/** Ids remembered as closed, at most: only debts and what a crash forgot need them. */
export const maxClosed = 2_048;
/** For how long a settlement may come late, or twice, after a crash or an outage: longer than any reservation lives. */
export const lateMs = 2 * 60 * 60_000;

/** For how long an id that was withdrawn refuses a reservation that comes late: longer than anyone waits for one. */
export const withdrawnMs = 10_000;

export function newBucket(now: number): BucketState {
  return {
    sinceMs: now,
    usedAtMs: now,
    receipt: 0,
    epoch: 0,
    revokedKeys: new Map(),
    charged: { requests: 0, tokens: 0 },
    settled: { requests: 0, tokens: 0 },
    reserved: { requests: 0, tokens: 0 },
    lent: { requests: 0, tokens: 0 },
    unsettled: { requests: 0, tokens: 0 },
    unaccounted: { requests: 0, tokens: 0 },
    levels: new Map(),
    open: new Map(),
    closed: new Map(),
    lost: [],
  };
}

/** Forgets what is over: expired reservations become `unsettled`. Called with every write, never for a request's sake. */
export function sweep(bucket: BucketState, now: number): void {
  for (const [id, reservation] of bucket.open) {
    if (reservation.expiresAtMs > now) continue;
    add(bucket.unsettled, reservation.held);
    subtract(bucket.reserved, reservation.held);
    if (reservation.lent) subtract(bucket.lent, reservation.held);
    bucket.open.delete(id);
  }
  for (const [id, untilMs] of bucket.revokedKeys) if (untilMs <= now) bucket.revokedKeys.delete(id);
  for (const [id, untilMs] of bucket.closed) if (untilMs <= now) bucket.closed.delete(id);
  if (bucket.lost.length > 0) bucket.lost = bucket.lost.filter((range) => range.atMs + lateMs > now);
}

/** The level of a limit, empty where it is new. */
export function levelOf(bucket: BucketState, rule: LimitRule, now: number): Level {
  const known = bucket.levels.get(rule.name);
  if (known) return known;
  const level = emptyLevel(now);
  bucket.levels.set(rule.name, level);
  return level;
}

export const units = ["requests", "tokens"] as const;

export function add(tally: Tally, amounts: Amounts): void {
  tally.requests += amounts.requests;
  tally.tokens += amounts.tokens;
}

export function subtract(tally: Tally, amounts: Amounts): void {
  tally.requests -= amounts.requests;
  tally.tokens -= amounts.tokens;
}

export function isNothing(amounts: Amounts): boolean {
  return amounts.requests === 0 && amounts.tokens === 0;
}
