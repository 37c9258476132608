import * as fc from "fast-check";
import { expect, test } from "vitest";
import { after, before, type Branch, isOn, keyOf, pathTo, placeOf, type Segment } from "./item-path.ts";

/** The keys on a path, newest first. */
function keys(path: readonly Segment[]): number[] {
  return path.flatMap(({ above, upTo }) => Array.from({ length: upTo - above }, (_, at) => upTo - at));
}

test("a conversation without branches is one range, with positions as they were", () => {
  const path = pathTo({ branch: 0, position: 5 }, () => null);
  expect(path).toEqual([{ branch: 0, above: 0, upTo: 5 }]);
  expect(pathTo({ branch: 0, position: 0 }, () => null)).toEqual([]);
});

test("a branch is its own items behind those of its parent up to the fork", () => {
  const branches: Record<number, Branch> = { 1: { parent: 0, fork: 2 }, 2: { parent: 1, fork: 4 } };
  const path = pathTo({ branch: 2, position: 6 }, (branch) => branches[branch] ?? null);
  const at = (branch: number, position: number) => keyOf({ branch, position });
  expect(keys(path)).toEqual([at(2, 6), at(2, 5), at(1, 4), at(1, 3), at(0, 2), at(0, 1)]);
  expect(isOn(path, at(0, 3))).toBe(false);
  expect(keys(before(path, at(1, 4)))).toEqual([at(1, 3), at(0, 2), at(0, 1)]);
  expect(keys(after(path, at(1, 3)))).toEqual([at(2, 6), at(2, 5), at(1, 4)]);
});

test("a branch off an ancestor's items, or off the beginning, shows nothing of what lies between", () => {
  const branches: Record<number, Branch> = { 1: { parent: 0, fork: 4 }, 2: { parent: 0, fork: 0 } };
  const branchOf = (branch: number) => branches[branch] ?? null;
  expect(keys(pathTo({ branch: 2, position: 1 }, branchOf))).toEqual([keyOf({ branch: 2, position: 1 })]);
  // Up to an item before the fork, named by the branch that shares it.
  expect(keys(pathTo({ branch: 1, position: 3 }, branchOf))).toEqual([3, 2, 1]);
});

test("a branch that leads to itself, or begins nowhere, is told", () => {
  expect(() => pathTo({ branch: 1, position: 9 }, () => ({ parent: 1, fork: 8 }))).toThrow("leads to itself");
  expect(() => pathTo({ branch: 1, position: 9 }, () => null)).toThrow("without its beginning");
});

test("keys keep branch and position apart, and order the items of a branch", () => {
  fc.assert(
    fc.property(fc.nat(65_535), fc.nat(2 ** 24 - 1), (branch, position) => {
      expect(placeOf(keyOf({ branch, position }))).toEqual({ branch, position });
      expect(keyOf({ branch, position })).toBeLessThan(keyOf({ branch: branch + 1, position: 0 }));
    }),
  );
  expect(() => keyOf({ branch: 0, position: 2 ** 24 })).toThrow(RangeError);
});

test("whatever branches there are, a path is every item from the first to its end, once, in order", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(9), fc.nat(9)), { maxLength: 20 }), (plan) => {
      // A model with parents at the items: each branch is forked off an item of any earlier one.
      const branches: (Branch & { end: number })[] = [{ parent: 0, fork: 0, end: 5 }];
      const parentOf = new Map<number, number>();
      for (let position = 1; position <= 5; position += 1) parentOf.set(position, position - 1);
      for (const [chosen, step, length] of plan) {
        const parent = chosen % branches.length;
        const of = branches[parent];
        if (of === undefined) throw new Error("no branch");
        const own = of.end - of.fork;
        if (own === 0) continue;
        const fork = of.fork + 1 + (step % own);
        const branch = branches.length;
        branches.push({ parent, fork, end: fork + length });
        for (let position = fork + 1; position <= fork + length; position += 1)
          parentOf.set(
            keyOf({ branch, position }),
            position === fork + 1
              ? keyOf({ branch: parent, position: fork })
              : keyOf({ branch, position: position - 1 }),
          );
      }
      for (const [branch, { end, fork, parent }] of branches.entries()) {
        const walked: number[] = [];
        let key = end > fork ? keyOf({ branch, position: end }) : keyOf({ branch: parent, position: fork });
        for (; key !== 0; key = parentOf.get(key) ?? 0) walked.push(key);
        expect(keys(pathTo({ branch, position: end }, (one) => branches[one] ?? null))).toEqual(walked);
      }
    }),
  );
});
