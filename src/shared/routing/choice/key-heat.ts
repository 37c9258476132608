/**
 * Which prompt beginnings do so many requests share that one replica could not serve them all? Counted in this isolate alone: every isolate
 * sees a sample of the same traffic, so all of them soon agree on what is hot without exchanging anything. A hot beginning is in every replica's cache
 * anyway, so nothing is lost when its requests are routed by a longer one.
 */

/** Above this many keys the rarest are forgotten. */
const maxKeys = 4096;
/** Fewer sightings than this prove nothing. */
const leastCount = 8;

export class KeyHeat {
  readonly #counts = new Map<number, number>();
  #total = 0;

  /** Counts one request's keys. */
  saw(keys: readonly number[]): void {
    this.#total += 1;
    for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    if (this.#counts.size > maxKeys) this.#halve();
  }

  /** Whether more than this share of all requests begin like this. */
  isHot(key: number, share: number): boolean {
    const count = this.#counts.get(key) ?? 0;
    return count >= leastCount && count > share * this.#total;
  }

  /** All counts weigh half from now on; what was seen once is forgotten. */
  #halve(): void {
    this.#total /= 2;
    for (const [key, count] of this.#counts) {
      if (count < 2) this.#counts.delete(key);
      else this.#counts.set(key, count / 2);
    }
  }
}
