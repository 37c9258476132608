/** A bucket's state in memory, and the sums over it. The rules are in bucket.ts. */
import type { Amounts, Unit } from "./bucket-protocol.ts";
import { advance, emptyLevel, levelKey, type Level, type LimitRule } from "./level.ts";
import { emptyModelCounts, type ModelCounts, type ModelTally } from "./model-counts.ts";
import type { UsageDays } from "./usage-days.ts";

export type Tally = { -readonly [Name in Unit]: Amounts[Name] };

/** Set aside under one id, until it is settled. */
export interface OpenReservation {
  readonly receipt: number;
  readonly held: Tally;
  readonly used: Tally;
  /** Sequence of its last settlement. */
  sequence: number;
  lent: boolean;
  expiresAtMs: number;
  /** When its slots are free again, settled or not. */
  slotsUntilMs: number;
  /** Whose slots they are: the key of the limit on them. */
  slotsOf: string;
  /** By limit: see `charge` in level.ts. A limit that is missing here gets nothing back. */
  tails: Record<string, number>;
  /** Of a loan: what its reports have said of each model so far. */
  models: Record<string, ModelTally> | null;
}

/** Receipts that a crash made the bucket forget: their settlements are new to it and yet no debts. */
export interface LostReceipts {
  readonly after: number;
  readonly upTo: number;
  readonly atMs: number;
  /** Of calendar limits, the periods that the lost grants were charged to. */
  readonly periods: Readonly<Record<string, number>>;
}

/** An id that ended without the bucket knowing its grant. */
export interface ClosedId {
  /** What comes again under it before this is a duplicate. */
  readonly untilMs: number;
  /** All of it was given back: that something was used under it after all is news. */
  readonly isReturned: boolean;
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
  closed: Map<string, ClosedId>;
  lost: LostReceipts[];
  models: ModelCounts;
  /** An org's: what its tenant's usage book is to be told. `null`: a user's. */
  days: UsageDays | null;
  /** The longest lease that a slot was given for. */
  leaseMs: number;
  /** No slot's lease ends before this. */
  nextSlotEndMs: number;
  /** Requests that run, by the limit on them. */
  slots: Map<string, SlotCount>;
}

export interface SlotCount {
  held: number;
  /** Since the bucket was last written down: see `beyondMarks` in bucket-durability.ts. */
  freed: number;
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
    charged: nothing(),
    settled: nothing(),
    reserved: nothing(),
    lent: nothing(),
    unsettled: nothing(),
    unaccounted: nothing(),
    levels: new Map(),
    open: new Map(),
    closed: new Map(),
    lost: [],
    models: emptyModelCounts(),
    days: null,
    leaseMs: 0,
    nextSlotEndMs: Infinity,
    slots: new Map(),
  };
}

/** The reservation that holds, until their lease is over, the slots of grants that a crash made the bucket forget. */
export function lostSlotsId(upTo: number, slotsOf: string): string {
  return `lost:${upTo}:${slotsOf}`;
}

/** Slots held under the limit of this key. */
export function slotsHeld(bucket: BucketState, key: string): number {
  return bucket.slots.get(key)?.held ?? 0;
}

/** So many more, or fewer, are held under the limit of this key. */
export function moveSlots(bucket: BucketState, key: string, more: number): void {
  if (more === 0) return;
  let count = bucket.slots.get(key);
  if (count === undefined) {
    count = { held: 0, freed: 0 };
    bucket.slots.set(key, count);
  }
  count.held += more;
  if (more < 0) count.freed -= more;
}

/** The key of the limit on requests at once; empty where there is none. */
export function slotsKey(rules: readonly LimitRule[]): string {
  const rule = rules.find(({ unit }) => unit === "slots");
  return rule === undefined ? "" : levelKey(rule);
}

export function nothing(): Tally {
  return { requests: 0, tokens: 0, slots: 0, microdollars: 0 };
}

