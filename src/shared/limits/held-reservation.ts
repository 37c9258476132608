/**
 * What does one turn hold in the user's and in the org's bucket until it is settled? The port's `Reservation`: two shares, each taken from
 * a loan, granted by its bucket, or neither (let in while the bucket could not be reached).
 */
import type { Background } from "../contracts/background.ts";
import type { ChargeId } from "../contracts/ids.ts";
import { type AdmissionFailure, bucketUnavailable, gravest, limited } from "./admission-failure.ts";
import type { BucketLane } from "./bucket-lane.ts";
import { noAmounts, type SettleOperation } from "./bucket-protocol.ts";
import { lateMs } from "./bucket-state.ts";
import type { LimitSet } from "./defaults.ts";
import type { Loan } from "./loan.ts";
import type { LimitStanding, Reservation, TurnUse } from "./ports.ts";
import { standingOf } from "./standing.ts";

/** One bucket's part of a reservation. */
export interface Share {
  readonly lane: BucketLane;
  readonly limits: LimitSet;
  /** Where the request, its slot, `loanTokens` and `loanMicrodollars` came from; `null`: from the bucket. */
  readonly loan: Loan | null;
  loanTokens: number;
  loanMicrodollars: number;
  /** The receipt of the bucket's own reservation under the charge id; `null`: none, or unknown. */
  receipt: number | null;
  grantedRequests: 0 | 1;
  grantedTokens: number;
  grantedMicrodollars: number;
  /** Let in unasked: what is used becomes a debt. */
  readonly isOpen: boolean;
  /** An extension was asked for and no answer came: the bucket may hold it all the same. */
  isUncertain: boolean;
  /** What the bucket was told at the end about what it set aside under the charge id; `null`: nothing yet, or it set nothing aside. */
  settlement: SettleOperation | null;
}

/** What of a turn falls to one share. */
interface ShareUse {
  readonly requests: number;
  readonly tokens: number;
  readonly microdollars: number;
}

export class HeldReservation implements Reservation {
  readonly chargeId: ChargeId;
  readonly #shares: readonly Share[];
  readonly #background: Background;
  readonly #mayOverrun: boolean;
  #settled = false;
  #refusal: AdmissionFailure | null = null;

  /** `mayOverrun`: an extension that can't be asked for is granted, and what it covers becomes a debt. */
  constructor(chargeId: ChargeId, shares: readonly Share[], background: Background, mayOverrun: boolean) {
    this.chargeId = chargeId;
    this.#shares = shares;
    this.#background = background;
    this.#mayOverrun = mayOverrun;
  }

