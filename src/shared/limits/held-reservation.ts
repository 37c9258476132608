/**
 * What does one turn hold in the user's and the org's bucket, until it is settled? The port's `Reservation`: two shares,
 * each taken from a loan, granted by its bucket, or neither (let in while the bucket could not be reached).
 */
import type { Background } from "../contracts/background.ts";
import type { ChargeId } from "../contracts/ids.ts";
import type { BucketLane } from "./bucket-lane.ts";
import type { SettleOperation } from "./bucket-protocol.ts";
import { lateMs } from "./bucket-state.ts";
import type { LimitSet } from "./defaults.ts";
import type { Loan } from "./loan.ts";
import type { LimitStanding, Reservation } from "./ports.ts";
import { standingOf } from "./standing.ts";

/** One bucket's part of a reservation. */
export interface Share {
  readonly lane: BucketLane;
  readonly limits: LimitSet;
  /** Where the request and `loanTokens` came from; `null`: from the bucket. */
  readonly loan: Loan | null;
  loanTokens: number;
  /** Of what the bucket itself set aside under the charge id; `null`: nothing, or nobody knows. */
  receipt: number | null;
  grantedRequests: 0 | 1;
  grantedTokens: number;
  /** Let in unasked: what is used becomes a debt. */
  readonly isOpen: boolean;
  /** An extension was asked for and no answer came: the bucket may hold it all the same. */
  isUncertain: boolean;
}

export class HeldReservation implements Reservation {
  readonly chargeId: ChargeId;
  readonly #shares: readonly Share[];
  readonly #background: Background;
  readonly #mayOverrun: boolean;
  #settled = false;

  /** `mayOverrun`: an extension that can't be asked for is granted, and what it covers becomes a debt. */
  constructor(chargeId: ChargeId, shares: readonly Share[], background: Background, mayOverrun: boolean) {
    this.chargeId = chargeId;
    this.#shares = shares;
    this.#background = background;
    this.#mayOverrun = mayOverrun;
  }

  get standing(): LimitStanding {
    return standingOf(this.#shares.map((share) => share.lane));
  }

  get tokens(): number {
    return this.#shares.reduce(
      (least, share) => Math.min(least, share.loanTokens + share.grantedTokens),
      Number.MAX_SAFE_INTEGER,
    );
  }

  extend(totalTokens: number): boolean | Promise<boolean> {
    if (this.#settled) return false;
    const asking: Promise<boolean>[] = [];
    for (const share of this.#shares) {
      const more = totalTokens - share.loanTokens - share.grantedTokens;
      if (more <= 0) continue;
      if (share.isOpen) share.grantedTokens += more;
      else if (share.loan?.extend(more, share.lane.now()) === true) share.loanTokens += more;
      else asking.push(this.#extendAtBucket(share, more));
    }
    if (asking.length === 0) return true;
    return Promise.all(asking).then((granted) => granted.every(Boolean));
  }

  async #extendAtBucket(share: Share, more: number): Promise<boolean> {
    const tokens = share.grantedTokens + more;
    const answer = await share.lane.asks.ask(
      {
        type: "reserve",
        id: this.chargeId,
        total: { requests: share.grantedRequests, tokens },
        ttlMs: lateMs,
        lend: false,
      },
      share.limits,
      this.#background,
    );
    const isAnswered = answer.kind === "answered";
    if (isAnswered && answer.outcome.type !== "granted") return false;
    const receipt = isAnswered && answer.outcome.type === "granted" ? answer.outcome.receipt : null;
    if (this.#settled) {
      // Granted behind the settlement's back, or perhaps so: nobody needs it any more.
      this.#report(share, settlement(this.chargeId, receipt, 2, share, 0, 0));
      return false;
    }
    if (receipt === null) share.isUncertain = true;
    else share.receipt = receipt;
    if (receipt === null && !this.#mayOverrun) return false;
    share.grantedTokens = tokens;
    return true;
  }

  settle(used: { readonly tokens: number; readonly requests: 0 | 1 }): void {
    if (this.#settled) return;
    this.#settled = true;
    for (const share of this.#shares)
      this.#settleShare(share, Math.max(0, Math.ceil(used.tokens)), used.requests);
  }

  #settleShare(share: Share, tokens: number, requests: 0 | 1): void {
    const { lane, loan, limits } = share;
    if (loan === null) {
      this.#report(share, settlement(this.chargeId, share.receipt, 1, share, requests, tokens));
      return;
    }
    const isExtended = share.receipt !== null || share.isUncertain;
    const fromLoan = isExtended ? Math.min(tokens, share.loanTokens) : tokens;
    lane.settleLoan(loan, share.loanTokens, { requests, tokens: fromLoan }, limits, this.#background);
    if (isExtended)
      this.#report(share, settlement(this.chargeId, share.receipt, 1, share, 0, tokens - fromLoan));
  }

  #report(share: Share, operation: SettleOperation): void {
    share.lane.reports.add(operation, share.limits, this.#background);
  }
}

function settlement(
  id: string,
  receipt: number | null,
  sequence: number,
  share: Share,
  requests: number,
  tokens: number,
): SettleOperation {
  return {
    type: "settle",
    id,
    receipt,
    sequence,
    used: { requests, tokens },
    held: { requests: 0, tokens: 0 },
    granted: { requests: share.grantedRequests, tokens: share.grantedTokens },
    ended: true,
  };
}
