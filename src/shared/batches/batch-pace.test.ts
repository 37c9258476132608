import { expect, test } from "vitest";
import { BatchPace } from "./batch-pace.ts";

test("with every answer one more line is under way, up to the most", () => {
  const pace = new BatchPace(10);
  const widths = Array.from({ length: 9 }, () => {
    pace.answered();
    return pace.width;
  });
  expect(widths).toEqual([5, 6, 7, 8, 9, 10, 10, 10, 10]);
  expect(new BatchPace(2).width).toBe(2);
});

test("refusals halve it and make the pause longer each time, until something is answered", () => {
  const pace = new BatchPace(64);
  let nowMs = 1_000_000;
  const pauses: number[] = [];
  for (let refusal = 0; refusal < 9; refusal += 1) {
    pace.refused(0, nowMs, 0);
    pauses.push(pace.pauseMs(nowMs));
    nowMs += pace.pauseMs(nowMs);
  }
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  expect(pace.width).toBe(1);
  pace.answered();
  pace.refused(0, nowMs, 0);
  expect(pace.pauseMs(nowMs)).toBe(500);
});

test("those that were under way together count as one refusal", () => {
  const pace = new BatchPace(64);
  for (let line = 0; line < 4; line += 1) pace.refused(2000, 1000, 0);
  expect([pace.width, pace.pauseMs(1000)]).toEqual([2, 2000]);
});

test("it waits as long as it is told to, but for a minute at most: a limit may be raised", () => {
  const pace = new BatchPace(8);
  pace.refused(86_400_000, 0, 0);
  expect(pace.pauseMs(0)).toBe(60_000);
});

test("a clock that goes back by hours makes nothing wait for them", () => {
  const pace = new BatchPace(8);
  pace.refused(60_000, 10_000_000, 1);
  expect(pace.pauseMs(10_000_000)).toBe(75_000);
  expect(pace.pauseMs(10_000)).toBe(0);
  pace.refused(0, 10_000, 0);
  expect(pace.pauseMs(10_000)).toBe(1000);
});
