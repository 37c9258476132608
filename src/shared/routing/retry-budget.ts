/**
 * May this request be retried? Retries are a share of the traffic, so that a fleet that is down is not hit harder by them. Closed form over
 * the time given. A retry that succeeds is refunded: all requests of one dead replica among many can be moved at once, while retries that
 * fail too use the budget up.
 */
export interface RetryBudgetSettings {
  readonly capacity: number;
  /** Retries that each request adds. */
  readonly share: number;
  /** Retries that a second adds, so that a quiet isolate can always retry. */
  readonly perSecond: number;
}

const defaultRetryBudget: RetryBudgetSettings = { capacity: 256, share: 0.2, perSecond: 5 };

export class RetryBudget {
  readonly #settings: RetryBudgetSettings;
  #tokens: number;
  #atMs: number | null = null;

  constructor(settings: RetryBudgetSettings = defaultRetryBudget) {
    this.#settings = settings;
    this.#tokens = settings.capacity;
  }

  /** A first attempt is made. */
  request(nowMs: number): void {
    this.#add(this.#settings.share, nowMs);
  }

  /** Takes one retry, if there is one. */
  take(nowMs: number): boolean {
    this.#add(0, nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** The retry got its first byte. */
  giveBack(nowMs: number): void {
    this.#add(1, nowMs);
  }

  #add(tokens: number, nowMs: number): void {
    const elapsedMs = this.#atMs === null ? 0 : Math.max(0, nowMs - this.#atMs);
    this.#atMs = Math.max(this.#atMs ?? nowMs, nowMs);
    const refilled = this.#tokens + tokens + (elapsedMs / 1000) * this.#settings.perSecond;
    this.#tokens = Math.min(this.#settings.capacity, refilled);
  }
}

/** Full jitter: between nothing and 20 ms before the first retry, doubling, at most 320 ms. */
export function backoffMs(retry: number, random: () => number): number {
  return random() * Math.min(320, 20 * 2 ** (retry - 1));
}
