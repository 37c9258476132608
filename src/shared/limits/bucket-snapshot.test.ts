import { expect, test } from "vitest";
import { encode, restore } from "./bucket-snapshot.ts";
import { newBucket, nothing } from "./bucket-state.ts";

const now = 1_800_000_000_000;

/** With something in every place. */
function full() {
  const bucket = newBucket(now);
  const held = { ...nothing(), requests: 1, tokens: 10, slots: 1, microdollars: 5 };
  bucket.receipt = 7;
  bucket.epoch = now;
  bucket.revokedKeys.set("key", now + 1);
  bucket.charged = { ...held };
  bucket.settled = { ...held, tokens: 11 };
  bucket.unsettled = { ...held, tokens: 12 };
  bucket.unaccounted = { ...held, tokens: 13 };
  bucket.levels.set("requests_per_day", {
    level: 3,
    at: now,
    drained: 0,
    wholeAtMs: now,
    isCalendar: true,
    returned: 0,
  });
  bucket.open.set("open", {
    receipt: 7,
    held,
    used: nothing(),
    sequence: 1,
    lent: true,
    expiresAtMs: now + 1,
    slotsUntilMs: now + 1,
    slotsOf: "concurrent_requests",
    tails: { requests_per_day: 1 },
    models: { m: { requests: 1, tokens: 10, microdollars: 5 } },
  });
  bucket.closed.set("returned", { untilMs: now + 1, isReturned: true });
  bucket.lost = [{ after: 1, upTo: 2, atMs: now, periods: { requests_per_day: now } }];
  bucket.models = {
    startMs: now,
    endMs: now + 1,
    tallies: new Map([["m", { requests: 1, tokens: 10, microdollars: 5 }]]),
  };
  return bucket;
}

test("a bucket that is written and read again is the same in every part", () => {
  const written = encode(full(), null);
  expect(encode(restore(JSON.stringify(written), now), null)).toEqual(written);
});

test.each([
  ["exact", null],
  [
    "marked",
    {
      levels: new Map(),
      charged: { requests: 2, tokens: 20, slots: 1, microdollars: 9 },
      slots: new Map([["concurrent_requests", 1]]),
      leaseMs: 1000,
      untilMs: now + 1000,
    },
  ],
] as const)(
  "a roll-back has its buckets: of an %s snapshot, what only newer code knows is not read",
  (_what, marks) => {
    const written = JSON.stringify(encode(full(), marks));
    const newer = JSON.parse(written) as Record<string, unknown[]> & { models: Record<string, unknown[]>[] };
    const grow = (row: unknown): void => void (row as unknown[]).push({ unknown: 1 }, "more");
    for (const field of ["charged", "settled", "unsettled", "unaccounted", "charged_mark"])
      if (newer[field] !== undefined) grow(newer[field]);
    for (const field of ["revoked_keys", "levels", "open", "closed", "lost"]) newer[field]?.forEach(grow);
    const [open = []] = newer["open"] as unknown[][];
    for (const place of [2, 3]) grow(open[place]);
    grow((open[9] as Record<string, unknown>)["m"]);
    grow(newer.models[2]?.["m"]);
    grow(newer.models);
    const grown = JSON.stringify({ ...newer, later: { unknown: 1 } });
    expect(grown).not.toBe(written);
    expect(encode(restore(grown, now), null)).toEqual(encode(restore(written, now), null));
  },
);

test("what this code has never written is no snapshot", () => {
  const written = encode(full(), null);
  for (const change of [{ version: 2 }, { charged: [1] }, { open: [["id"]] }, { closed: [[1, 2]] }])
    expect(() => restore(JSON.stringify({ ...written, ...change }), now)).toThrow();
});
