import type { Amounts, Unit } from "./bucket-protocol.ts";
import type { LimitRule } from "./level.ts";

/**
 * How much of a limit may be lent to isolates? One place for the numbers, since together they are a promise: what loans
 * can leave unused at any moment is at most `lentShare` of the smallest limit of each unit, however many isolates there are.
 */
export const loanPolicy = {
  /**
   * One loan is at most this share of the smallest limit. Slots come back to their loan with every answer's end, so that a
   * loan needs as many as run at once; money is lent in small coin, since what a lost isolate forfeits is gone for the month.
   */
  blockShare: { requests: 1 / 50, tokens: 1 / 50, slots: 1 / 20, microdollars: 1 / 1_000 },
  /** All loans of one bucket together, at most: also the most that they can leave unused. */
  lentShare: { requests: 1 / 5, tokens: 1 / 5, slots: 1 / 5, microdollars: 1 / 50 },
  maxBlock: { requests: 1_000, tokens: 1_000_000, slots: 1_000, microdollars: 5_000_000 },
  /** Below this a loan would be used up before it is renewed: ask each time. */
  minBlock: { requests: 8, tokens: 8_192, slots: 4, microdollars: 10_000 },
  /** A loan's life as its isolate counts it, and how long before its end the isolate stops using it. */
  lifeMs: 10_000,
  marginMs: 1_000,
  /** How long the bucket waits for the report of a loan before it counts it as unsettled: life, margin, a slow report. */
  reportWithinMs: 90_000,
} as const satisfies Record<string, number | Record<Unit, number>>;

const units = ["requests", "tokens", "slots", "microdollars"] as const satisfies readonly Unit[];

/** The block to lend under these limits; `null` where they are too small for loans. */
export function loanBlock(rules: readonly LimitRule[]): Amounts | null {
  const block = { requests: 0, tokens: 0, slots: 0, microdollars: 0 };
  for (const unit of units) {
    const share = Math.floor(smallest(rules, unit) * loanPolicy.blockShare[unit]);
    block[unit] = Math.min(loanPolicy.maxBlock[unit], share);
    if (block[unit] < loanPolicy.minBlock[unit]) return null;
  }
  return block;
}

/** The most that loans can leave unused at any moment of one unit, under every limit of it; `Infinity`: none limits it. */
export function mostLent(rules: readonly LimitRule[], unit: Unit): number {
  return Math.floor(smallest(rules, unit) * loanPolicy.lentShare[unit]);
}

function smallest(rules: readonly LimitRule[], unit: Unit): number {
  let least = Infinity;
  for (const rule of rules) if (rule.unit === unit) least = Math.min(least, rule.capacity);
  return least;
}
