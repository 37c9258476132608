import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { SseEvents } from "./sse-events.ts";

const utf8 = new TextEncoder();

function eventsOf(pieces: readonly Uint8Array[]): string[] {
  const events = new SseEvents();
  const all: string[] = [];
  for (const piece of pieces) {
    expect(events.feed(piece)).toBe(true);
    for (let data = events.next(); data !== undefined; data = events.next()) all.push(data);
  }
  return all;
}

test.each([
  ["data: a\n\ndata: b\n\n", ["a", "b"]],
  ["data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]],
  ["data: a\r\rdata: b\r\r", ["a", "b"]],
  ["\n\r\n\rdata: a\n\r\ndata: b\r\n\n", ["a", "b"]],
  ["event: x\ndata: a\ndata:b\nid: 1\n\n", ["a\nb"]],
  [": comment\n: another\r\ndata: é🧪\n\n: more\n\n", ["é🧪"]],
  ["data: a\n\ndata: without its end\n", ["a"]],
])("%j has these events, byte by byte as well", (text, expected) => {
  const bytes = utf8.encode(text);
  expect(eventsOf([bytes])).toEqual(expected);
  expect(eventsOf(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected);
});

test("the events of a stream are those of the whole, wherever it is cut", () => {
  const line = fc.constantFrom("data: a", "data: é🧪", "data:", ": k", "event: x", "", "", "x");
  const end = fc.constantFrom("\n", "\r", "\r\n");
  const text = fc.array(fc.tuple(line, end), { maxLength: 20 }).map((lines) => lines.flat().join(""));
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (whole, sizes) => {
      const bytes = utf8.encode(whole);
      const pieces: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        pieces.push(bytes.slice(at, at + size));
        at += size;
      }
      expect(eventsOf(pieces)).toEqual(eventsOf([bytes]));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["data: a\n", 2 * 1_000 - 1],
  [": still here\r\n", undefined],
  ["data: a", 7 * 1_000 - "data: ".length],
])("of an event in many pieces (%j) nothing is read before its end, and then all at once", (piece, units) => {
  const decode = vi.spyOn(TextDecoder.prototype, "decode");
  const events = new SseEvents();
  for (let count = 0; count < 1_000; count += 1) {
    events.feed(utf8.encode(piece));
    expect(events.next()).toBeUndefined();
  }
  expect(decode).not.toHaveBeenCalled();
  events.feed(utf8.encode("\n\n"));
  expect(decode).toHaveBeenCalledTimes(2);
  decode.mockRestore();
  expect(events.next()?.length).toBe(units);
});
