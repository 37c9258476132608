import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs, RetryBudget } from "./retry-budget.ts";

const settings = { capacity: 10, share: 0.2, perSecond: 1 };

test("retries that all fail are a share of the traffic", () => {
  const budget = new RetryBudget(settings);
  let retries = 0;
  for (let request = 0; request < 1000; request += 1) {
    budget.request(0);
    if (budget.take(0)) retries += 1;
  }
  expect(retries).toBeLessThanOrEqual(10 + 200);
  expect(retries).toBeGreaterThanOrEqual(200);
});

test("retries that succeed use nothing up", () => {
  const budget = new RetryBudget(settings);
  for (let request = 0; request < 1000; request += 1) {
    budget.request(0);
    expect(budget.take(0)).toBe(true);
    budget.giveBack(0);
  }
});

test("time alone brings retries back", () => {
  const budget = new RetryBudget(settings);
  for (let at = 0; at < 10; at += 1) expect(budget.take(0)).toBe(true);
  expect(budget.take(0)).toBe(false);
  expect(budget.take(1000)).toBe(true);
  expect(budget.take(1000)).toBe(false);
});

test("however time runs, never more than capacity, share and refill allow", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ stepMs: fc.integer({ min: -500, max: 2000 }), retry: fc.boolean() }), {
        maxLength: 200,
      }),
      (steps) => {
        const budget = new RetryBudget(settings);
        let nowMs = 0;
        let latestMs = 0;
        let taken = 0;
        for (const { stepMs, retry } of steps) {
          nowMs += stepMs;
          latestMs = Math.max(latestMs, nowMs);
          budget.request(nowMs);
          if (retry && budget.take(nowMs)) taken += 1;
        }
        const spanMs = Math.max(0, latestMs - Math.min(0, steps[0]?.stepMs ?? 0));
        expect(taken).toBeLessThanOrEqual(10 + steps.length * 0.2 + spanMs / 1000 + 1e-6);
      },
    ),
  );
});

test("back-off is jittered, doubles, and stays short", () => {
  expect(backoffMs(1, () => 0)).toBe(0);
  expect([1, 2, 3, 9].map((retry) => backoffMs(retry, () => 1))).toEqual([20, 40, 80, 320]);
});
