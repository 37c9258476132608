/**
 * Text repeated many times proves no more than text repeated a few times. A window's sum grows with its words and is divided by their square
 * root (windows.ts); so two hundred times `hello`, or one log line repeated, would count as an attack just because of its length.
 *
 * A pair of words counts towards an attack in its first eight occurrences close to each other, then no more until it has been absent for a
 * while. This can't hide an attack: eight repetitions within one window weigh more than the attack alone.
 */
import { hashedFeatures } from "./features.ts";

/** The most words between two close occurrences. */
const close = 24;
const mostTimes = 8;
const longAgo = -(2 ** 31);

/** The last place of each pair, by its hashed feature. Shared in the isolate: places of a text follow those of the text before. */
const lastAt = new Int32Array(hashedFeatures).fill(longAgo);
const times = new Uint8Array(hashedFeatures);
let begin = 0;

export class Repeats {
  readonly #begin: number;

  /** @param words number of words in the text, which must be finished before another begins */
  constructor(words: number) {
    if (begin > 2 ** 30) {
      lastAt.fill(longAgo);
      begin = 0;
    }
    this.#begin = begin;
    begin += words + close + 1;
  }

  /** @param pair the feature of the word `at` and the one before it. Call it once for each word, in order. */
  isMore(pair: number, at: number): boolean {
    const now = this.#begin + at;
    const count =
      now - (lastAt[pair] ?? longAgo) <= close ? Math.min(mostTimes + 1, (times[pair] ?? 0) + 1) : 1;
    lastAt[pair] = now;
    times[pair] = count;
    return count > mostTimes;
  }
}
