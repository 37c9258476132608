import * as fc from "fast-check";
import { expect, test } from "vitest";
import { StopCutter } from "./stop-cutter.ts";

test("a text is cut at its first stop sequence, however it is dealt out", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 4 }), { maxLength: 12 }),
      fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 3 }), { maxLength: 3 }),
      (pieces, stops) => {
        const cutter = new StopCutter(stops);
        const shown = pieces.map((piece) => cutter.add(piece)).join("") + cutter.flush();
        const whole = pieces.join("");
        const ends = stops.map((stop) => whole.indexOf(stop)).filter((at) => at !== -1);
        expect(cutter.stopped).toBe(ends.length > 0);
        if (ends.length === 0) expect(shown).toBe(whole);
        // Cut at one of them, and nothing of what it showed holds one.
        else {
          expect(whole.startsWith(shown)).toBe(true);
          expect(stops.some((stop) => whole.startsWith(shown + stop))).toBe(true);
        }
      },
    ),
  );
});
