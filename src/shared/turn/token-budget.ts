/**
 * May the answer go on by another token? The reservation is raised in blocks, early, so that a stream hardly ever waits; with
 * nothing left, the tenant's policy decides: `stop` ends the answer, `finish` lets it end as a stated debt.
 */
import { extensionAt } from "../limits/estimate.ts";
import type { Reservation } from "../limits/ports.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";

export type BudgetVerdict = "go-on" | "wait" | "stop";

export class TokenBudget {
  readonly #reservation: Reservation;
  readonly #promptTokens: number;
  readonly #mostTokens: number;
  readonly #policy: TenantConfig["limits"]["when_exhausted"];
  #extending: Promise<void> | null = null;
  #refused = false;

  /** @param answerTokens the most that all choices together may have */
  constructor(
    reservation: Reservation,
    promptTokens: number,
    answerTokens: number,
    policy: TenantConfig["limits"]["when_exhausted"],
  ) {
    this.#reservation = reservation;
    this.#promptTokens = promptTokens;
    this.#mostTokens = promptTokens + answerTokens;
    this.#policy = policy;
  }

  /** Resolves when the extension under way is decided; `null`: none is. */
  get pending(): Promise<void> | null {
    return this.#extending;
  }

  /** Asked before the answer grows to `completionTokens`. `wait`: ask again after `pending`. */
  ask(completionTokens: number): BudgetVerdict {
    const used = this.#promptTokens + completionTokens;
    if (!this.#refused && this.#extending === null) this.#extend(used);
    if (used <= this.#reservation.tokens || this.#policy === "finish") return "go-on";
    return this.#extending === null ? "stop" : "wait";
  }

  #extend(used: number): void {
    const total = extensionAt(used, this.#reservation.tokens, this.#mostTokens);
    if (total === null) return;
    const answer = this.#reservation.extend(total);
    if (typeof answer === "boolean") {
      this.#refused = !answer;
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
  }
}
