import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Lanes } from "./lanes.ts";

test("each lane works off its messages in their order, one at a time, and loses none", () => {
  const step = fc.oneof(
    fc.record({ add: fc.constantFrom(null, "a", "b") }),
    fc.record({ end: fc.constantFrom(null, "a", "b") }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const lanes = new Lanes<number>({ lanes: 2, waiting: 5 });
      const running = new Map<string | null, number>();
      const waiting = new Map<string | null, number[]>();
      for (const [at, one] of steps.entries()) {
        if ("add" in one) {
          const total = [...waiting.values()].reduce((sum, list) => sum + list.length, 0);
          const isRunning = running.has(one.add);
          const expected = isRunning ? (total >= 5 ? "full" : "wait") : running.size >= 2 ? "full" : "begin";
          expect(lanes.add(one.add, at)).toBe(expected);
          if (expected === "begin") running.set(one.add, at);
          if (expected === "wait") waiting.set(one.add, [...(waiting.get(one.add) ?? []), at]);
        } else if (running.has(one.end)) {
          const next = waiting.get(one.end)?.shift() ?? null;
          expect(lanes.ended(one.end)).toBe(next);
          if (next === null) running.delete(one.end);
          else running.set(one.end, next);
        }
        expect(lanes.isIdle).toBe(running.size === 0);
      }
    }),
  );
});
