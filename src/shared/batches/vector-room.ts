/**
 * Vectors are a thousand times as long as what they are asked for: a line of some kilobytes is answered by tens of megabytes. How many may come
 * at once is bounded by their number: each line waits, in turn, until there is room for its own. One that is alone has it.
 */
export class VectorRoom {
  readonly #most: number;
  #taken = 0;
  readonly #waiting: { readonly vectors: number; readonly enter: () => void }[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** @returns called once, when they are done with */
  async enter(vectors: number): Promise<() => void> {
    if (this.#waiting.length > 0 || !this.#fits(vectors))
      await new Promise<void>((enter) => this.#waiting.push({ vectors, enter }));
    else this.#taken += vectors;
    return () => this.#leave(vectors);
  }

  #fits(vectors: number): boolean {
    return this.#taken === 0 || this.#taken + vectors <= this.#most;
  }

  #leave(vectors: number): void {
    this.#taken -= vectors;
    for (
      let next = this.#waiting[0];
      next !== undefined && this.#fits(next.vectors);
      next = this.#waiting[0]
    ) {
      this.#waiting.shift();
      this.#taken += next.vectors;
      next.enter();
    }
  }
}
