/**
 * How does an isolate remember things without growing? A map in two generations: a hit is one look-up and moves
 * nothing (a list-ordered LRU deletes and re-inserts on every hit, which costs more than the hit), and when the young
 * generation is full the old one is dropped whole. What was used since the last turn survives the next one.
 */
export interface MapBounds<K, V> {
  /** Most entries of one generation; the map holds at most twice as many. */
  readonly maxEntries: number;
  /** Most weight of one generation, in the unit of `weigh`; the map holds at most twice as much, and one entry more. */
  readonly maxWeight?: number;
  readonly weigh?: (key: K, value: V) => number;
}

export class BoundedMap<K, V extends object | string | number | boolean> {
  readonly #bounds: MapBounds<K, V>;
  #young = new Map<K, V>();
  #old = new Map<K, V>();
  #youngWeight = 0;

  constructor(bounds: MapBounds<K, V>) {
    this.#bounds = bounds;
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined || this.#old.size === 0) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    const { maxEntries, maxWeight, weigh } = this.#bounds;
    if (weigh !== undefined) {
      const replaced = this.#young.get(key);
      if (replaced !== undefined) this.#youngWeight -= weigh(key, replaced);
      this.#youngWeight += weigh(key, value);
    }
    this.#young.set(key, value);
    // The old generation may hold an older value, which must not come back when the young one is deleted.
    this.#old.delete(key);
    if (this.#young.size >= maxEntries || (maxWeight !== undefined && this.#youngWeight >= maxWeight))
      this.turn();
  }

  delete(key: K): void {
    const young = this.#young.get(key);
    if (young !== undefined) {
      this.#youngWeight -= this.#bounds.weigh?.(key, young) ?? 0;
      this.#young.delete(key);
    }
    this.#old.delete(key);
  }

  /** Drops what was not used since the last turn. Called when full; callers that bound an entry's life call it by time. */
  turn(): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngWeight = 0;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
