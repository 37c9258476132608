import { expect, test } from "vitest";
import { addressWindowMs, AddressLimiter } from "./address-limiter.ts";
import type { SharedCounter } from "./ports.ts";

function bench(options: { blockSize?: number; shared?: SharedCounter | null } = {}) {
  let time = 1_000;
  const pending: Promise<unknown>[] = [];
  const limiter = new AddressLimiter({
    blockSize: options.blockSize ?? 1,
    shared: options.shared ?? null,
    now: () => time,
  });
  return {
    count: (address: string, max = 3) =>
      limiter.count(address, max, { run: (_, work) => void pending.push(work) }),
    waitMs: (address: string) => limiter.waitMs(address),
    advance: (ms: number) => (time += ms),
    settled: () => Promise.all(pending),
  };
}

test("an address gets its number in a window, then waits for the window's end", () => {
  const { count, advance, waitMs } = bench();
  expect([count("a"), count("a"), count("a")]).toEqual([null, null, null]);
  advance(10_000);
  expect(count("a")).toBe(addressWindowMs - 10_000);
  expect(waitMs("a")).toBe(addressWindowMs - 10_000);
  expect(count("b")).toBeNull();
  advance(addressWindowMs - 10_000);
  expect(waitMs("a")).toBeNull();
  expect(count("a")).toBeNull();
});

test("the location's counter is asked once a block, and its no holds until the window's end", async () => {
  let asked = 0;
  const { count, settled } = bench({
    blockSize: 10,
    shared: { count: async () => (asked += 1) <= 2 },
  });
  for (let request = 0; request < 30; request += 1) expect(count("a", 1_000)).toBeNull();
  expect(asked).toBe(3);
  await settled();
  expect(count("a", 1_000)).toBe(addressWindowMs);
  expect(count("b", 1_000)).toBeNull();
});

test("the location's no from the last window is over with it", async () => {
  const { count, settled, advance } = bench({ shared: { count: async () => false } });
  expect(count("a")).toBeNull();
  await settled();
  expect(count("a")).toBe(addressWindowMs);
  advance(addressWindowMs);
  expect(count("a")).toBeNull();
});

test("a hundred thousand addresses leave no more than the map's bound, and the flood's own stay refused", () => {
  const { count } = bench();
  for (let request = 0; request < 4; request += 1) count("flood");
  for (let address = 0; address < 100_000; address += 1) {
    count(`10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`);
    if (address % 10_000 === 0) expect(count("flood")).not.toBeNull();
  }
  expect(count("flood")).not.toBeNull();
});
