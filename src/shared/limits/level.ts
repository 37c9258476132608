/**
 * How full is one limit? A leaky level in closed form: what was charged leaks away at `capacity / windowMs`, so that at
 * most `capacity + elapsed × capacity / windowMs` is ever admitted in any stretch of time. Pure; time is a parameter.
 * It must not know requests from tokens, nor where it is stored.
 */
export interface Level {
  /** What is charged and has not leaked yet, in the limit's unit. */
  level: number;
  /** Until when it has leaked, in milliseconds. May lie ahead of the clock: it then stands still until the clock is there. */
  at: number;
  /** Everything that ever left this level, leaked or returned: the position of the queue's head. */
  drained: number;
  /** When nothing will be left of it, as last seen: until then the bucket has something to remember. */
  wholeAtMs: number;
}

/** One limit as configured: `capacity` at once, refilled over `windowMs`. */
export interface LimitRule {
  /** The name in the table of defaults and in the tenant's configuration, e.g. `requests_per_hour`. */
  readonly name: string;
  readonly unit: "requests" | "tokens";
  readonly capacity: number;
  readonly windowMs: number;
}

/** Rounding of repeated leaks; far below one request or token. */
const epsilon = 1e-6;

export function emptyLevel(now: number): Level {
  return { level: 0, at: now, drained: 0, wholeAtMs: now };
}

/**
 * Lets the level leak until `now`. A clock that goes back never refills and never makes it wait longer than one window;
 * a clock that goes forward refills as time does, since the two cannot be told apart.
 */
export function advance(level: Level, rule: LimitRule, now: number): void {
  const until = Math.min(Math.max(level.at, now), now + rule.windowMs);
  const elapsedMs = until - level.at;
  if (elapsedMs > 0 && level.level > 0) {
    const leaked = Math.min(level.level, (elapsedMs * rule.capacity) / rule.windowMs);
    level.level -= leaked;
    level.drained += leaked;
  }
  level.at = until;
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
  if (amount > rule.capacity) return Math.max(rule.windowMs, resetMs(level, rule, now));
  return leakMs(level, rule, level.level + amount - rule.capacity, now);
}

/** Until the limit is whole again, in milliseconds. */
export function resetMs(level: Level, rule: LimitRule, now: number): number {
  return leakMs(level, rule, level.level, now);
}

function leakMs(level: Level, rule: LimitRule, amount: number, now: number): number {
  if (amount <= epsilon) return 0;
  return Math.ceil((amount * rule.windowMs) / rule.capacity + Math.max(0, level.at - now));
}

/**
 * Adds to the level, above capacity too: whether it may is the caller's decision. Returns the charge's *tail*: how much
 * has to drain in all before this charge has drained, if the oldest drains first.
 */
export function charge(level: Level, amount: number): number {
  level.level += amount;
  return level.drained + level.level;
}

/**
 * Takes back what was charged and not used, but only as much of it as has not leaked already. A charge of 1,000 that
 * leaked to 500 returns at most 500: the other 500 went to whoever was admitted meanwhile, and returning them twice would
 * let a burst exceed the capacity. Returns by others count as drained before this one, which errs on the safe side.
 */
export function giveBack(level: Level, tail: number, amount: number): void {
  const returned = Math.min(amount, level.level, Math.max(0, tail - level.drained));
  if (returned <= 0) return;
  level.level -= returned;
  level.drained += returned;
}