/** Forgets what is over: expired reservations become `unsettled`. Called with every write, never for a request's sake. */
export function sweep(bucket: BucketState, now: number): void {
  releaseSlots(bucket, now);
  for (const [id, reservation] of bucket.open) {
    if (reservation.expiresAtMs > now) continue;
    if (reservation.held.slots > 0) keepSlots(bucket, reservation);
    add(bucket.unsettled, reservation.held);
    subtract(bucket.reserved, reservation.held);
    if (reservation.lent) subtract(bucket.lent, reservation.held);
    bucket.open.delete(id);
  }
  for (const [id, untilMs] of bucket.revokedKeys) if (untilMs <= now) bucket.revokedKeys.delete(id);
  for (const [id, { untilMs }] of bucket.closed) if (untilMs <= now) bucket.closed.delete(id);
  if (bucket.lost.length > 0) bucket.lost = bucket.lost.filter((range) => range.atMs + lateMs > now);
  // Whole for longer than anything open could still give back to them: levels of keys and tiers that are gone.
  for (const [key, level] of bucket.levels) if (level.wholeAtMs + lateMs <= now) bucket.levels.delete(key);
  for (const [key, slots] of bucket.slots)
    if (slots.held === 0 && slots.freed === 0) bucket.slots.delete(key);
}

/** Frees the slots whose lease is over. Looks at the reservations only when one of them may be. */
export function releaseSlots(bucket: BucketState, now: number): void {
  if (now < bucket.nextSlotEndMs) return;
  let nextMs = Infinity;
  for (const reservation of bucket.open.values()) {
    if (reservation.held.slots === 0) continue;
    if (reservation.slotsUntilMs <= now) dropSlots(bucket, reservation);
    else nextMs = Math.min(nextMs, reservation.slotsUntilMs);
  }
  bucket.nextSlotEndMs = nextMs;
}

/**
 * Whoever held this loan may be gone, or only unheard: what it lent may still run. Its slots stay taken to the end of their
 * lease, and count as lent.
 */
function keepSlots(bucket: BucketState, reservation: OpenReservation): void {
  const slots = reservation.held.slots;
  reservation.held.slots = 0;
  bucket.open.set(`slots:${reservation.receipt}`, {
    ...reservation,
    held: { ...nothing(), slots },
    used: nothing(),
    expiresAtMs: reservation.slotsUntilMs,
    tails: {},
    models: null,
  });
}

function dropSlots(bucket: BucketState, { held, lent, slotsOf }: OpenReservation): void {
  moveSlots(bucket, slotsOf, -held.slots);
  bucket.reserved.slots -= held.slots;
  if (lent) bucket.lent.slots -= held.slots;
  held.slots = 0;
}

/** Keeps a reservation's slots for `leaseMs` from now on. */
export function leaseSlots(
  bucket: BucketState,
  reservation: OpenReservation,
  leaseMs: number,
  now: number,
): void {
  reservation.slotsUntilMs = Math.max(reservation.slotsUntilMs, now + leaseMs);
  bucket.leaseMs = Math.max(bucket.leaseMs, leaseMs);
  bucket.nextSlotEndMs = Math.min(bucket.nextSlotEndMs, reservation.slotsUntilMs);
}

/** The level of a limit as it now is, empty where it is new. Slots have none: see `slotsHeld`. */
export function levelOf(bucket: BucketState, rule: LimitRule, now: number): Level {
  const key = levelKey(rule);
  let level = bucket.levels.get(key);
  if (level === undefined) {
    level = emptyLevel(now);
    bucket.levels.set(key, level);
  }
  advance(level, rule, now);
  return level;
}

export const units = ["requests", "tokens", "slots", "microdollars"] as const satisfies readonly Unit[];

export function add(tally: Tally, amounts: Amounts): void {
  for (const unit of units) tally[unit] += amounts[unit];
}

export function subtract(tally: Tally, amounts: Amounts): void {
  for (const unit of units) tally[unit] -= amounts[unit];
}

export function isNothing(amounts: Amounts): boolean {
  return units.every((unit) => amounts[unit] === 0);
}
