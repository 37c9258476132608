/**
 * Which feature with weights is this? A table of numbers with open addressing: a text makes some eight look-ups a word, most of them misses,
 * and a `Map` of numbers costs several times as much.
 */
const free = -1;

export class FeatureTable {
  readonly #keys: Int32Array;
  readonly #places: Int32Array;
  readonly #mask: number;

  /** @param features the most that will be put in */
  constructor(features: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, features * 4)));
    this.#keys = new Int32Array(size).fill(free);
    this.#places = new Int32Array(size);
    this.#mask = size - 1;
  }

  /** @param feature not negative @param place not negative */
  set(feature: number, place: number): void {
    const at = this.#slotOf(feature);
    this.#keys[at] = feature;
    this.#places[at] = place;
  }

  /** -1: it is not in the table. */
  get(feature: number): number {
    const at = this.#slotOf(feature);
    return this.#keys[at] === free ? free : (this.#places[at] ?? free);
  }

  /** The slot where it is, or may be put. */
  #slotOf(feature: number): number {
    let at = feature & this.#mask;
    for (;;) {
      const key = this.#keys[at];
      if (key === feature || key === free) return at;
      at = (at + 1) & this.#mask;
    }
  }
}
