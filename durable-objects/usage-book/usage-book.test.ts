import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import type { DayUse, ReadUsage, ReadUsageOutcome } from "../../src/shared/contracts/usage-book.ts";
import { countWrites } from "../../test/workers/count-writes.ts";

afterEach(() => void vi.useRealTimers());

let made = 0;
function book() {
  made += 1;
  return env.USAGE_BOOK.getByName(`demo-${made}/usage`);
}
type Stub = ReturnType<typeof book>;

const tenant = "demo";
const dayMs = 86_400_000;

async function tell(stub: Stub, org: string, date: string, model: string, tokens: number): Promise<void> {
  const uses = [{ model, requests: 1, tokens, microdollars: tokens * 3 }];
  expect(await stub.book({ v: 1, tenant, org, days: [{ date, uses }] })).toEqual({ result: "booked" });
}

const everything: ReadUsage = {
  v: 1,
  tenant,
  from: "2026-01-01",
  until: "2027-01-01",
  org: null,
  model: null,
  groups: ["date", "org", "model"],
  after: null,
  limit: 100,
};

type Read = Extract<ReadUsageOutcome, { readonly result: "ok" }>;

async function read(stub: Stub, more: Partial<ReadUsage> = {}): Promise<Read> {
  const outcome = await stub.read({ ...everything, ...more });
  if (outcome.result !== "ok") throw new Error(outcome.result);
  return outcome;
}

test("a day that is told doubled, late and in any order stands at the largest that was told", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 1, max: 99 })), { minLength: 1 }),
      async (told) => {
        const stub = book();
        const most = new Map<string, number>();
        for (const [org, tokens] of told) {
          await tell(stub, org, "2026-11-30", "m", tokens);
          most.set(org, Math.max(tokens, most.get(org) ?? 0));
        }
        const { lines } = await read(stub);
        expect(new Map(lines.map((line) => [line.org, line.tokens]))).toEqual(most);
      },
    ),
    { numRuns: 20 },
  );
});

test("totals by any of day, org and model, narrowed, and of the whole range", async () => {
  const stub = book();
  await tell(stub, "a", "2026-11-29", "m", 1);
  await tell(stub, "a", "2026-11-30", "m", 2);
  await tell(stub, "b", "2026-11-30", "m", 4);
  await tell(stub, "b", "2026-11-30", "n", 8);
  await evictDurableObject(stub);
  const tokens = async (more: Partial<ReadUsage>) =>
    (await read(stub, more)).lines.map((line) => [line.date, line.org, line.model, line.tokens]);
  expect(await tokens({ groups: ["date"] })).toEqual([
    ["2026-11-29", null, null, 1],
    ["2026-11-30", null, null, 14],
  ]);
  expect(await tokens({ groups: ["org", "model"], from: "2026-11-30" })).toEqual([
    [null, "a", "m", 2],
    [null, "b", "m", 4],
    [null, "b", "n", 8],
  ]);
  expect(await tokens({ groups: [], model: "m" })).toEqual([[null, null, null, 7]]);
  expect(await tokens({ groups: [], org: "nobody" })).toEqual([]);
  expect(await tokens({ groups: ["date"], until: "2026-11-30" })).toEqual([["2026-11-29", null, null, 1]]);
  expect((await read(stub, { org: "b", limit: 1 })).total).toEqual({
    requests: 2,
    tokens: 12,
    microdollars: 36,
  });
});

test("pages follow one another without a gap, whatever is told between them", async () => {
  const stub = book();
  for (let org = 10; org < 20; org += 1) await tell(stub, `o${org}`, "2026-11-30", "m", org);
  const first = await read(stub, { groups: ["org"], limit: 4 });
  expect(first).toMatchObject({ hasMore: true });
  await tell(stub, "o0", "2026-11-30", "m", 1);
  await tell(stub, "o99", "2026-11-30", "m", 1);
  const rest = await read(stub, { groups: ["org"], limit: 100, after: [first.lines.at(-1)?.org ?? ""] });
  expect(rest.hasMore).toBe(false);
  expect([...first.lines, ...rest.lines].map(({ org }) => org)).toEqual(
    [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 99].map((org) => `o${org}`),
  );
});

test("what is known already costs no row, and a book that was only asked holds no table", async () => {
  const stub = book();
  expect(await read(stub)).toEqual({
    result: "ok",
    lines: [],
    hasMore: false,
    total: { requests: 0, tokens: 0, microdollars: 0 },
  });
  await runInDurableObject(stub, (_object, { storage }) => {
    expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'used'").toArray()).toEqual([]);
  });
  await tell(stub, "a", "2026-11-30", "m", 5);
  let rows = 0;
  await runInDurableObject(stub, (_object, { storage }) => {
    countWrites(storage.sql, "exec", (cursor) => {
      rows += (cursor as { rowsWritten: number }).rowsWritten;
    });
  });
  await tell(stub, "a", "2026-11-30", "m", 5);
  expect(rows).toBe(0);
  await tell(stub, "a", "2026-11-30", "m", 6);
  expect(rows).toBe(1);
  vi.restoreAllMocks();
});

test("days go after 400 days, by the book's own alarm, and an empty book leaves nothing", async () => {
  const stub = book();
  // By today: an alarm that is past on the real clock comes by itself, between any two steps.
  const nowMs = Date.now();
  const daysAgo = (days: number) => new Date(nowMs - days * dayMs).toISOString().slice(0, 10);
  const days: DayUse[] = [401, 400].map((ago) => ({
    date: daysAgo(ago),
    uses: [{ model: "m", requests: 1, tokens: 1, microdollars: 1 }],
  }));
  await stub.book({ v: 1, tenant, org: "a", days });
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  const always = { from: "2020-01-01", until: "9999-01-01" };
  expect((await read(stub, always)).lines.map(({ date }) => date)).toEqual([daysAgo(400)]);
  vi.setSystemTime(nowMs + dayMs);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  await runInDurableObject(stub, async (_object, { storage }) => {
    expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'used'").toArray()).toEqual([]);
    expect(await storage.getAlarm()).toBeNull();
  });
  await tell(stub, "a", daysAgo(0), "m", 1);
  expect((await read(stub, always)).lines).toHaveLength(1);
});

test("another tenant's book tells nothing, and a version that is not known is said to be none", async () => {
  const stub = book();
  await tell(stub, "a", "2026-11-30", "m", 5);
  expect(await stub.read({ ...everything, tenant: "other" })).toEqual({ result: "unknown" });
  expect(await stub.book({ v: 1, tenant: "other", org: "a", days: [] })).toEqual({ result: "unknown" });
  const newer = { ...everything, v: 2 } as unknown as ReadUsage;
  expect(await stub.read(newer)).toEqual({ result: "version-unsupported", supported: 1 });
});
