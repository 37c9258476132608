/**
 * How quickly does a replica answer clients of a region? Roughly the least time to a first byte that isolates reported: anything above that
 * is load, not distance. The value decides who is chosen, and only chosen replicas are measured again. So an unconfirmed value fades
 * towards the best peer's: otherwise one late answer of a cold engine would keep its replica idle for good.
 */

/** Confirmed within so long, it holds. */
const confirmedMs = 10_000;
/** From then on its distance to the best peer's halves in so long. */
const fadeHalfLifeMs = 10_000;
/** Of what is above the least: it falls at once and rises slowly. */
const rise = 0.05;

interface Learned {
  ms: number;
  heardAtMs: number;
}

export class LearnedLatency {
  readonly #learned = new Map<string, Learned>();
  readonly #believed = new Map<string, number>();

  /** Milliseconds by region, as they are believed now. */
  get believed(): ReadonlyMap<string, number> {
    return this.#believed;
  }

  heard(region: string, ms: number, nowMs: number): void {
    const known = this.#learned.get(region);
    const next = known === undefined || ms < known.ms ? ms : known.ms + (ms - known.ms) * rise;
    this.#learned.set(region, { ms: next, heardAtMs: nowMs });
    this.#believed.set(region, next);
  }

  /** Puts down what is the least of all peers. */
  lower(least: Map<string, number>): void {
    for (const [region, { ms }] of this.#learned)
      if (ms < (least.get(region) ?? Number.POSITIVE_INFINITY)) least.set(region, ms);
  }

  /** @param least of all peers, this one among them */
  fade(least: ReadonlyMap<string, number>, nowMs: number): void {
    for (const [region, { ms, heardAtMs }] of this.#learned) {
      const unconfirmedMs = nowMs - heardAtMs - confirmedMs;
      const leastMs = least.get(region);
      if (unconfirmedMs <= 0 || leastMs === undefined || leastMs >= ms) continue;
      this.#believed.set(region, leastMs + (ms - leastMs) * 2 ** (-unconfirmedMs / fadeHalfLifeMs));
    }
  }
}
