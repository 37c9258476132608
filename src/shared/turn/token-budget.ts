/**
 * May the answer grow by another token? The reservation is raised in blocks, ahead of need, so that a stream hardly ever waits; with
 * nothing left, in tokens or in money, the tenant's policy decides: `stop` ends the answer, `finish` lets it end as a stated debt.
 */
import { answerTokensFor, microdollarsFor, type TokenPrice } from "../limits/cost.ts";
import { extensionAt } from "../limits/estimate.ts";
import type { Reservation } from "../limits/ports.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";

export type BudgetVerdict = "go-on" | "wait" | "stop";

export interface BudgetTerms {
  /** As estimated, until the engine has counted. */
  readonly promptTokens: number;
  /** The most that all choices together may have. */
  readonly answerTokens: number;
  readonly price: TokenPrice;
  readonly policy: TenantConfig["limits"]["when_exhausted"];
}

export class TokenBudget {
  readonly #reservation: Reservation;
  readonly #terms: BudgetTerms;
  #promptTokens: number;
  /** Tokens of answer that the reservation covers. */
  #covered = 0;
  /** From this count on there may be something to do; below it a token costs one comparison. */
  #quietBelow = 0;
  #extending: Promise<void> | null = null;
  #refused = false;

  constructor(reservation: Reservation, terms: BudgetTerms) {
    this.#reservation = reservation;
    this.#terms = terms;
    this.#promptTokens = terms.promptTokens;
    this.#measure();
  }

  /** Resolves when the extension under way is decided; `null`: none is. */
  get pending(): Promise<void> | null {
    return this.#extending;
  }

  /** The engine has counted the prompt: from now on its count replaces the estimate. */
  promptCounted(tokens: number): void {
    if (tokens === this.#promptTokens || !(tokens > 0)) return;
    this.#promptTokens = tokens;
    this.#measure();
  }

  /** Asked before the answer grows to `completionTokens`. `wait`: ask again after `pending`. */
  ask(completionTokens: number): BudgetVerdict {
    if (completionTokens < this.#quietBelow) return "go-on";
    if (!this.#refused && this.#extending === null) this.#extend(completionTokens);
    if (completionTokens <= this.#covered || this.#terms.policy === "finish") return "go-on";
    return this.#extending === null ? "stop" : "wait";
  }

  #measure(): void {
    const { price } = this.#terms;
    const { tokens, microdollars } = this.#reservation;
    this.#covered = Math.min(
      tokens - this.#promptTokens,
      answerTokensFor(price, this.#promptTokens, microdollars),
    );
    const reserved = this.#promptTokens + this.#covered;
    this.#quietBelow = Math.ceil(this.#covered - Math.min(64, reserved / 8)) - 1;
  }

  #extend(completionTokens: number): void {
    const prompt = this.#promptTokens;
    const most = prompt + this.#terms.answerTokens;
    const total = extensionAt(prompt + completionTokens, prompt + this.#covered, most);
    if (total === null) return;
    const answer = this.#reservation.extend(
      Math.max(total, this.#reservation.tokens),
      microdollarsFor(this.#terms.price, prompt, total - prompt),
    );
    if (typeof answer === "boolean") {
      this.#decided(answer);
      return;
    }
    this.#extending = answer.then(
      (granted) => this.#decided(granted),
      // A bucket that can't be reached grants nothing: what is reserved already may still be used.
      () => this.#decided(false),
    );
  }

  #decided(granted: boolean): void {
    this.#extending = null;
    this.#refused = !granted;
    this.#measure();
  }
}
