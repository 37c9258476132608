import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { BucketBatch, ModelUse } from "./bucket-protocol.ts";
import { noAmounts } from "./bucket-protocol.ts";
import { KeptBucket } from "./kept-bucket.ts";
import { countDay, isBooked, reportBooked, usageDays, usageReport, type UsageReport } from "./usage-days.ts";

const timeZone = "Europe/Berlin";
const noon = Date.UTC(2026, 10, 30, 11);
const hourMs = 3_600_000;

function use(model: string, tokens: number): ModelUse {
  return { model, requests: 1, tokens, microdollars: tokens * 2 };
}

/** A usage book, as small as it can be: of each count the largest that was ever told. */
class Book {
  readonly tokens = new Map<string, number>();

  tell({ days }: UsageReport): void {
    for (const { date, uses } of days)
      for (const { model, tokens } of uses) {
        const key = `${date} ${model}`;
        this.tokens.set(key, Math.max(tokens, this.tokens.get(key) ?? 0));
      }
  }
}

test("what is counted is of the day that the tenant's calendar shows, also where it has 25 hours", () => {
  const usage = usageDays();
  // The clocks of Berlin go back on 25 October 2026.
  countDay(usage, [use("m", 8)], timeZone, Date.UTC(2026, 9, 24, 22));
  countDay(usage, [use("m", 16)], timeZone, Date.UTC(2026, 9, 25, 22, 59));
  countDay(usage, [use("m", 1)], timeZone, noon);
  countDay(usage, [use("m", 2)], timeZone, Date.UTC(2026, 10, 30, 22, 59));
  countDay(usage, [use("m", 4)], timeZone, Date.UTC(2026, 10, 30, 23));
  const tokens = usageReport(usage).days.map(({ date, uses }) => [date, uses[0]?.tokens]);
  expect(tokens).toEqual([
    ["2026-10-25", 24],
    ["2026-11-30", 3],
    ["2026-12-01", 4],
  ]);
});

test("a day is forgotten only when the book has all of it and its date can't come again", () => {
  const usage = usageDays();
  countDay(usage, [use("m", 1)], timeZone, noon);
  const early = usageReport(usage);
  countDay(usage, [use("m", 1)], timeZone, noon);
  reportBooked(usage, early, noon + 96 * hourMs);
  expect(isBooked(usage)).toBe(false);
  const whole = usageReport(usage);
  expect(whole.days).toMatchObject([{ uses: [{ tokens: 2 }] }]);
  reportBooked(usage, whole, noon + 13 * hourMs);
  expect(isBooked(usage)).toBe(true);
  expect(usageReport(usage).days).toHaveLength(1);
  reportBooked(usage, whole, noon + 96 * hourMs);
  expect(usageReport(usage).days).toEqual([]);
});

test("days of an org that is busy at every moment are forgotten as well, each when the book has all of it", () => {
  const usage = usageDays();
  const tomorrow = noon + 24 * hourMs;
  countDay(usage, [use("m", 1)], timeZone, noon);
  countDay(usage, [use("m", 1)], timeZone, tomorrow);
  const report = usageReport(usage);
  // While it is told, more is counted.
  countDay(usage, [use("m", 1)], timeZone, tomorrow + 96 * hourMs);
  reportBooked(usage, report, tomorrow + 96 * hourMs);
  expect(isBooked(usage)).toBe(false);
  expect(usageReport(usage).days.map(({ date }) => date)).toEqual(["2026-12-05"]);
  const second = usageReport(usage);
  countDay(usage, [use("m", 1)], timeZone, tomorrow + 96 * hourMs);
  reportBooked(usage, second, tomorrow + 400 * hourMs);
  expect(usageReport(usage).days).toMatchObject([{ uses: [{ tokens: 2 }] }]);
});

test("a book that is away for long is owed 40 days, the latest", () => {
  const usage = usageDays();
  for (let day = 0; day < 100; day += 1) countDay(usage, [use("m", 1)], "UTC", noon + day * 24 * hourMs);
  const { days } = usageReport(usage);
  expect(days).toHaveLength(40);
  expect(days.at(-1)?.date).toBe("2027-03-09");
});

function settlement(id: string, uses: readonly ModelUse[]): BucketBatch {
  const sum = (unit: "requests" | "tokens" | "microdollars") =>
    uses.reduce((total, each) => total + each[unit], 0);
  return {
    version: 1,
    rules: [],
    leaseMs: 60_000,
    timeZone,
    operations: [
      {
        type: "settle",
        id,
        receipt: null,
        sequence: 1,
        used: {
          requests: sum("requests"),
          tokens: sum("tokens"),
          slots: 0,
          microdollars: sum("microdollars"),
        },
        models: uses,
        held: noAmounts,
        granted: noAmounts,
        ended: true,
      },
    ],
    acknowledge: "now",
  };
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("settle" as const), model: fc.constantFrom("a", "b") }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("report" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("arrive", "arrive-and-answer", "lose" as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("kill", "rest", "hours" as const) }) },
);

test("whatever is killed, lost, late or doubled: in the end the book has what was acknowledged, and never more", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      (steps, seed) => {
        const book = new Book();
        const truth = new Map<string, number>();
        const onTheWay: UsageReport[] = [];
        let disk: string | null = null;
        let now = noon;
        let kept = new KeptBucket(null, now, true);
        let made = 0;
        let repeatableUntil = 0;
        const write = (text: string | null): void => {
          if (text !== null) disk = text;
        };
        const report = (): void => {
          const due = kept.reportUsage(now);
          if (due === null) return;
          write(due.write);
          onTheWay.push(due.report);
        };
        for (const [at, each] of steps.entries()) {
          if (each.do === "settle" || (each.do === "repeat" && now < repeatableUntil)) {
            const tokens = 1 + ((seed + at * 7) % 50);
            if (each.do === "settle") {
              made += 1;
              // A bucket knows an id that ended for two hours.
              repeatableUntil = now + 2 * hourMs;
              const date = usageReportOf(now);
              const key = `${date} ${each.model}`;
              truth.set(key, (truth.get(key) ?? 0) + tokens);
              write(kept.apply(settlement(`s${made}`, [use(each.model, tokens)]), now).write);
            } else write(kept.apply(settlement(`s${made}`, [use("a", 1)]), now).write);
          } else if (each.do === "report") report();
          else if (each.do === "arrive" || each.do === "arrive-and-answer") {
            const index = onTheWay.length === 0 ? 0 : seed % onTheWay.length;
            const [told] = onTheWay.splice(index, 1);
            if (told === undefined) continue;
            book.tell(told);
            // An answer that comes to another life of the object than the one that asked is heard by nobody.
            if (each.do === "arrive-and-answer" && told.counted <= made) kept.usageBooked(told, now);
          } else if (each.do === "lose") onTheWay.shift();
          else if (each.do === "kill") {
            kept = new KeptBucket(disk, now, true);
            onTheWay.length = 0;
          } else if (each.do === "rest") write(kept.rest(now));
          else now += 7 * hourMs;
          for (const [key, tokens] of book.tokens) expect(tokens).toBeLessThanOrEqual(truth.get(key) ?? 0);
        }
        report();
        for (const told of onTheWay) book.tell(told);
        expect(Object.fromEntries(book.tokens)).toEqual(Object.fromEntries(truth));
      },
    ),
    { numRuns: 1_000 },
  );
});

function usageReportOf(now: number): string {
  const usage = usageDays();
  countDay(usage, [], timeZone, now);
  return usageReport(usage).days[0]?.date ?? "";
}
