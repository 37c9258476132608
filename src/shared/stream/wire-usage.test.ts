import * as fc from "fast-check";
import { expect, test } from "vitest";
import { microdollarsFor } from "../limits/cost.ts";
import { costOf, readEngineUsage, toWireUsage } from "./wire-usage.ts";

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

test.each([999_999_999, 0, 16])("%d tokens are what an engine may have counted", (tokens) => {
  const said = { prompt_tokens: tokens, completion_tokens: tokens };
  expect(readEngineUsage(said)).toMatchObject({ promptTokens: tokens, completionTokens: tokens });
});

test.each([1_000_000_000, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER, 2 ** 64, Infinity, -1, 0.5, "16", null])(
  "%s is no count of tokens, and what says it no usage",
  (tokens) => {
    expect(readEngineUsage({ prompt_tokens: tokens, completion_tokens: 1 })).toBeNull();
    if (tokens !== null) expect(readEngineUsage({ prompt_tokens: 1, completion_tokens: tokens })).toBeNull();
  },
);
