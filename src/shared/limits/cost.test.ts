import * as fc from "fast-check";
import { expect, test } from "vitest";
import { largestMaxTokens } from "./admission-failure.ts";
import { AnswerLengths } from "./answer-lengths.ts";
import type { BucketRefusal } from "./bucket-protocol.ts";
import { answerTokensFor, dearest, microdollarsFor } from "./cost.ts";

const price = fc.record({
  input: fc.double({ min: 0, max: 50, noNaN: true }),
  output: fc.double({ min: 0, max: 200, noNaN: true }),
});
const tokens = fc.integer({ min: 0, max: 1_000_000 });

test("microdollars are whole, never less than the price, and at most one more", () => {
  expect(microdollarsFor({ input: 0.1, output: 0.2 }, 10, 10)).toBe(3);
  expect(microdollarsFor({ input: 0.15, output: 0.6 }, 20, 0)).toBe(3);
  expect(microdollarsFor({ input: 0.01, output: 0 }, 1, 0)).toBe(1);
  fc.assert(
    fc.property(price, tokens, tokens, (price, prompt, answer) => {
      const exact = prompt * price.input + answer * price.output;
      const cost = microdollarsFor(price, prompt, answer);
      expect(Number.isSafeInteger(cost)).toBe(true);
      expect(cost).toBeGreaterThanOrEqual(exact - 1e-3);
      expect(cost).toBeLessThanOrEqual(exact + 1);
    }),
  );
});

test("cached tokens of a prompt cost their own price, never more than the prompt without, however many an engine says there are", () => {
  expect(microdollarsFor({ input: 1, output: 2, cached_input: 0.1 }, 100, 10, 60)).toBe(66);
  expect(microdollarsFor({ input: 1, output: 2, cached_input: 0 }, 100, 10, 1_000)).toBe(20);
  expect(microdollarsFor({ input: 1, output: 2 }, 100, 10, 60)).toBe(120);
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(price, share, tokens, tokens, tokens, ({ input, output }, part, prompt, answer, cached) => {
      const cost = microdollarsFor({ input, output, cached_input: part * input }, prompt, answer, cached);
      expect(cost).toBeLessThanOrEqual(microdollarsFor({ input, output }, prompt, answer) + 1);
      expect(cost).toBeGreaterThanOrEqual(microdollarsFor({ input: 0, output }, prompt, answer) - 1);
    }),
  );
});

test("the tokens that a sum of money buys cost no more than it, and one more would", () => {
  fc.assert(
    fc.property(price, tokens, fc.integer({ min: 0, max: 10_000_000 }), (price, prompt, money) => {
      const answer = answerTokensFor(price, prompt, money);
      if (answer === Infinity || answer === 0) return;
      expect(microdollarsFor(price, prompt, answer)).toBeLessThanOrEqual(money + 1);
      expect(microdollarsFor(price, prompt, answer + 1)).toBeGreaterThanOrEqual(money - 1);
    }),
  );
});

test("nobody of the candidates costs more than the dearest, whatever the prompt and the answer", () => {
  fc.assert(
    fc.property(fc.array(price, { minLength: 1, maxLength: 5 }), tokens, tokens, (prices, prompt, answer) => {
      const most = microdollarsFor(dearest(prices), prompt, answer);
      for (const one of prices) expect(microdollarsFor(one, prompt, answer)).toBeLessThanOrEqual(most);
    }),
  );
});

const refusal: BucketRefusal = {
  type: "refused",
  limit: "tokens_per_minute",
  unit: "tokens",
  windowMs: 60_000,
  capacity: 1_000,
  remaining: 500,
  retryAfterMs: 1,
  resetMs: 1,
  fittingTokens: 500,
  fittingMicrodollars: 900,
};

test.each([
  [{ promptTokens: 100, choices: 1, price: { input: 0, output: 0 } }, 355],
  [{ promptTokens: 100, choices: 4, price: { input: 0, output: 0 } }, 88],
  [{ promptTokens: 100, choices: 1, price: { input: 1, output: 4 } }, 188],
  [{ promptTokens: 1_000, choices: 1, price: { input: 0, output: 0 } }, 0],
])("of 500 tokens and $0.0009, %o fits %s tokens an answer", (asked, most) => {
  expect(largestMaxTokens(refusal, asked)).toBe(most);
});

test("the length of answers is learned for each tenant and model, and nine of ten stay within", () => {
  const lengths = new AnswerLengths();
  expect(lengths.expected("acme", "m")).toBe(512);
  for (let index = 0; index < 300; index += 1) lengths.observe("acme", "m", 20 + (index % 100));
  expect(lengths.expected("acme", "m")).toBeGreaterThanOrEqual(110);
  expect(lengths.expected("acme", "m")).toBeLessThanOrEqual(132);
  expect(lengths.expected("acme", "other")).toBe(512);
  for (let index = 0; index < 1_000; index += 1) lengths.observe("acme", "m", 1_500);
  expect(lengths.expected("acme", "m")).toBeGreaterThanOrEqual(1_500);
  expect(lengths.expected("acme", "m")).toBeLessThanOrEqual(1_800);
});

test("nine of ten of any steady mixture of lengths stay within what is expected of it, by a fifth at most too much", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 64, max: 4_000 }), { minLength: 1, maxLength: 10 }), (mixture) => {
      const lengths = new AnswerLengths();
      for (let index = 0; index < 1_000; index += 1)
        lengths.observe("a", "m", mixture[index % mixture.length] ?? 1);
      const expected = lengths.expected("a", "m");
      const within = mixture.filter((length) => length <= expected).length;
      expect(within / mixture.length).toBeGreaterThanOrEqual(0.85);
      expect(expected).toBeLessThanOrEqual(Math.max(...mixture) * 1.2);
    }),
  );
});

test("100,000 tenants' lengths are bounded, and no odd number gets in", () => {
  const lengths = new AnswerLengths();
  for (let index = 0; index < 100_000; index += 1) lengths.observe(`t${index}`, "m", 10);
  expect(lengths.size).toBe(1_000);
  for (const odd of [0, -1, NaN, Infinity]) lengths.observe("odd", "m", odd);
  expect(lengths.expected("odd", "m")).toBeLessThanOrEqual(4_096);
});
