/**
 * How many lines of a batch may run at once, and when may the next begin? Additive increase, multiplicative decrease: one more with each
 * answer, half as many with each refusal, and after a refusal a pause that grows until a line is answered again. So a batch uses the
 * capacity that interactive requests leave, and asks seldom where there is none. Pure.
 */
export class BatchPace {
  readonly #most: number;
  #width: number;
  #refusals = 0;
  #resumeMs = 0;

  constructor(most: number) {
    this.#most = most;
    this.#width = Math.min(most, beginWith);
  }

  /** Lines that may be under way at once, 1 at least. */
  get width(): number {
    return this.#width;
  }

  /** How long none begins, in milliseconds from now. No pause outlasts a clock that goes back. */
  pauseMs(nowMs: number): number {
    if (this.#resumeMs - nowMs > longestPauseMs * longestSpread) this.#resumeMs = nowMs;
    return Math.max(0, this.#resumeMs - nowMs);
  }

  answered(): void {
    this.#refusals = 0;
    this.#width = Math.min(this.#most, this.#width + 1);
  }

  /** @param random 0 to 1: lines that were refused together do not return together */
  refused(retryAfterMs: number, nowMs: number, random: number): void {
    // Refusals of lines that were under way together count once.
    if (this.pauseMs(nowMs) > 0) return;
    this.#width = Math.max(1, Math.floor(this.#width / 2));
    const backoffMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#refusals, 10));
    this.#refusals += 1;
    const pauseMs = Math.min(longestPauseMs, Math.max(retryAfterMs, backoffMs));
    this.#resumeMs = nowMs + pauseMs * (1 + random * (longestSpread - 1));
  }
}

/** Lines that were refused together do not return together. */
const longestSpread = 1.25;
const beginWith = 4;
const firstPauseMs = 500;
/** A limit may be raised, and a cluster come back, before they said. */
const longestPauseMs = 60_000;
