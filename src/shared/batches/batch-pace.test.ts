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
    pauses.push(pace.resumeMs - nowMs);
    nowMs = pace.resumeMs;
  }
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  expect(pace.width).toBe(1);
  pace.answered();
  pace.refused(0, nowMs, 0);
  expect(pace.resumeMs - nowMs).toBe(500);
});

test("those that were under way together count as one refusal", () => {
  const pace = new BatchPace(64);
  for (let line = 0; line < 4; line += 1) pace.refused(2000, 1000, 0);
  expect([pace.width, pace.resumeMs]).toEqual([2, 3000]);
});

test("it waits as long as it is told to, but for a minute at most: a limit may be raised", () => {
  const pace = new BatchPace(8);
  pace.refused(86_400_000, 0, 0);
  expect(pace.resumeMs).toBe(60_000);
});
