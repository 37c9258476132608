import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Calendar, isTimeZone, periodAt } from "./calendar.ts";
import { advance, charge, emptyLevel, fits, giveBack, type LimitRule, remaining, resetMs } from "./level.ts";

test.each([
  ["UTC", "month", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"],
  ["Europe/Berlin", "month", "2027-01-31T22:59:59.999Z", "2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z"],
  ["Europe/Berlin", "month", "2027-01-31T23:00:00Z", "2027-01-31T23:00:00Z", "2027-02-28T23:00:00Z"],
  ["Pacific/Kiritimati", "month", "2026-12-31T10:00:00Z", "2026-12-31T10:00:00Z", "2027-01-31T10:00:00Z"],
  // A day of 23 hours, one of 25, one that begins at 1 o'clock, and one that the calendar left out.
  ["Europe/Berlin", "day", "2027-03-28T12:00:00Z", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z"],
  ["America/New_York", "day", "2027-11-07T12:00:00Z", "2027-11-07T04:00:00Z", "2027-11-08T05:00:00Z"],
  ["America/Sao_Paulo", "day", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"],
  ["Pacific/Apia", "day", "2011-12-30T09:00:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"],
  ["Asia/Kolkata", "day", "2027-01-01T18:29:59Z", "2026-12-31T18:30:00Z", "2027-01-01T18:30:00Z"],
] as const)("in %s the %s of %s is from %s to %s", (timeZone, period, now, start, end) => {
  const { startMs, endMs } = periodAt({ period, timeZone }, Date.parse(now));
  expect([new Date(startMs), new Date(endMs)]).toEqual([new Date(start), new Date(end)]);
});

const zones = Intl.supportedValuesOf("timeZone");

test("in every zone each moment lies in its period, and the next one begins where it ends", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom("day" as const, "month" as const),
      fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2040, 0) }),
      (timeZone, period, now) => {
        const calendar: Calendar = { period, timeZone };
        const { startMs, endMs } = periodAt(calendar, now);
        expect(startMs).toBeLessThanOrEqual(now);
        expect(endMs).toBeGreaterThan(now);
        expect(periodAt(calendar, startMs)).toEqual({ startMs, endMs });
        expect(periodAt(calendar, endMs).startMs).toBe(endMs);
      },
    ),
    { numRuns: 300 },
  );
});

test("names of zones are told from other text", () => {
  expect(["UTC", "Europe/Berlin", "Asia/Kathmandu"].map(isTimeZone)).toEqual([true, true, true]);
  expect(["", "Berlin", "Europe/Nowhere", "__proto__"].map(isTimeZone)).toEqual([false, false, false, false]);
});

const monthly: LimitRule = {
  name: "tokens_per_month",
  unit: "tokens",
  capacity: 1_000,
  windowMs: 30 * 86_400_000,
  calendar: { period: "month", timeZone: "Europe/Berlin" },
};

test("a month's limit equals its oracle: what was used since the month began, whatever the clock does", () => {
  const steps = fc.array(
    fc.record({
      ms: fc.oneof(
        fc.integer({ min: 0, max: 20 * 86_400_000 }),
        fc.integer({ min: -3 * 86_400_000, max: 0 }),
      ),
      amount: fc.integer({ min: 0, max: 600 }),
      returned: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(steps, (steps) => {
      let now = Date.UTC(2027, 0, 20);
      const level = emptyLevel(now);
      let month = periodAt({ period: "month", timeZone: "Europe/Berlin" }, now);
      let used = 0;
      let open: { month: number; unused: number; tail: number } | null = null;
      for (const { ms, amount, returned } of steps) {
        now += ms;
        advance(level, monthly, now);
        // The oracle: a month that has ended is over, and a clock that goes back brings none back.
        if (now >= month.endMs) {
          month = periodAt({ period: "month", timeZone: "Europe/Berlin" }, now);
          used = 0;
        }
        expect(remaining(level, monthly)).toBe(1_000 - used);
        expect(resetMs(level, monthly, now)).toBe(Math.max(0, month.endMs - now));
        if (open !== null) {
          giveBack(level, monthly, open.tail, open.unused);
          if (open.month === month.startMs) used -= open.unused;
          open = null;
        }
        expect(fits(level, monthly, amount)).toBe(used + amount <= 1_000);
        if (used + amount > 1_000) continue;
        const tail = charge(level, monthly, amount);
        used += amount;
        open = { month: month.startMs, unused: Math.floor(amount * returned), tail };
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a clock that leaps a year ahead and comes back refills nothing, and does not stand still for a year", () => {
  const level = emptyLevel(0);
  const start = Date.UTC(2027, 0, 10);
  advance(level, monthly, start);
  charge(level, monthly, 700);
  advance(level, monthly, start + 400 * 86_400_000);
  charge(level, monthly, 900);
  advance(level, monthly, start);
  expect(remaining(level, monthly)).toBe(100);
  advance(level, monthly, Date.UTC(2027, 1, 2));
  expect(remaining(level, monthly)).toBe(1_000);
});

test("who moves to another time zone keeps the month that was begun", () => {
  const level = emptyLevel(0);
  const start = Date.UTC(2027, 0, 31, 12);
  advance(level, monthly, start);
  charge(level, monthly, 700);
  const moved: LimitRule = { ...monthly, calendar: { period: "month", timeZone: "Pacific/Kiritimati" } };
  // There it is February already.
  advance(level, moved, start + 60_000);
  expect(remaining(level, moved)).toBe(300);
  advance(level, moved, Date.UTC(2027, 0, 31, 23));
  expect(remaining(level, moved)).toBe(1_000);
  expect(resetMs(level, moved, Date.UTC(2027, 0, 31, 23))).toBe(
    Date.UTC(2027, 1, 28, 10) - Date.UTC(2027, 0, 31, 23),
  );
});
