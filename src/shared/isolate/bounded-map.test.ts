import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BoundedMap } from "./bounded-map.ts";

test("what is used survives any number of newcomers", () => {
  const map = new BoundedMap<string, number>({ maxEntries: 10 });
  map.set("used", 1);
  for (let newcomer = 0; newcomer < 1000; newcomer += 1) {
    map.set(`newcomer ${newcomer}`, newcomer);
    expect(map.get("used")).toBe(1);
  }
  expect(map.get("newcomer 0")).toBeUndefined();
  expect(map.size).toBeLessThanOrEqual(20);
});

test("heavy entries count by their weight", () => {
  const map = new BoundedMap<string, string>({
    maxEntries: 1000,
    maxWeight: 100,
    weigh: (_key, value) => value.length,
  });
  for (let at = 0; at < 50; at += 1) map.set(String(at), "x".repeat(30));
  expect(map.size).toBeLessThanOrEqual(8);
});

test("a deleted or replaced entry never comes back with its old value", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom("set", "get", "delete", "turn"), fc.nat({ max: 5 }), fc.nat()), {
        maxLength: 200,
      }),
      (operations) => {
        const map = new BoundedMap<number, number>({ maxEntries: 3 });
        const model = new Map<number, number>();
        for (const [operation, key, value] of operations) {
          if (operation === "set") {
            map.set(key, value);
            model.set(key, value);
          } else if (operation === "delete") {
            map.delete(key);
            model.delete(key);
          } else if (operation === "turn") map.turn();
          const found = map.get(key);
          // It may have forgotten, but it never tells something else.
          if (found !== undefined) expect(found).toBe(model.get(key));
          expect(map.size).toBeLessThanOrEqual(6);
        }
      },
    ),
  );
});
