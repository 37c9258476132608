/**
 * How much was each model used on each day, until the tenant's usage book has the counts (durable-objects/usage-book)? Bounded counts
 * within an org's bucket; no limit reads them. A day's counts only grow, so they may be reported twice and in any order: the book keeps the
 * largest.
 */
import type { DayUse } from "../contracts/usage-book.ts";
import type { ModelUse } from "./bucket-protocol.ts";
import { dateAt, periodAt } from "./calendar.ts";
import { addUse, countModels, type ModelCounts, type ModelTally, newUses } from "./model-counts.ts";

export interface UsageDays {
  /** By date (`2026-11-30`) in the tenant's time zone. */
  readonly days: Map<string, UsageDay>;
  /** The day that is counted now: asking the calendar takes 0.2 ms. */
  today: { readonly date: string; readonly endMs: number; readonly timeZone: string } | null;
  /** How often something was counted, and how much of that the book has. */
  counted: number;
  booked: number;
}

export interface UsageDay {
  readonly endMs: number;
  readonly tallies: Map<string, ModelTally>;
  /** `counted` of all days when this one was counted last: a report that is younger has all of it. */
  counted: number;
}

/** What the book is to be told, and what to say to `booked` when it has it. */
export interface UsageReport {
  readonly counted: number;
  readonly days: readonly DayUse[];
}

/** For so many days a book may be out of reach. The oldest is given up then. */
const mostDays = 40;
/** A tenant that moves to another time zone may come to a date again, a day later at most: counts that began anew would be lost. */
const rememberedMs = 2 * 86_400_000;

/** `days`: as they were written down; whether the book has them is not known then, so it is told again. */
export function usageDays(days: Iterable<readonly [string, Omit<UsageDay, "counted">]> = []): UsageDays {
  const known = new Map<string, UsageDay>();
  for (const [date, day] of days) known.set(date, { ...day, counted: 1 });
  return { days: known, today: null, counted: known.size === 0 ? 0 : 1, booked: 0 };
}

export function countDay(usage: UsageDays, uses: readonly ModelUse[], timeZone: string, now: number): void {
  if (usage.today === null || now >= usage.today.endMs || usage.today.timeZone !== timeZone)
    usage.today = {
      date: dateAt(timeZone, now),
      endMs: periodAt({ period: "day", timeZone }, now).endMs,
      timeZone,
    };
  const { date, endMs } = usage.today;
  let day = usage.days.get(date);
  if (day === undefined) {
    day = { endMs, tallies: new Map(), counted: 0 };
    usage.days.set(date, day);
    for (const oldest of usage.days.keys()) {
      if (usage.days.size <= mostDays) break;
      usage.days.delete(oldest);
    }
  }
  for (const use of uses) addUse(day.tallies, use);
  usage.counted += 1;
  day.counted = usage.counted;
}

export function isBooked({ counted, booked }: UsageDays): boolean {
  return counted === booked;
}

export function usageReport({ days, counted }: UsageDays): UsageReport {
  return {
    counted,
    days: [...days].map(([date, { tallies }]) => ({
      date,
      uses: [...tallies].map(([model, tally]) => ({ model, ...tally })),
    })),
  };
}

/** The book has this report: days that are long over and were not counted since are forgotten, also where others were. */
export function reportBooked(usage: UsageDays, { counted }: UsageReport, now: number): void {
  usage.booked = Math.max(usage.booked, counted);
  for (const [date, day] of usage.days)
    if (day.endMs + rememberedMs <= now && day.counted <= counted) usage.days.delete(date);
}

/** What goes beyond `before`, which is brought up to date: by month, and by day where the bucket keeps days. */
export function countUses(
  bucket: { readonly models: ModelCounts; readonly days: UsageDays | null },
  told: readonly ModelUse[],
  before: Record<string, ModelTally> | null,
  timeZone: string,
  now: number,
): void {
  if (told.length === 0) return;
  const uses = newUses(told, before);
  countModels(bucket.models, uses, timeZone, now);
  if (bucket.days !== null) countDay(bucket.days, uses, timeZone, now);
}
