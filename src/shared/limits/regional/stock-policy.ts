import type { Amounts } from "../bucket-protocol.ts";
import type { LimitRule } from "../level.ts";
import { loanBlock, loanPolicy, mostLent } from "../loan-policy.ts";

/**
 * How much of an org's limits may lie in a region? One place for the numbers. What a stock holds is lent by the bucket like
 * any loan, so that `lentShare` bounds it together with all isolates' loans; beyond that, one region alone never holds more
 * than `regionShare` of what may be lent at all.
 */
export const stockPolicy = {
  /** A stock's loans are so much smaller than an isolate's own: one is taken for a single request, and soon given back. */
  share: { requests: 1 / 8, tokens: 1 / 8, slots: 1 / 8, microdollars: 1 / 32 },
  regionShare: 1 / 4,
  /** Loans in store at one time. */
  most: 8,
  /** Those that can't be lived with for long any more are given back: an isolate uses one for `lifeMs − marginMs` at most. */
  maxAgeMs: 6_000,
  /** How long a region keeps a stock for whoever may come next. */
  keepMs: 30_000,
  /** How often it looks after its stock. */
  tendMs: 2_000,
} as const;

const units = ["requests", "tokens", "slots", "microdollars"] as const;

/** What a region borrows at a time, and how many of it at most; `null` where the limits are too small for loans. */
export function stockOf(
  rules: readonly LimitRule[],
): { readonly block: Amounts; readonly most: number } | null {
  const whole = loanBlock(rules);
  if (whole === null) return null;
  const block = { ...whole };
  let most: number = stockPolicy.most;
  for (const unit of units) {
    block[unit] = Math.max(loanPolicy.minBlock[unit], Math.floor(whole[unit] * stockPolicy.share[unit]));
    most = Math.min(most, Math.floor((mostLent(rules, unit) * stockPolicy.regionShare) / block[unit]));
  }
  return most < 1 ? null : { block, most };
}
