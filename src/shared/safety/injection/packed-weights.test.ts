import * as fc from "fast-check";
import { expect, test } from "vitest";
import { packWeights, unpackWeights } from "./packed-weights.ts";

test("weights come back as they were, each of the 256 of them", () => {
  const every = Int8Array.from({ length: 256 }, (_, at) => at - 128);
  expect([...unpackWeights(packWeights(every))]).toEqual([...every]);
  fc.assert(
    fc.property(fc.int8Array(), (bytes) => {
      expect([...unpackWeights(packWeights(bytes))]).toEqual([...bytes]);
    }),
  );
});

test("the text is printable ASCII without the quotation mark that holds it in a source file", () => {
  const every = Int8Array.from({ length: 256 }, (_, at) => at - 128);
  expect(packWeights(every)).toMatch(/^[ -~]+$/);
  expect(packWeights(every)).not.toContain('"');
});
