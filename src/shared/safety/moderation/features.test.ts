import * as fc from "fast-check";
import { expect, test } from "vitest";
import { eachFeature, symbolsOf, type TextSymbol, withoutRuns } from "./features.ts";
import { plainWords } from "./plain-words.ts";

function featuresOf(symbols: readonly TextSymbol[]): number[] {
  const found = new Set<number>();
  eachFeature(symbols, (feature) => found.add(feature));
  return [...found].sort((a, b) => a - b);
}

test("text repeated in a row has the same features, however often it is repeated", () => {
  const word = fc.constantFrom("kill", "women", "hate", "!", ".", "\n", "9", "table", "not", "gay", "people");
  const run = fc.tuple(word, fc.integer({ min: 1, max: 12 }));
  fc.assert(
    fc.property(fc.array(run, { maxLength: 8 }), (runs) => {
      const text = runs.flatMap(([one, times]) => Array.from({ length: times }, () => one)).join(" ");
      const symbols = symbolsOf(plainWords(text));
      const kept = withoutRuns(symbols);
      expect(featuresOf(kept)).toEqual(featuresOf(symbols));
      expect(withoutRuns(kept)).toBe(kept);
    }),
  );
});
