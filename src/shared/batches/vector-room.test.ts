import * as fc from "fast-check";
import { expect, test } from "vitest";
import { VectorRoom } from "./vector-room.ts";

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test("whoever comes enters in turn, and no more are in at once than there is room for, but for one alone", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }),
      async (sizes) => {
        const room = new VectorRoom(8);
        const within: { readonly size: number; readonly leave: () => void }[] = [];
        const entered: number[] = [];
        for (const [at, size] of sizes.entries())
          void room.enter(size).then((leave) => {
            entered.push(at);
            within.push({ size, leave });
          });
        for (let left = 0; left < sizes.length; left += 1) {
          await settle();
          const taken = within.reduce((sum, { size }) => sum + size, 0);
          expect(within.length === 1 || taken <= 8).toBe(true);
          within.shift()?.leave();
        }
        expect(entered).toEqual(sizes.map((_, at) => at));
      },
    ),
    { numRuns: 50 },
  );
});
