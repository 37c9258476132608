import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ReadPace } from "./read-pace.ts";

/** An engine that says `bytes` each `everyMs`, read as the pace says; for each event, how long it waited to be read. */
function waits(pace: ReadPace, events: number, bytes: number, everyMs: number): number[] {
  const waited: number[] = [];
  let unread: number[] = [];
  for (let at = 0; at < events; at++) {
    const nowMs = at * everyMs;
    unread.push(nowMs);
    if (unread.length * bytes < pace.minBytes()) continue;
    pace.note(unread.length * bytes, nowMs);
    for (const sinceMs of unread) waited.push(nowMs - sinceMs);
    unread = [];
  }
  return waited;
}

test("the first tokens are read each alone", () => {
  expect(waits(new ReadPace(30), 3, 300, 1)).toEqual([0, 0, 0]);
});

test("two tokens that come together in the beginning make no later one wait for more than come in time", () => {
  const pace = new ReadPace(50);
  for (const atMs of [0, 2, 40]) pace.note(300, atMs);
  expect(Math.ceil(pace.minBytes() / 300)).toBe(3);
  pace.note(900, 100);
  expect(Math.ceil(pace.minBytes() / 300)).toBe(3);
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
  waits(pace, 60, 300, everyMs);
  expect(Math.ceil(pace.minBytes() / 300)).toBe(together);
});

test("at an even pace no token ever waits as long as it may", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 50, max: 2000 }),
      fc.integer({ min: 1, max: 100 }),
      (gatherMs, bytes, everyMs) => {
        const waited = waits(new ReadPace(gatherMs), 200, bytes, everyMs);
        expect(Math.max(...waited)).toBeLessThan(gatherMs);
      },
    ),
  );
});

test("without time to wait every read takes what comes", () => {
  const pace = new ReadPace(0);
  waits(pace, 50, 300, 1);
  expect(pace.minBytes()).toBe(1);
});

test("much that comes at once after a pause makes no read wait for more than a few events", () => {
  const pace = new ReadPace(30);
  for (let at = 0; at < 20; at++) pace.note(300, at * 20);
  pace.note(100_000, 5000);
  pace.note(8192, 5000);
  expect(pace.minBytes()).toBeLessThanOrEqual(2048);
});
