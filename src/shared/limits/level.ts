/**
 * How full is one limit? In closed form, one of two kinds. *Leaky*: what was charged leaks away at `capacity / windowMs`,
 * so that at most `capacity + elapsed × capacity / windowMs` is ever admitted in any stretch of time. *Calendar*: what was
 * charged stays until the day or month is over in the tenant's time zone, so that at most `capacity` is admitted in each. Pure;
 * time is a parameter. It must not know requests from tokens, nor where it is stored.
 */
import { type Calendar, longestMs, periodAt } from "./calendar.ts";
import type { Unit } from "./bucket-protocol.ts";

export interface Level {
  /** What is charged and has not leaked yet, in the limit's unit. */
  level: number;
  /**
   * Leaky: until when it has leaked, in milliseconds. May lie ahead of the clock: it then stands still until the clock is
   * there. Calendar: when its period began.
   */
  at: number;
  /** Leaky: everything that ever left this level, leaked or returned: the position of the queue's head. */
  drained: number;
  /**
   * When nothing will be left of it: until then the bucket has something to remember. Leaky: as last seen. Calendar: when
   * its period ends.
   */
  wholeAtMs: number;
  isCalendar: boolean;
  /** Calendar: given back since the level was last written down: see `beyondMarks` in bucket-durability.ts. */
  returned: number;
}

/** One limit as configured: `capacity` at once, refilled over `windowMs`, or whole again with the next period. */
export interface LimitRule {
  /** The name in the table of defaults and in the tenant's configuration, e.g. `requests_per_hour`. */
  readonly name: string;
  readonly unit: Unit;
  readonly capacity: number;
  /** Of a calendar limit, its usual length; 0 for slots, which no time refills. */
  readonly windowMs: number;
  readonly calendar?: Calendar;
  /**
   * Whose use it counts, where not everybody's: names the level, which no rule of another capacity may share (it would
   * leak at the pace of whoever looked last). Absent: the rule's name.
   */
  readonly level?: string;
  /** Whose limit it is where it is not the bucket's owner's: one API key's own. */
  readonly of?: "key";
}

export function levelKey(rule: LimitRule): string {
  return rule.level ?? rule.name;
}

/** Rounding of repeated leaks; far below one request or token. */
const epsilon = 1e-6;

export function emptyLevel(now: number): Level {
  return { level: 0, at: now, drained: 0, wholeAtMs: now, isCalendar: false, returned: 0 };
}

/**
 * Lets the level leak until `now`. A clock that goes back never refills and never makes it wait longer than one window;
 * a clock that goes forward refills as time does, since the two cannot be told apart.
 */
export function advance(level: Level, rule: LimitRule, now: number): void {
  if (rule.calendar !== undefined) {
    turnPage(level, rule.calendar, now);
    return;
  }
  const until = Math.min(Math.max(level.at, now), now + rule.windowMs);
  const elapsedMs = until - level.at;
  if (elapsedMs > 0 && level.level > 0) {
    const leaked = Math.min(level.level, (elapsedMs * rule.capacity) / rule.windowMs);
    level.level -= leaked;
    level.drained += leaked;
  }
  level.at = until;
}

/** A period that was begun is kept to its end, also when the tenant's time zone changes or the clock goes back. */
function turnPage(level: Level, calendar: Calendar, now: number): void {
  const hasEnded = !level.isCalendar || now >= level.wholeAtMs;
  if (!hasEnded && level.at - now <= longestMs[calendar.period]) return;
  const { startMs, endMs } = periodAt(calendar, now);
  // A clock that had leapt ahead and is back refills nothing.
  if (hasEnded) level.level = 0;
  level.isCalendar = true;
  level.at = startMs;
  level.wholeAtMs = endMs;
}

export function fits(level: Level, rule: LimitRule, amount: number): boolean {
  return level.level + amount <= rule.capacity + epsilon;
}

/** Whole units that would be admitted now. */
export function remaining(level: Level, rule: LimitRule): number {
  return Math.max(0, Math.floor(rule.capacity - level.level + epsilon));
}

/** Until `amount` fits, in milliseconds; where it never does, until the limit is whole and at least one window. */
export function retryAfterMs(level: Level, rule: LimitRule, amount: number, now: number): number {
  if (rule.calendar !== undefined) return fits(level, rule, amount) ? 0 : Math.max(0, level.wholeAtMs - now);
  if (amount > rule.capacity) return Math.max(rule.windowMs, resetMs(level, rule, now));
  return leakMs(level, rule, level.level + amount - rule.capacity, now);
}

/** Until the limit is whole again, in milliseconds. */
export function resetMs(level: Level, rule: LimitRule, now: number): number {
  if (rule.calendar !== undefined) return Math.max(0, level.wholeAtMs - now);
  return leakMs(level, rule, level.level, now);
}

function leakMs(level: Level, rule: LimitRule, amount: number, now: number): number {
  if (amount <= epsilon) return 0;
  return Math.ceil((amount * rule.windowMs) / rule.capacity + Math.max(0, level.at - now));
}

/**
 * Adds to the level, above capacity too: whether it may is the caller's decision. Returns the charge's *tail*, for
 * `giveBack`. Leaky: how much has to drain in all before this charge has drained, if the oldest drains first. Calendar: the
 * period that it was charged to.
 */
export function charge(level: Level, rule: LimitRule, amount: number): number {
  level.level += amount;
  return rule.calendar === undefined ? level.drained + level.level : level.at;
}

/**
 * Takes back what was charged and not used. Calendar: all of it, in the period that it was charged to; none of it later.
 * Leaky: only as much of it as has not leaked already. A charge of 1,000 that leaked to 500 returns at most 500: the other
 * 500 went to whoever was admitted meanwhile, and returning them twice would let a burst exceed the capacity. Returns by
 * others count as drained before this one, which errs on the safe side.
 */
export function giveBack(level: Level, rule: LimitRule, tail: number, amount: number): void {
  if (rule.calendar !== undefined) {
    if (tail !== level.at) return;
    const taken = Math.min(amount, level.level);
    level.level -= taken;
    level.returned += taken;
    return;
  }
  const returned = Math.min(amount, level.level, Math.max(0, tail - level.drained));
  if (returned <= 0) return;
  level.level -= returned;
  level.drained += returned;
}
