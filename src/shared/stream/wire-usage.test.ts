import * as fc from "fast-check";
import { expect, test } from "vitest";
import { microdollarsFor } from "../limits/cost.ts";
import { costOf, toWireUsage } from "./wire-usage.ts";

const usageOf = (promptTokens: number, completionTokens: number) => ({
  promptTokens,
  completionTokens,
  cachedTokens: 0,
  reasoningTokens: 0,
});

test.each([
  [29, 5, { input: 0.05, output: 0.08 }, 0.000002],
  [10, 0, { input: 0.1, output: 0.2 }, 0.000001],
  [0, 0, { input: 5, output: 15 }, 0],
  [1_000_000, 1_000_000, { input: 2.5, output: 10 }, 12.5],
])("%i and %i tokens at %j cost %d dollars, as they are charged", (prompt, answer, price, dollars) => {
  expect(toWireUsage(usageOf(prompt, answer), price)).toMatchObject({ cost: dollars });
});

test("what answers say they cost adds up to what is charged", () => {
  const turn = fc.tuple(fc.nat(200_000), fc.nat(20_000));
  const price = fc.record({ input: fc.nat(5000), output: fc.nat(5000) });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 20 }), price, (turns, { input, output }) => {
      const each = { input: input / 100, output: output / 100 };
      const told = turns.map(([prompt, answer]) => costOf(usageOf(prompt, answer), each));
      const charged = turns.map(([prompt, answer]) => microdollarsFor(each, prompt, answer));
      expect(told.map((dollars) => Math.round(dollars * 1_000_000))).toEqual(charged);
    }),
  );
});
