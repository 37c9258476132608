/**
 * Which of the features that have weights is this one? A table of numbers with open addressing: a text asks some eight times a word, mostly
 * for what is not there, and a `Map` of numbers costs several times as much.
 */
const free = -1;

export class FeatureTable {
  readonly #keys: Int32Array;
  readonly #places: Int32Array;
  readonly #mask: number;

  /** @param features so many are put in at most */
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

  /** -1: it is not kept. */
  get(feature: number): number {
    const at = this.#slotOf(feature);
    return this.#keys[at] === free ? free : (this.#places[at] ?? free);
  }

  /** Where it is, or may be put. */
  #slotOf(feature: number): number {
    let at = feature & this.#mask;
    for (;;) {
      const key = this.#keys[at];
      if (key === feature || key === free) return at;
      at = (at + 1) & this.#mask;
    }
  }
}