  get standing(): LimitStanding {
    return standingOf(this.#shares);
  }

  get tokens(): number {
    let least = Number.MAX_SAFE_INTEGER;
    for (const share of this.#shares) least = Math.min(least, share.loanTokens + share.grantedTokens);
    return least;
  }

  get microdollars(): number {
    let least = Number.MAX_SAFE_INTEGER;
    for (const share of this.#shares)
      least = Math.min(least, share.loanMicrodollars + share.grantedMicrodollars);
    return least;
  }

  get refusal(): AdmissionFailure | null {
    return this.#refusal;
  }

  extend(totalTokens: number, totalMicrodollars: number): boolean | Promise<boolean> {
    if (this.#settled) return false;
    const asking: Promise<boolean>[] = [];
    for (const share of this.#shares) {
      const tokens = Math.max(0, totalTokens - share.loanTokens - share.grantedTokens);
      const microdollars = Math.max(
        0,
        totalMicrodollars - share.loanMicrodollars - share.grantedMicrodollars,
      );
      if (tokens === 0 && microdollars === 0) continue;
      if (share.isOpen) {
        share.grantedTokens += tokens;
        share.grantedMicrodollars += microdollars;
      } else if (share.loan?.extend(tokens, microdollars, share.lane.now()) === true) {
        share.loanTokens += tokens;
        share.loanMicrodollars += microdollars;
      } else asking.push(this.#extendAtBucket(share, tokens, microdollars));
    }
    if (asking.length === 0) return true;
    return Promise.all(asking).then((granted) => granted.every(Boolean));
  }

  async #extendAtBucket(share: Share, moreTokens: number, moreMicrodollars: number): Promise<boolean> {
    const tokens = share.grantedTokens + moreTokens;
    const microdollars = share.grantedMicrodollars + moreMicrodollars;
    const answer = await share.lane.asks.ask(
      {
        type: "reserve",
        id: this.chargeId,
        total: { requests: share.grantedRequests, tokens, slots: share.grantedRequests, microdollars },
        ttlMs: lateMs,
        lend: false,
      },
      share.limits,
      this.#background,
    );
    const isAnswered = answer.kind === "answered";
    if (isAnswered && answer.outcome.type !== "granted") {
      if (answer.outcome.type === "refused") {
        const { unit, fittingTokens } = answer.outcome;
        const room = unit === "tokens" ? fittingTokens + share.loanTokens + share.grantedTokens : 0;
        this.#refuse(limited(share.lane.scope, answer.outcome, room));
      } else this.#refuse(bucketUnavailable(`the bucket answered ${answer.outcome.type}`));
      return false;
    }
    const receipt = isAnswered && answer.outcome.type === "granted" ? answer.outcome.receipt : null;
    if (this.#settled) {
      this.#returnLate(share, receipt);
      return false;
    }
    if (receipt === null) share.isUncertain = true;
    else share.receipt = receipt;
    if (receipt === null && !this.#mayOverrun) {
      this.#refuse(bucketUnavailable(answer.kind === "unreachable" ? answer.detail : "no receipt"));
      return false;
    }
    share.grantedTokens = tokens;
    share.grantedMicrodollars = microdollars;
    return true;
  }

  /**
   * Granted behind the settlement's back, or perhaps so, or yet to be: nobody needs it any more. A bucket that heard this without the
   * settlement would take it for the end of all that is set aside under the id, and the settlement for a repetition.
   */
  #returnLate(share: Share, receipt: number | null): void {
    const { lane, limits, settlement: first } = share;
    const last = settlement(this.chargeId, receipt, 2, share, noUse, null);
    lane.reports.addTogether(first === null ? [last] : [first, last], limits, this.#background);
  }

  #refuse(failure: AdmissionFailure): void {
    this.#refusal = this.#refusal === null ? failure : gravest([this.#refusal, failure]);
  }

  settle(use: TurnUse): void {
    if (this.#settled) return;
    this.#settled = true;
    for (const share of this.#shares) this.#settleShare(share, use);
  }

  #settleShare(share: Share, use: TurnUse): void {
    const { lane, loan, limits } = share;
    const tokens = Math.max(0, Math.ceil(use.tokens));
    const microdollars = Math.max(0, Math.ceil(use.microdollars));
    if (loan === null) {
      const all = { requests: use.requests, tokens, microdollars };
      this.#report(share, settlement(this.chargeId, share.receipt, 1, share, all, use.model));
      return;
    }
    const isExtended = share.receipt !== null || share.isUncertain;
    const fromLoan = {
      requests: use.requests,
      tokens: isExtended ? Math.min(tokens, share.loanTokens) : tokens,
      microdollars: isExtended ? Math.min(microdollars, share.loanMicrodollars) : microdollars,
    };
    loan.settle(share.loanTokens, share.loanMicrodollars, fromLoan, use.model);
    lane.afterSettlement(loan, limits, this.#background);
    if (!isExtended) return;
    const rest = {
      requests: 0,
      tokens: tokens - fromLoan.tokens,
      microdollars: microdollars - fromLoan.microdollars,
    };
    this.#report(share, settlement(this.chargeId, share.receipt, 1, share, rest, use.model));
  }

  #report(share: Share, operation: SettleOperation): void {
    share.settlement = operation;
    // An extension without an answer may still be on its way: after the settlement it would count as a new reservation.
    if (share.isUncertain && share.receipt !== null) this.#returnLate(share, null);
    else share.lane.reports.add(operation, share.limits, this.#background);
  }
}

const noUse: ShareUse = { requests: 0, tokens: 0, microdollars: 0 };

function settlement(
  id: string,
  receipt: number | null,
  sequence: number,
  share: Share,
  { requests, tokens, microdollars }: ShareUse,
  model: string | null,
): SettleOperation {
  return {
    type: "settle",
    id,
    receipt,
    sequence,
    used: { requests, tokens, slots: 0, microdollars },
    models: model === null ? [] : [{ model, requests, tokens, microdollars }],
    held: noAmounts,
    granted: {
      requests: share.grantedRequests,
      tokens: share.grantedTokens,
      slots: share.grantedRequests,
      microdollars: share.grantedMicrodollars,
    },
    ended: true,
  };
}
