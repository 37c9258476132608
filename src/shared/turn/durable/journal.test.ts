import * as fc from "fast-check";
import { expect, test } from "vitest";
import { encodeRow, JournalPacker, type JournalRow, maxEventUnits, unpackRow } from "./journal.ts";
import type { JournalEvent } from "./ports.ts";

const oneLine = fc.string({ unit: "grapheme", maxLength: 60 }).map((text) => text.replaceAll(/[\r\n]/g, "¶"));
const event = fc.record<JournalEvent, "data">(
  { data: oneLine, name: fc.stringMatching(/^[a-z._]{1,20}$/) },
  { requiredKeys: ["data"] },
);
const step = fc.record({
  events: fc.array(event, { maxLength: 4 }),
  waitMs: fc.nat(150),
  urgent: fc.boolean(),
});

/** Plays the object: adds, waits, and writes when the packer says that it is due. */
function play(
  steps: readonly { events: readonly JournalEvent[]; waitMs: number; urgent: boolean }[],
  intervalMs: number,
): { rows: { atMs: number; row: JournalRow }[]; waited: number[] } {
  const packer = new JournalPacker(intervalMs);
  const rows: { atMs: number; row: JournalRow }[] = [];
  const waited: number[] = [];
  let nowMs = 1_000_000;
  const added: number[] = [];
  const write = (atMs: number): void => {
    for (const row of packer.take(atMs)) {
      rows.push({ atMs, row });
      for (let at = row.first; at < row.first + row.count; at += 1) waited.push(atMs - (added[at] ?? 0));
    }
  };
  for (const { events, waitMs, urgent } of steps) {
    for (const each of events) {
      added.push(nowMs);
      packer.add(each, urgent);
    }
    const until = nowMs + waitMs;
    const due = packer.dueInMs(nowMs);
    if (due !== null && nowMs + due <= until) write(nowMs + due);
    nowMs = until;
  }
  write(nowMs);
  return { rows, waited };
}

test("every event is in exactly one row, in order, numbered without a gap, and comes out as it went in", () => {
  fc.assert(
    fc.property(fc.array(step), fc.integer({ min: 50, max: 500 }), (steps, intervalMs) => {
      const events = steps.flatMap((each) => each.events);
      const { rows } = play(steps, intervalMs);
      let next = 0;
      for (const { row } of rows) {
        expect(row.first).toBe(next);
        next += row.count;
      }
      expect(rows.flatMap(({ row }) => unpackRow(row))).toEqual(events);
    }),
  );
});

test("rows keep their distance, two urgent ones apart, and no event waits longer than the interval", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20 }), fc.integer({ min: 50, max: 500 }), (steps, intervalMs) => {
      const { rows, waited } = play(steps, intervalMs);
      expect(Math.max(0, ...waited)).toBeLessThanOrEqual(intervalMs);
      const spacing = Math.min(intervalMs, 100);
      for (const { atMs } of rows) {
        const second = rows.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1000).length;
        // One more for the row at the window's start, and one for what the script's end writes at once.
        expect(second).toBeLessThanOrEqual(Math.ceil(1000 / spacing) + 2 + 1);
      }
    }),
  );
});

test("the first content is due at once, what precedes it waits a little, the next waits for the interval", () => {
  const packer = new JournalPacker(100);
  expect(packer.dueInMs(0)).toBeNull();
  packer.add({ data: "role" });
  expect(packer.dueInMs(0)).toBe(20);
  expect(packer.dueInMs(15)).toBe(5);
  packer.add({ data: "a" }, true);
  expect(packer.dueInMs(0)).toBe(0);
  expect(packer.take(0)).toMatchObject([{ first: 0, count: 2 }]);
  packer.add({ data: "b" });
  expect(packer.dueInMs(30)).toBe(70);
  packer.add({ data: "c" }, true);
  expect(packer.dueInMs(30)).toBe(0);
  expect(packer.take(30)).toMatchObject([{ first: 2, count: 2 }]);
  packer.add({ data: "d" });
  expect(packer.dueInMs(900)).toBe(0);
});

test("with a long interval, 4 KB leave after 100 ms", () => {
  const packer = new JournalPacker(500);
  packer.add({ data: "a" });
  packer.take(0);
  packer.add({ data: "x".repeat(5000) });
  expect(packer.dueInMs(20)).toBe(80);
});

test("no row grows past what a SQLite value holds", () => {
  const packer = new JournalPacker(100);
  packer.add({ data: "a" });
  packer.take(0);
  for (let at = 0; at < 7; at += 1) packer.add({ data: "é".repeat(200_000) });
  expect(packer.dueInMs(1)).toBe(0);
  const rows = packer.take(1);
  expect(rows.length).toBeGreaterThan(1);
  for (const row of rows) expect(new TextEncoder().encode(row.payload).length).toBeLessThan(2_000_000);
  expect(rows.map((row) => row.count).reduce((sum, count) => sum + count, 0)).toBe(7);
});

test("what cannot be one event is a broken invariant", () => {
  const packer = new JournalPacker(100);
  expect(() => packer.add({ data: "a\nb" })).toThrow(TypeError);
  expect(() => packer.add({ data: "a", name: "b c" })).toThrow(TypeError);
  expect(() => packer.add({ data: "a".repeat(maxEventUnits) })).toThrow(RangeError);
  expect(packer.take(0)).toEqual([]);
});

test("a reader from any position gets the rest, byte for byte, with numbers where asked", () => {
  fc.assert(
    fc.property(fc.array(step), fc.boolean(), (steps, ids) => {
      const rows = play(steps, 100).rows.map(({ row }) => row);
      const blocks = rows.flatMap((row) =>
        unpackRow(row).map((each, at) => {
          const id = ids ? `id: ${row.first + at}\n` : "";
          const name = each.name === undefined ? "" : `event: ${each.name}\n`;
          return `${id}${name}data: ${each.data}\n\n`;
        }),
      );
      for (let from = 0; from <= blocks.length; from += 1)
        expect(rows.map((row) => encodeRow(row, from, ids)).join("")).toBe(blocks.slice(from).join(""));
    }),
    { numRuns: 40 },
  );
});

test("the row carries what was delivered by then", () => {
  const usage = { promptTokens: 5, completionTokens: 1, cachedTokens: 0, reasoningTokens: 0 };
  const packer = new JournalPacker(100);
  packer.add({ data: "a" });
  expect(packer.take(0)[0]?.usage).toBeNull();
  packer.progress(usage);
  packer.add({ data: "b" });
  expect(packer.take(1)[0]?.usage).toEqual(usage);
});
