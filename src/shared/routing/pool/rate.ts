/** How often does something happen, lately? An exponentially decaying count in closed form: no windows, no timers. */
export class Rate {
  readonly #halfLifeMs: number;
  #count = 0;
  #atMs = 0;
  #sinceMs: number | null = null;

  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs;
  }

  add(nowMs: number, by = 1): void {
    this.#sinceMs ??= nowMs;
    this.#count = this.#decayed(nowMs) + by;
    this.#atMs = nowMs;
  }

  /** A second. Of the time since the first event where that is short: a rate is not low for being young. */
  perSecond(nowMs: number): number {
    if (this.#sinceMs === null) return 0;
    // What a steady rate of 1 a millisecond has come to by now.
    const full = this.#halfLifeMs / Math.LN2;
    const agedMs = Math.max(1, nowMs - this.#sinceMs);
    const reached = full * (1 - 2 ** (-agedMs / this.#halfLifeMs));
    // A few events within a moment say little of a second: never taken for less than half a second's worth of time.
    return (this.#decayed(nowMs) / Math.max(reached, 500)) * 1000;
  }

  #decayed(nowMs: number): number {
    return this.#count * 2 ** (-Math.max(0, nowMs - this.#atMs) / this.#halfLifeMs);
  }
}
