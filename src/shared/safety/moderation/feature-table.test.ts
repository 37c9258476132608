import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FeatureTable } from "./feature-table.ts";

test("look-ups give the same results as a Map with the same entries", () => {
  // Few low bits, so that many collide.
  const feature = fc.tuple(fc.nat(3), fc.nat(255)).map(([low, high]) => low + high * 65_536);
  fc.assert(
    fc.property(fc.array(fc.tuple(feature, fc.nat())), fc.array(feature), (entries, asked) => {
      const table = new FeatureTable(entries.length);
      for (const [key, place] of entries) table.set(key, place);
      const map = new Map(entries);
      for (const key of [...asked, ...map.keys()]) expect(table.get(key)).toBe(map.get(key) ?? -1);
    }),
  );
});
