/**
 * How does a turn get its share of one bucket? From the isolate's loan, from the bucket itself, or from neither (let in while the bucket
 * can't be reached).
 */
import type { Background } from "../contracts/background.ts";
import type { BucketLane } from "./bucket-lane.ts";
import type { Amounts } from "./bucket-protocol.ts";
import { microdollarsFor } from "./cost.ts";
import type { LimitSet } from "./defaults.ts";
import type { Share } from "./held-reservation.ts";
import type { AdmissionRequest } from "./ports.ts";

/** Beside one request and its slot. */
export interface Wanted {
  readonly tokens: number;
  readonly microdollars: number;
}

export function wantedBy({ promptTokens, answerTokens, price }: AdmissionRequest): Wanted {
  return {
    tokens: promptTokens + answerTokens,
    microdollars: microdollarsFor(price, promptTokens, answerTokens),
  };
}

export function takeFromLoan(
  lane: BucketLane,
  limits: LimitSet,
  { tokens, microdollars }: Wanted,
  now: number,
  background: Background,
): Share | null {
  const loan = lane.takeFromLoan(tokens, microdollars, limits, now, background);
  if (loan === null) return null;
  return {
    lane,
    limits,
    loan,
    loanTokens: tokens,
    loanMicrodollars: microdollars,
    receipt: null,
    grantedRequests: 0,
    grantedTokens: 0,
    grantedMicrodollars: 0,
    isOpen: false,
    isUncertain: false,
    settlement: null,
  };
}

/** A share from the bucket itself, or one that was let in unasked. */
export function shareOf(
  lane: BucketLane,
  limits: LimitSet,
  { tokens, microdollars }: Wanted,
  how: Pick<Share, "receipt" | "isOpen">,
): Share {
  return {
    lane,
    limits,
    loan: null,
    loanTokens: 0,
    loanMicrodollars: 0,
    grantedRequests: 1,
    grantedTokens: tokens,
    grantedMicrodollars: microdollars,
    isUncertain: false,
    settlement: null,
    ...how,
  };
}

/** Would a whole loan of this size do? */
export function covers(block: Amounts | undefined, { tokens, microdollars }: Wanted): boolean {
  return block !== undefined && tokens <= block.tokens && microdollars <= block.microdollars;
}
