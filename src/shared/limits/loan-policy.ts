import type { Amounts } from "./bucket-protocol.ts";
import type { LimitRule } from "./level.ts";

/**
 * How much of a limit may be lent to isolates? One place for the numbers, since together they are a promise: what loans
 * can leave unused at any moment is at most `lentShare` of a limit, however many isolates there are.
 */
export const loanPolicy = {
  /** One loan is at most this share of the smallest limit. */
  blockShare: 1 / 50,
  /** All loans of one bucket together, at most: also the most that they can leave unused. */
  lentShare: 1 / 5,
  /** Nothing is lent from the last part of a limit: there every request asks, so that none is refused for a loan's sake. */
  lendBelowShare: 4 / 5,
  maxBlock: { requests: 1_000, tokens: 1_000_000 },
  /** Below this a loan would be used up before it is renewed: ask each time. */
  minBlock: { requests: 8, tokens: 8_192 },
  /** A loan's life as its isolate counts it, and how long before its end the isolate stops using it. */
  lifeMs: 10_000,
  marginMs: 1_000,
  /** How long the bucket waits for the report of a loan before it counts it as unsettled: life, margin, a slow report. */
  reportWithinMs: 90_000,
} as const;

/** The block to lend under these limits; `null` where they are too small for loans. */
export function loanBlock(rules: readonly LimitRule[]): Amounts | null {
  let requests: number = loanPolicy.maxBlock.requests;
  let tokens: number = loanPolicy.maxBlock.tokens;
  for (const rule of rules) {
    const share = Math.floor(rule.capacity * loanPolicy.blockShare);
    if (rule.unit === "requests") requests = Math.min(requests, share);
    else tokens = Math.min(tokens, share);
  }
  return requests >= loanPolicy.minBlock.requests && tokens >= loanPolicy.minBlock.tokens
    ? { requests, tokens }
    : null;
}

/** The most of one limit that loans can leave unused at any moment, in the limit's unit. */
export function mostLeftUnusedByLoans(rule: LimitRule): number {
  return Math.floor(rule.capacity * loanPolicy.lentShare);
}
