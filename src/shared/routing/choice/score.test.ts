import * as fc from "fast-check";
import { expect, test } from "vitest";
import { distanceCostMs, loadCostMs } from "./score.ts";

test("load and distance cost more the more there is of them", () => {
  const load = fc.double({ min: 0, max: 50, noNaN: true });
  fc.assert(
    fc.property(load, load, (left, right) => {
      if (left < right) expect(loadCostMs(left)).toBeLessThanOrEqual(loadCostMs(right));
    }),
  );
  expect(distanceCostMs(null, { latitude: 5, longitude: 5 })).toBe(0);
});
