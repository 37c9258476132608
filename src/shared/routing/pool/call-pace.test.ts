import { expect, test } from "vitest";
import { CallMeter } from "./call-pace.ts";

/** Callers that keep to the pace; returns it after so long. */
function settled(locations: number, sources: number, asksPerSecond: number, seconds = 30) {
  const meter = new CallMeter();
  let pace = meter.pace(sources, 0);
  let refreshes = 0;
  let asks = 0;
  let calls = 0;
  let last = 0;
  for (let ms = 0; ms < seconds * 1000; ms += 10) {
    refreshes += (locations * 10) / pace.refreshEveryMs;
    for (; refreshes >= 1; refreshes -= 1, calls += 1) meter.called("refresh", ms);
    asks += asksPerSecond * pace.askShare * 0.01;
    for (; asks >= 1; asks -= 1, calls += 1) meter.called("ask", ms);
    if (ms % 1000 === 0) {
      last = calls;
      calls = 0;
    }
    pace = meter.pace(sources, ms);
  }
  return { pace, callsPerSecond: last };
}

test("few callers come once a second, and everybody may ask", () => {
  expect(settled(2, 10, 20).pace).toEqual({
    refreshEveryMs: 1000,
    reportEveryMs: 1000,
    noticeEveryMs: expect.any(Number),
    askShare: 1,
  });
});

test("many locations come less often, together some seventy times a second", () => {
  const { pace, callsPerSecond } = settled(200, 2000, 0);
  expect(pace.refreshEveryMs).toBeGreaterThan(2000);
  expect(callsPerSecond).toBeLessThan(110);
  expect(pace.reportEveryMs).toBe(60_000);
});

test("of a thousand that would ask each second only as many may as the pool can take", () => {
  const { pace, callsPerSecond } = settled(10, 100, 1000);
  expect(pace.askShare).toBeLessThan(0.25);
  expect(pace.askShare).toBeGreaterThan(0.05);
  expect(callsPerSecond).toBeLessThanOrEqual(200);
});
