import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ReadPace } from "./read-pace.ts";

/** An engine that says `bytes` at each of these times, read as the pace says; for each event, how long it waited to be read. */
function waits(pace: ReadPace, events: number, bytes: number, atMs: (event: number) => number): number[] {
  const waited: number[] = [];
  let unread: number[] = [];
  for (let at = 0; at < events; at++) {
    const nowMs = atMs(at);
    unread.push(nowMs);
    if (unread.length * bytes < pace.minBytes()) continue;
    pace.note(unread.length * bytes, nowMs);
    for (const sinceMs of unread) waited.push(nowMs - sinceMs);
    unread = [];
  }
  return waited;
}

const every =
  (everyMs: number) =>
  (event: number): number =>
    event * everyMs;

test("the first tokens are read each alone", () => {
  expect(waits(new ReadPace(30), 3, 300, every(1))).toEqual([0, 0, 0]);
});

test("two tokens that come together in the beginning make no later one wait for more than come in time", () => {
  const pace = new ReadPace(50);
  for (const atMs of [0, 2, 40]) pace.note(300, atMs);
  expect(pace.minBytes()).toBe(1);
  pace.note(300, 80);
  expect(Math.ceil(pace.minBytes() / 300)).toBe(2);
});

test("however many tokens come together in the beginning, no later one waits as long as it may", () => {
  const beginnings = fc.record({
    together: fc.integer({ min: 1, max: 8 }),
    apartMs: fc.constantFrom(0, 0.3, 0.6),
    everyMs: fc.integer({ min: 5, max: 150 }),
  });
  fc.assert(
    fc.property(beginnings, ({ together, apartMs, everyMs }) => {
      const atMs = (at: number): number =>
        at < together ? at * apartMs : together * apartMs + (at - together + 1) * everyMs;
      const waited = waits(new ReadPace(50), 100, 300, atMs);
      expect(Math.max(...waited)).toBeLessThan(50);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  [20, 2],
  [10, 3],
  [5, 6],
  [29, 2],
  [30, 1],
  [31, 1],
  [200, 1],
])("tokens %i ms apart are read %i at a time", (everyMs, together) => {
  const pace = new ReadPace(30);
  waits(pace, 60, 300, every(everyMs));
  expect(Math.ceil(pace.minBytes() / 300)).toBe(together);
});

test("at an even pace no token ever waits as long as it may", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 50, max: 2000 }),
      fc.integer({ min: 1, max: 100 }),
      (gatherMs, bytes, everyMs) => {
        const waited = waits(new ReadPace(gatherMs), 200, bytes, every(everyMs));
        expect(Math.max(...waited)).toBeLessThan(gatherMs);
      },
    ),
  );
});

test("without time to wait every read takes what comes", () => {
  const pace = new ReadPace(0);
  waits(pace, 50, 300, every(1));
  expect(pace.minBytes()).toBe(1);
});

test("much that comes at once after a pause makes no read wait for more than a few events", () => {
  const pace = new ReadPace(30);
  for (let at = 0; at < 20; at++) pace.note(300, at * 20);
  pace.note(100_000, 5000);
  pace.note(8192, 5000);
  expect(pace.minBytes()).toBeLessThanOrEqual(2048);
});
