import { expect, test } from "vitest";
import { unknownMetrics, type EngineMetrics } from "../engines/engine-metrics.ts";
import { confidence, estimateLoad } from "./load.ts";

test("what others do is believed less the older it is, and missing numbers mean nothing", () => {
  const busy = { running: 8, waiting: 4, cacheUsage: 0.5, workedTokens: null };
  const at = (metrics: EngineMetrics, nowMs: number) =>
    estimateLoad(2, 4, { atMs: 0, metrics, ownRequests: 4 }, nowMs);
  expect(at(busy, 0)).toBe(0.5 + 2);
  expect(at(busy, 10_000)).toBe(0.5 + 1);
  expect(at(busy, 30_000)).toBe(0.5);
  expect(at(unknownMetrics, 0)).toBe(0.5);
  expect(estimateLoad(2, 4, null, 0)).toBe(0.5);
  expect([confidence(-5), confidence(0), confidence(29_999) > 0]).toEqual([1, 1, true]);
});

test("a cache that is nearly full counts as load", () => {
  const polled = {
    atMs: 0,
    metrics: { running: 0, waiting: 0, cacheUsage: 1, workedTokens: null },
    ownRequests: 0,
  };
  expect(estimateLoad(0, 4, polled, 0)).toBeCloseTo(0.5);
});
