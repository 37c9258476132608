/**
 * What is said over and over proves no more than what is said a few times. A window's sum grows with its words and is divided by their root
 * (windows.ts), so that `hello` two hundred times over, or one line of a log, would become an attack by its length.
 *
 * A pair of words speaks for an attack eight times that stand close to each other, then no more until it has been away. That hides nothing:
 * whoever repeats an attack's words first has said them eight times in one window, which weighs more than the attack by itself.
 */
import { hashedFeatures } from "./features.ts";

/** Words between one time and the next. */
const close = 24;
const mostTimes = 8;
const longAgo = -(2 ** 31);

/** By the hashed feature of a pair. One for the isolate: a text's places follow those of the text before. */
const lastAt = new Int32Array(hashedFeatures).fill(longAgo);
const times = new Uint8Array(hashedFeatures);
let begin = 0;

export class Repeats {
  readonly #begin: number;

  /** @param words of the text, which is looked through before another begins */
  constructor(words: number) {
    if (begin > 2 ** 30) {
      lastAt.fill(longAgo);
      begin = 0;
    }
    this.#begin = begin;
    begin += words + close + 1;
  }

  /** @param pair the feature of the word `at` and the one before it; to be asked of each word once, in their order */
  isMore(pair: number, at: number): boolean {
    const now = this.#begin + at;
    const count =
      now - (lastAt[pair] ?? longAgo) <= close ? Math.min(mostTimes + 1, (times[pair] ?? 0) + 1) : 1;
    lastAt[pair] = now;
    times[pair] = count;
    return count > mostTimes;
  }
}
