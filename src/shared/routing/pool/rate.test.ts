import { expect, test } from "vitest";
import { Rate } from "./rate.ts";

/** Ten events a second, from `fromMs` for so long. */
function steady(fromMs: number, forMs: number): Rate {
  const rate = new Rate(10_000);
  for (let at = fromMs; at < fromMs + forMs; at += 100) rate.add(at);
  return rate;
}

test.each([2_000, 10_000, 120_000])("ten events a second are a rate of ten, after %d ms", (forMs) => {
  for (const fromMs of [0, 1_900_000_000_000]) {
    const perSecond = steady(fromMs, forMs).perSecond(fromMs + forMs);
    expect(perSecond).toBeGreaterThan(9.5);
    expect(perSecond).toBeLessThan(10.5);
  }
});

test("a rate halves with each half-life in which nothing happens, and is 0 before the first event", () => {
  expect(new Rate(10_000).perSecond(5_000)).toBe(0);
  const rate = steady(0, 120_000);
  expect(rate.perSecond(130_000) / rate.perSecond(120_000)).toBeCloseTo(0.5, 2);
});

test("a single event is never taken for more than two a second", () => {
  const rate = new Rate(10_000);
  rate.add(1_000);
  expect(rate.perSecond(1_001)).toBeLessThanOrEqual(2);
});
