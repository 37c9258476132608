/**
 * What is left of a loan? The arithmetic of one block of a bucket that an isolate re-lends to its requests: synchronous,
 * and at every moment `left + used + inFlight = block`, so that nothing is lent twice and nothing is lost (of slots, `left +
 * inFlight`: they come back). Pure.
 */
import type { Amounts, ModelUse, SettleOperation } from "./bucket-protocol.ts";
import { loanPolicy } from "./loan-policy.ts";
import type { ModelTally } from "./model-counts.ts";

export class Loan {
  readonly id: string;
  readonly receipt: number;
  readonly block: Amounts;
  /** From then on nothing is lent from it; the bucket waits much longer for its report. */
  readonly usableUntilMs: number;
  #requestsLeft: number;
  #tokensLeft: number;
  #slotsLeft: number;
  #microdollarsLeft: number;
  #usedRequests = 0;
  #usedTokens = 0;
  #usedMicrodollars = 0;
  #requestsInFlight = 0;
  #tokensInFlight = 0;
  #microdollarsInFlight = 0;
  readonly #models = new Map<string, ModelTally>();
  #sequence = 0;
  #ended = false;
  #changed = false;
  #takes = 0;

  /** `askedAtMs`: when it was asked for, not when the answer came: the bucket's clock for it may have begun as early as that. */
  constructor(id: string, receipt: number, block: Amounts, askedAtMs: number) {
    this.id = id;
    this.receipt = receipt;
    this.block = block;
    this.usableUntilMs = askedAtMs + loanPolicy.lifeMs - loanPolicy.marginMs;
    this.#requestsLeft = block.requests;
    this.#tokensLeft = block.tokens;
    this.#slotsLeft = block.slots;
    this.#microdollarsLeft = block.microdollars;
  }

  /** Lends one request, its slot, and so many tokens and microdollars, if the loan lives and has them. */
  take(tokens: number, microdollars: number, now: number): boolean {
    if (
      this.#ended ||
      now >= this.usableUntilMs ||
      this.#requestsLeft < 1 ||
      this.#slotsLeft < 1 ||
      this.#tokensLeft < tokens ||
      this.#microdollarsLeft < microdollars
    )
      return false;
    this.#takes += 1;
    this.#requestsLeft -= 1;
    this.#slotsLeft -= 1;
    this.#tokensLeft -= tokens;
    this.#microdollarsLeft -= microdollars;
    this.#requestsInFlight += 1;
    this.#tokensInFlight += tokens;
    this.#microdollarsInFlight += microdollars;
    return true;
  }

  /** Lends more to a request that it lent to. */
  extend(tokens: number, microdollars: number, now: number): boolean {
    if (
      this.#ended ||
      now >= this.usableUntilMs ||
      this.#tokensLeft < tokens ||
      this.#microdollarsLeft < microdollars
    )
      return false;
    this.#tokensLeft -= tokens;
    this.#microdollarsLeft -= microdollars;
    this.#tokensInFlight += tokens;
    this.#microdollarsInFlight += microdollars;
    return true;
  }

  /**
   * Ends one request that took `reservedTokens` and `reservedMicrodollars` in all. What it did not use can be lent again
   * while the loan lives, its slot too.
   */
  settle(
    reservedTokens: number,
    reservedMicrodollars: number,
    used: { readonly requests: number; readonly tokens: number; readonly microdollars: number },
    model: string | null,
  ): void {
    this.#requestsInFlight -= 1;
    this.#tokensInFlight -= reservedTokens;
    this.#microdollarsInFlight -= reservedMicrodollars;
    this.#usedRequests += used.requests;
    this.#usedTokens += used.tokens;
    this.#usedMicrodollars += used.microdollars;
    this.#changed = true;
    if (model !== null) this.#count(model, used);
    if (this.#ended) return;
    this.#slotsLeft += 1;
    this.#requestsLeft += 1 - used.requests;
    this.#tokensLeft += reservedTokens - used.tokens;
    this.#microdollarsLeft += reservedMicrodollars - used.microdollars;
  }

  #count(model: string, used: ModelTally): void {
    const tally = this.#models.get(model);
    if (tally === undefined) {
      this.#models.set(model, {
        requests: used.requests,
        tokens: used.tokens,
        microdollars: used.microdollars,
      });
      return;
    }
    tally.requests += used.requests;
    tally.tokens += used.tokens;
    tally.microdollars += used.microdollars;
  }

  /** Less than a third is left of it, in requests, tokens, money or time: time to ask for the next. */
  isLow(now: number): boolean {
    return (
      this.#requestsLeft * 3 < this.block.requests ||
      this.#tokensLeft * 3 < this.block.tokens ||
      this.#microdollarsLeft * 3 < this.block.microdollars ||
      this.usableUntilMs - now < loanPolicy.lifeMs / 3
    );
  }

  /** For showing. */
  get left(): { readonly requests: number; readonly tokens: number } {
    return { requests: Math.max(0, this.#requestsLeft), tokens: Math.max(0, this.#tokensLeft) };
  }

  /** How often it lent: unchanged between two looks, nobody needs it. */
  get takes(): number {
    return this.#takes;
  }

  get isIdle(): boolean {
    return this.#requestsInFlight === 0;
  }

  /** Something was settled since the last report. */
  get isReportDue(): boolean {
    return this.#changed;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Nothing more is lent from it; its next report returns what is left. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#requestsLeft = 0;
    this.#tokensLeft = 0;
    this.#slotsLeft = 0;
    this.#microdollarsLeft = 0;
    this.#changed = true;
  }

  /** Tells the bucket how it stands: what was used, and what must stay charged (in flight; what is left, too, while it lives). */
  report(): SettleOperation {
    this.#changed = false;
    this.#sequence += 1;
    return {
      type: "settle",
      id: this.id,
      receipt: this.receipt,
      sequence: this.#sequence,
      used: {
        requests: this.#usedRequests,
        tokens: this.#usedTokens,
        slots: 0,
        microdollars: this.#usedMicrodollars,
      },
      models: Array.from(this.#models, ([model, tally]): ModelUse => ({ model, ...tally })),
      held: {
        requests: this.#requestsInFlight + Math.max(0, this.#requestsLeft),
        tokens: this.#tokensInFlight + Math.max(0, this.#tokensLeft),
        slots: this.#requestsInFlight + this.#slotsLeft,
        microdollars: this.#microdollarsInFlight + Math.max(0, this.#microdollarsLeft),
      },
      granted: this.block,
      ended: this.#ended,
    };
  }
}
