/**
 * What must be on disk, so that an eviction or a crash never refills a bucket, without a write for every request?
 *
 * Two kinds of snapshot. An *exact* one is written when the bucket falls idle: an orderly eviction loses nothing. A
 * *marked* one is written before an answer leaves, and says more than is true: levels and counts plus head-room, valid for
 * a lease. While memory stays below the marks and within the lease, nothing is written. After a crash the marks are
 * taken for the truth: at most the head-room is lost to the limit, never gained, and it leaks away like any charge. What
 * was granted since the snapshot is forgotten, but its receipts are known to be lost: their settlements count as new, once.
 */
import type { Unit } from "./bucket-protocol.ts";
import { encode, type Marks } from "./bucket-snapshot.ts";
import { type BucketState, sweep } from "./bucket-state.ts";
import { levelKey, type LimitRule } from "./level.ts";

/**
 * Head-room of one write, as a share of the limit: at most so much of it is lost by a crash. A limit whose last one was used up before
 * its time gets the larger one, so that 8 writes fill a window; the others, which are most, lose little by many crashes.
 */
const headShares = { calm: 1 / 64, busy: 1 / 8 } as const;
/** How much head-room each limit has now. */
export interface HeadRooms {
  /**
   * Levels whose mark was reached before its time. Each for itself: a loan is a fiftieth of the shortest limit, and needs nothing of an
   * hour's or of another unit's.
   */
  readonly busy: ReadonlySet<string>;
  /** Of a day's or month's limit that has no shorter one of its unit beside it, as money always: how many times it was doubled. */
  readonly periodDoublings: number;
}
/** Of a small limit the larger share is less than this, and worth no write more. */
const leastCalmHead = { requests: 16, tokens: 16_384, slots: 8, microdollars: 1_000_000 } as const;
/** Of a day's or month's limit, where what a crash loses is lost until its end. Also never more than the shorter limits have. */
const calendarHeadShare = 1 / 200;
/**
 * Where there is no shorter limit, 200 kills a month (a deploy is one for every bucket in use) would use it up: its head-room is what was needed
 * lately. It begins with this, is doubled where it did not last until the next write, and halved where it did.
 */
const leastPeriodShare = 1 / 4096;
export const mostPeriodDoublings = Math.ceil(Math.log2(calendarHeadShare / leastPeriodShare));
/** Of a small limit the two-hundredth is less than this, some turns' worth, and worth no write more. */
const leastPeriodHead = { requests: 16, tokens: 16_384, slots: 0, microdollars: 20_000 } as const;
/** Head-room of the counts where the limits are small or missing: costs no limit anything. */
const leastHead = { requests: 16, tokens: 16_384, microdollars: 1_000_000 };
const headWithoutLimit = { requests: 1_000, tokens: 1_000_000, slots: 1_000, microdollars: 100_000_000 };
/** How long marks are valid. Shorter than any window; one write per lease at least while the bucket is in use. */
export const leaseMs = 30_000;
/** A bucket that was not used for this long forgets its counts, once its limits are whole and nothing is open. */
export const rememberMs = 24 * 60 * 60_000;

/**
 * What is given back is another matter than what is charged: a settlement may be counted, its surplus charged to someone
 * else, and all that be lost in a crash; then the settlement comes again, and gives back again. Leaky levels give nothing
 * back for what was open in a crash. Calendar levels and slots do, or a crash would cost a month's limit what was in flight;
 * so they count what was given back since the last write as if it were charged still.
 *
 * Does what is on disk cover the bucket as it now is? If not, a marked snapshot is written before the answer leaves.
 *
 * @returns whose head-room did not last, so that it shall have more; `null`: the marks cover everything
 */
export function beyondMarks(
  bucket: BucketState,
  marks: Marks | null,
  byKey: ReadonlyMap<string, LimitRule>,
  now: number,
): ScarceRoom | null {
  if (marks === null || now >= marks.untilMs || bucket.leaseMs > marks.leaseMs) return nothingScarce;
  const beyond: (LimitRule | undefined)[] = [];
  for (const [name, level] of bucket.levels) {
    const most = level.isCalendar ? level.level + level.returned : level.level;
    if (most === 0) continue;
    const mark = marks.levels.get(name);
    // A mark of last month says nothing of this one, and nothing of what is needed.
    if (mark === undefined || (mark.period !== null && mark.period !== level.at)) beyond.push(undefined);
    else if (most > mark.level) beyond.push(byKey.get(name));
  }
  // A settlement that was counted but is not on disk may come again after a crash, and free its slot again: see above.
  for (const [name, { held, freed }] of bucket.slots)
    if (held + freed > (marks.slots.get(name) ?? 0)) beyond.push(byKey.get(name));
  const rules = [...byKey.values()];
  for (const unit of countedUnits)
    if (bucket.charged[unit] > marks.charged[unit]) beyond.push(widest(rules, unit));
  return beyond.length === 0 ? null : scarceOf(beyond, rules);
}

/** What shall have more head-room from the next write on. */
export interface ScarceRoom {
  /** Levels that leak, and slots. */
  readonly levels: readonly string[];
  /** A day's or month's that has no shorter one beside it. */
  readonly isPeriod: boolean;
}
const nothingScarce: ScarceRoom = { levels: [], isPeriod: false };

