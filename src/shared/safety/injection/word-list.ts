/** The words of a text as they are read: hashes, classes and places, in typed arrays that double, and where sentences begin. */
export interface ReadWords {
  readonly hashes: Int32Array;
  /** Bits of the classes in lexicon.ts. */
  readonly masks: Int32Array;
  /** Of each word, in UTF-16 units of the text; ends exclusive. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Indices of the words that begin a sentence, rising; the first is 0. */
  readonly sentences: readonly number[];
}

/** A sentence without a full stop ends after this many words. */
const longestSentenceWords = 40;

export class WordList {
  length = 0;
  #hashes = new Int32Array(64);
  #masks = new Int32Array(64);
  #starts = new Int32Array(64);
  #ends = new Int32Array(64);
  readonly #sentences: number[] = [];
  #sentenceEnded = true;

  push(hash: number, mask: number, start: number, end: number): void {
    const at = this.length;
    if (this.#sentenceEnded || at - (this.#sentences.at(-1) ?? 0) >= longestSentenceWords) {
      if (this.#sentences.at(-1) !== at) this.#sentences.push(at);
      this.#sentenceEnded = false;
    }
    if (at === this.#hashes.length) this.#grow();
    this.length = at + 1;
    this.replace(at, hash, mask, end);
    this.#starts[at] = start;
  }

  /** Replaces the word `at`, which now reaches up to `end`. */
  replace(at: number, hash: number, mask: number, end: number): void {
    this.#hashes[at] = hash;
    this.#masks[at] = mask;
    this.#ends[at] = end;
  }

  /** Removes the last word, which was only the beginning of the next one. Returns where it began. */
  takeBack(): number {
    this.length -= 1;
    return this.#starts[this.length] ?? 0;
  }

  endSentence(): void {
    this.#sentenceEnded = true;
  }

  /** Adds a class to the last word. */
  mark(bit: number): void {
    const last = this.length - 1;
    if (last >= 0) this.#masks[last] = (this.#masks[last] ?? 0) | bit;
  }

  lastHash(): number {
    return this.#hashes[this.length - 1] ?? 0;
  }

  lastStart(): number {
    return this.startOf(this.length - 1);
  }

  startOf(at: number): number {
    return this.#starts[at] ?? 0;
  }

  endOf(at: number): number {
    return this.#ends[at] ?? 0;
  }

  finished(): ReadWords {
    const { length } = this;
    return {
      hashes: this.#hashes.subarray(0, length),
      masks: this.#masks.subarray(0, length),
      starts: this.#starts.subarray(0, length),
      ends: this.#ends.subarray(0, length),
      sentences: this.#sentences,
    };
  }

  #grow(): void {
    this.#hashes = doubled(this.#hashes);
    this.#masks = doubled(this.#masks);
    this.#starts = doubled(this.#starts);
    this.#ends = doubled(this.#ends);
  }
}

function doubled(list: Int32Array): Int32Array<ArrayBuffer> {
  const more = new Int32Array(list.length * 2);
  more.set(list);
  return more;
}
