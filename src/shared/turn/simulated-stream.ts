/** Streams to try budgets with, for tests: what is asked for, and an answer that comes as fast as its budget lets it. */
import * as fc from "fast-check";
import { microdollarsFor } from "../limits/cost.ts";
import type { Reservation } from "../limits/ports.ts";
import { type BudgetTerms, TokenBudget } from "./token-budget.ts";

export const price = { input: 1, output: 3 };

export interface StreamWish {
  readonly promptTokens: number;
  readonly maxTokens: number;
  readonly expected: number;
  /** Tokens that arrive together. */
  readonly chunk: number;
  /** Where the client leaves; beyond the end: it does not. */
  readonly leavesAfter: number;
}

const wish: fc.Arbitrary<StreamWish> = fc.record({
  promptTokens: fc.integer({ min: 1, max: 200 }),
  maxTokens: fc.integer({ min: 1, max: 1_500 }),
  expected: fc.integer({ min: 1, max: 400 }),
  chunk: fc.integer({ min: 5, max: 60 }),
  leavesAfter: fc.integer({ min: 0, max: 3_000 }),
});

/** Streams at the edge of a month's tokens and cost: mostly a few at once, sometimes up to 200. */
export const edge = {
  policy: fc.constantFrom("stop" as const, "finish" as const),
  tokensPerMonth: fc.integer({ min: 500, max: 40_000 }),
  cents: fc.integer({ min: 1, max: 10 }),
  concurrent: fc.integer({ min: 1, max: 200 }),
  wishes: fc.oneof(
    { weight: 9, arbitrary: fc.array(wish, { minLength: 2, maxLength: 15 }) },
    { weight: 1, arbitrary: fc.array(wish, { minLength: 100, maxLength: 200 }) },
  ),
};

export function edgeLimits(tokensPerMonth: number, cents: number, concurrent: number) {
  return {
    requests_per_minute: null,
    requests_per_hour: null,
    requests_per_day: 150,
    tokens_per_minute: null,
    tokens_per_month: tokensPerMonth,
    concurrent_requests: concurrent,
    cost_per_month_usd: cents / 100,
  };
}

/** As the one pass does: asks before every event, waits where it must, settles what was delivered. */
export async function stream(
  reservation: Reservation,
  { promptTokens, maxTokens, chunk, leavesAfter }: StreamWish,
  policy: BudgetTerms["policy"],
): Promise<{ readonly requests: 1; readonly tokens: number; readonly microdollars: number }> {
  const budget = new TokenBudget(reservation, { promptTokens, answerTokens: maxTokens, price, policy });
  let completion = 0;
  while (completion < maxTokens && completion < leavesAfter) {
    const next = Math.min(maxTokens, completion + chunk);
    const verdict = budget.ask(next);
    if (verdict === "stop") break;
    if (verdict === "wait") await budget.pending;
    else completion = next;
  }
  const tokens = completion === 0 ? 0 : promptTokens + completion;
  const microdollars = completion === 0 ? 0 : microdollarsFor(price, promptTokens, completion);
  reservation.settle({ tokens, requests: 1, microdollars, model: "m" });
  return { requests: 1, tokens, microdollars };
}