function scarceOf(beyond: readonly (LimitRule | undefined)[], rules: readonly LimitRule[]): ScarceRoom {
  const levels: string[] = [];
  let isPeriod = false;
  for (const rule of beyond) {
    if (rule === undefined) continue;
    // A day's or month's has as much as the shortest one of its unit beside it.
    const source = rule.calendar === undefined ? rule : shortest(rules, rule.unit);
    if (source === undefined) isPeriod = true;
    else levels.push(levelKey(source));
  }
  return { levels, isPeriod };
}

/** Of the limits of this unit that leak. */
function steady(rules: readonly LimitRule[], unit: Unit): readonly LimitRule[] {
  return rules.filter((rule) => rule.unit === unit && rule.calendar === undefined);
}

function shortest(rules: readonly LimitRule[], unit: Unit): LimitRule | undefined {
  return steady(rules, unit).toSorted((one, other) => one.capacity - other.capacity)[0];
}

/** The one by whose head-room the unit is counted ahead. */
function widest(rules: readonly LimitRule[], unit: Unit): LimitRule | undefined {
  const last = steady(rules, unit).toSorted((one, other) => other.capacity - one.capacity)[0];
  return last ?? rules.find((rule) => rule.unit === unit);
}

/** The snapshot to write before going on, with head-room under these limits. Also forgets what is over. */
export function markedSnapshot(
  bucket: BucketState,
  byKey: ReadonlyMap<string, LimitRule>,
  now: number,
  rooms: HeadRooms,
): { readonly text: string; readonly marks: Marks } {
  sweep(bucket, now);
  const levels = new Map<string, { level: number; period: number | null }>();
  const rules = [...byKey.values()];
  for (const [key, { level, at, isCalendar }] of bucket.levels) {
    const rule = byKey.get(key);
    const mark =
      rule === undefined
        ? level
        : Math.max(level, Math.min(rule.capacity, level + headOf(rule, rules, rooms)));
    levels.set(key, { level: mark, period: isCalendar ? at : null });
  }
  const marks: Marks = {
    levels,
    charged: {
      requests: bucket.charged.requests + countHead("requests", rules, rooms),
      tokens: bucket.charged.tokens + countHead("tokens", rules, rooms),
      slots: 0,
      microdollars: bucket.charged.microdollars + countHead("microdollars", rules, rooms),
    },
    slots: new Map([...bucket.slots].map(([key, { held }]) => [key, held + slotHead(byKey.get(key), rooms)])),
    leaseMs: bucket.leaseMs,
    untilMs: now + leaseMs,
  };
  return { text: written(bucket, marks), marks };
}

/** The snapshot to write when the bucket falls idle. */
export function exactSnapshot(bucket: BucketState, now: number): string {
  sweep(bucket, now);
  return written(bucket, null);
}

function written(bucket: BucketState, marks: Marks | null): string {
  for (const slots of bucket.slots.values()) slots.freed = 0;
  for (const level of bucket.levels.values()) level.returned = 0;
  return JSON.stringify(encode(bucket, marks));
}

/** When the bucket can be forgotten if it is not used from now on, in milliseconds since 1970. */
export function forgetAtMs(bucket: BucketState): number {
  let atMs = bucket.usedAtMs + rememberMs;
  for (const level of bucket.levels.values()) if (level.level > 0) atMs = Math.max(atMs, level.wholeAtMs);
  if (bucket.models.tallies.size > 0) atMs = Math.max(atMs, bucket.models.endMs);
  for (const untilMs of bucket.revokedKeys.values()) atMs = Math.max(atMs, untilMs);
  for (const reservation of bucket.open.values()) atMs = Math.max(atMs, reservation.expiresAtMs + rememberMs);
  return atMs;
}

/** Can the bucket be forgotten? Never with an epoch: without it a revoked credential would be valid again. */
export function isForgettable(bucket: BucketState, now: number): boolean {
  return bucket.epoch === 0 && forgetAtMs(bucket) <= now;
}

const countedUnits = ["requests", "tokens", "microdollars"] as const satisfies readonly Unit[];

function headOf(rule: LimitRule, rules: readonly LimitRule[], rooms: HeadRooms): number {
  if (rule.calendar === undefined) return steadyHead(rule, rooms);
  const shorter = steady(rules, rule.unit);
  if (shorter.length === 0) return periodHead(rule, rooms.periodDoublings);
  const heads = shorter.map((other) => steadyHead(other, rooms));
  return Math.ceil(Math.min(rule.capacity * calendarHeadShare, ...heads));
}

function periodHead({ capacity, unit }: LimitRule, doublings: number): number {
  const needed = Math.max(leastPeriodHead[unit], capacity * leastPeriodShare * 2 ** doublings);
  return Math.ceil(Math.min(needed, capacity * calendarHeadShare));
}

function steadyHead(rule: LimitRule, { busy }: HeadRooms): number {
  const { capacity, unit } = rule;
  const share = headShares[busy.has(levelKey(rule)) ? "busy" : "calm"];
  const most = Math.ceil(capacity * headShares.busy);
  return Math.min(most, Math.max(leastCalmHead[unit], Math.ceil(capacity * share)));
}

function slotHead(rule: LimitRule | undefined, rooms: HeadRooms): number {
  return rule === undefined ? headWithoutLimit.slots : steadyHead(rule, rooms);
}

function countHead(unit: Exclude<Unit, "slots">, rules: readonly LimitRule[], rooms: HeadRooms): number {
  let head = -1;
  for (const rule of rules) if (rule.unit === unit) head = Math.max(head, headOf(rule, rules, rooms));
  return head < 0 ? headWithoutLimit[unit] : Math.max(leastHead[unit], head);
}
