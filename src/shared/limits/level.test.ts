import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  advance,
  charge,
  emptyLevel,
  fits,
  giveBack,
  type LimitRule,
  remaining,
  resetMs,
  retryAfterMs,
} from "./level.ts";

const hourly: LimitRule = { name: "requests_per_hour", unit: "requests", capacity: 100, windowMs: 3_600_000 };

/** The oracle: how many units are there, kept as what is left rather than as what was charged. */
class Oracle {
  left: number;
  seenMs: number;
  readonly rule: LimitRule;
  constructor(rule: LimitRule, now: number) {
    this.rule = rule;
    this.left = rule.capacity;
    this.seenMs = now;
  }
  take(amount: number, now: number): boolean {
    if (now > this.seenMs) {
      this.left += ((now - this.seenMs) / this.rule.windowMs) * this.rule.capacity;
      this.left = Math.min(this.rule.capacity, this.left);
      this.seenMs = now;
    } else this.seenMs = Math.min(this.seenMs, now + this.rule.windowMs);
    if (amount > this.left + 1e-6) return false;
    this.left -= amount;
    return true;
  }
}

const rule = fc.record({
  name: fc.constant("any"),
  unit: fc.constant("tokens" as const),
  capacity: fc.integer({ min: 1, max: 1_000_000_000 }),
  windowMs: fc.constantFrom(60_000, 3_600_000),
});

test("a level equals its oracle through bursts, refills and a clock that goes forward and back", () => {
  const steps = fc.array(
    fc.record({
      ms: fc.integer({ min: -100_000, max: 4_000_000 }),
      share: fc.double({ min: 0, max: 1.2, noNaN: true }),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(rule, steps, (rule, steps) => {
      let now = 1_800_000_000_000;
      const level = emptyLevel(now);
      const oracle = new Oracle(rule, now);
      for (const step of steps) {
        now += step.ms;
        const amount = Math.floor(step.share * rule.capacity);
        advance(level, rule, now);
        const admitted = fits(level, rule, amount);
        expect(admitted).toBe(oracle.take(amount, now));
        if (admitted) charge(level, rule, amount);
        expect(Math.abs(rule.capacity - level.level - oracle.left)).toBeLessThan(1e-3);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("what is admitted in any stretch of time fits the capacity and its refill, whatever is given back and when", () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 20_000 }),
    amount: fc.integer({ min: 1, max: 1_000 }),
    used: fc.double({ min: 0, max: 1, noNaN: true }),
    settleOldest: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const rule: LimitRule = { name: "any", unit: "tokens", capacity: 1_000, windowMs: 60_000 };
      const level = emptyLevel(0);
      const kept: { at: number; used: number }[] = [];
      const open: { at: number; amount: number; used: number; tail: number }[] = [];
      let now = 0;
      for (const step of steps) {
        now += step.waitMs;
        advance(level, rule, now);
        if (step.settleOldest || !fits(level, rule, step.amount)) {
          const settled = open.splice(step.used > 0.5 ? 0 : -1, 1)[0];
          if (settled) {
            giveBack(level, rule, settled.tail, settled.amount - settled.used);
            kept.push({ at: settled.at, used: settled.used });
          }
        }
        if (!fits(level, rule, step.amount)) continue;
        open.push({
          at: now,
          amount: step.amount,
          used: Math.floor(step.amount * step.used),
          tail: charge(level, rule, step.amount),
        });
      }
      const all = [...kept, ...open].sort((left, right) => left.at - right.at);
      for (let from = 0; from < all.length; from += 1) {
        let sum = 0;
        for (const charged of all.slice(from)) {
          sum += charged.used;
          const elapsedMs = charged.at - (all[from]?.at ?? 0);
          expect(sum).toBeLessThanOrEqual(rule.capacity + (elapsedMs * rule.capacity) / rule.windowMs + 1e-3);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a full hour waits 36 s for one request, and an hour until it is whole", () => {
  const level = emptyLevel(0);
  charge(level, hourly, 100);
  expect(remaining(level, hourly)).toBe(0);
  expect(retryAfterMs(level, hourly, 1, 0)).toBe(36_000);
  expect(resetMs(level, hourly, 0)).toBe(3_600_000);
});

test("after exactly the stated wait the same amount fits", () => {
  fc.assert(
    fc.property(
      rule,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (rule, a, b) => {
        const level = emptyLevel(0);
        charge(level, rule, Math.floor(a * rule.capacity));
        const amount = Math.floor(b * rule.capacity);
        const waitMs = retryAfterMs(level, rule, amount, 0);
        advance(level, rule, waitMs);
        expect(fits(level, rule, amount)).toBe(true);
      },
    ),
  );
});

test("what has leaked is not given back a second time", () => {
  const rule: LimitRule = { name: "any", unit: "tokens", capacity: 1_000, windowMs: 60_000 };
  const level = emptyLevel(0);
  const tail = charge(level, rule, 1_000);
  advance(level, rule, 30_000);
  charge(level, rule, 500);
  giveBack(level, rule, tail, 1_000);
  expect(level.level).toBe(500);
});
