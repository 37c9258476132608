import * as fc from "fast-check";
import { expect, test } from "vitest";
import { nearEqualMs, pick, waterLevel } from "./pick.ts";
import { seeded } from "../pool/seeded-fixture.ts";

const at = (costMs: number, weight = 1) => ({ costMs, weight });

function shares(scored: readonly ReturnType<typeof at>[], staleMs: number, home = -1): number[] {
  const random = seeded(3);
  const counts = scored.map(() => 0);
  for (let turn = 0; turn < 20_000; turn += 1) {
    const index = pick(scored, home, staleMs, random);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts.map((count) => Math.round((count / 20_000) * 100) / 100);
}

test("water fills the lowest ground first, and all of the work is in it", () => {
  const cost = fc.double({ min: 0, max: 10_000, noNaN: true });
  fc.assert(
    fc.property(fc.array(cost, { minLength: 1, maxLength: 40 }), cost, (costs, workMs) => {
      const level = waterLevel(Float64Array.from(costs), workMs);
      const held = costs.reduce((sum, each) => sum + Math.max(0, level - each), 0);
      expect(held).toBeCloseTo(workMs * costs.length, 3);
    }),
  );
});

test("with good news only near-equals are taken, the cheaper of two of them", () => {
  expect(shares([at(100), at(100 + nearEqualMs + 1)], 0)).toEqual([1, 0]);
  const [best = 0, second = 0, third = 0] = shares([at(100), at(101), at(102)], 0);
  expect(best).toBeGreaterThan(second);
  expect(second).toBeGreaterThan(third);
  expect(third).toBeLessThan(0.05);
});

test("with old news all get work until they would be level: the busy ones less, none all of it", () => {
  const [idle = 0, busy = 0, full = 0] = shares([at(0), at(500), at(5000)], 1000);
  expect(idle).toBeGreaterThan(busy);
  expect(busy).toBeGreaterThan(0.3);
  expect(full).toBe(0);
});

test("a home is taken while it is not what makes the others level, and left when it is too dear", () => {
  expect(shares([at(0), at(400)], 1000, 1)).toEqual([0, 1]);
  expect(shares([at(0), at(400)], 0, 1)).toEqual([1, 0]);
  expect(shares([at(0), at(9000)], 1000, 1)).toEqual([1, 0]);
});

test("a replica of a tenth of the weight gets a tenth of its peers' work", () => {
  const [slow = 0] = shares([at(0, 0.1), at(0), at(0)], 1000);
  expect(slow).toBeGreaterThan(0.03);
  expect(slow).toBeLessThan(0.07);
});

test("one alone is taken whatever it costs, and of none, none", () => {
  expect(pick([at(1e9)], 0, 0, () => 0.5)).toBe(0);
  expect(pick([], -1, 0, () => 0.5)).toBe(-1);
});
