/**
 * Is a kind of object out of reach for this isolate as a whole? Pure; the isolate keeps one breaker for each kind and gives it the time.
 *
 * One failing object concerns only its owner. So what counts is how many different ones failed for the
 * platform's reasons since the last that answered: a breaker that one user could open would shut out all others.
 */
export interface ObjectBreakerSettings {
  /** Different objects that failed in a row. */
  readonly failures: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
}

const defaults: ObjectBreakerSettings = { failures: 5, openMs: 1000, maxOpenMs: 30_000 };

export class ObjectBreaker {
  readonly #settings: ObjectBreakerSettings;
  readonly #failed = new Set<string>();
  #openMs = 0;
  /** When the next trial may go; `null`: closed. */
  #trialAtMs: number | null = null;

  constructor(settings: ObjectBreakerSettings = defaults) {
    this.#settings = settings;
  }

  /**
   * 0: call it. Otherwise how long not to, in milliseconds. Once open, one call a period is let through as a trial; one that
   * tells nothing (an overload, a call that never left) leaves it to the next.
   */
  waitMs(nowMs: number): number {
    if (this.#trialAtMs === null) return 0;
    if (nowMs < this.#trialAtMs) return this.#trialAtMs - nowMs;
    this.#trialAtMs = nowMs + this.#openMs;
    return 0;
  }

  succeeded(): void {
    this.#failed.clear();
    this.#trialAtMs = null;
    this.#openMs = 0;
  }

  failed(name: string, nowMs: number): void {
    this.#failed.add(name);
    if (this.#failed.size < this.#settings.failures) return;
    const { openMs, maxOpenMs } = this.#settings;
    this.#openMs = Math.min(maxOpenMs, this.#openMs === 0 ? openMs : this.#openMs * 2);
    this.#trialAtMs = nowMs + this.#openMs;
  }
}
