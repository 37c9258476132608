/** Which few of many have the highest score? Keeps no more than those; of equal scores the smaller id is first, so that it is the same each time. */
export interface Scored {
  readonly id: number;
  readonly score: number;
}

export class BestFew {
  readonly #limit: number;
  /** Twice as many at most: sorted and cut when full, so that each costs about a comparison. */
  #kept: Scored[] = [];
  #least = Number.NEGATIVE_INFINITY;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(id: number, score: number): void {
    if (score < this.#least) return;
    this.#kept.push({ id, score });
    if (this.#kept.length >= this.#limit * 2 + 16) this.#cut();
  }

  /** Best first. */
  toArray(): readonly Scored[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept.sort((left, right) => right.score - left.score || left.id - right.id);
    this.#kept = this.#kept.slice(0, this.#limit);
    if (this.#kept.length === this.#limit) this.#least = this.#kept.at(-1)?.score ?? this.#least;
  }
}
