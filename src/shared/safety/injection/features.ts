/**
 * What does the classifier look at? At each word: the word and its pair with the word before it (both hashed), its classes, and ordered pairs of
 * classes close to each other. All of it is known once the word is read, so that any run of words is scored by the difference of two sums.
 */
import { wordClasses } from "./lexicon.ts";
import type { ReadWords } from "./word-list.ts";
import { mixHashes } from "./word-hash.ts";

/** Shared by hashed words and pairs of words; a power of two. */
export const hashedFeatures = 16384;
const classCount = wordClasses.length;
export const featureCount = hashedFeatures + classCount + classCount * classCount;

/** Two classes are a pair if their words are at most this many words apart. */
const nearWords = 10;

/**
 * Writes the features of word `at` into `into`, from 0; returns how many.
 *
 * @param into of `mostFeaturesOfWord`
 */
export function featuresOf({ hashes, masks }: ReadWords, at: number, into: Int32Array): number {
  const hash = hashes[at] ?? 0;
  into[0] = mixHashes(hash, 1) & (hashedFeatures - 1);
  if (at === 0) return 1;
  into[1] = mixHashes(hash, hashes[at - 1] ?? 0) & (hashedFeatures - 1);
  let count = 2;
  let mask = masks[at] ?? 0;
  if (mask === 0) return count;
  let near = 0;
  for (let before = Math.max(0, at - nearWords); before < at; before += 1) near |= masks[before] ?? 0;
  while (mask !== 0) {
    const own = 31 - Math.clz32(mask);
    mask &= ~(1 << own);
    into[count++] = hashedFeatures + own;
    const row = hashedFeatures + classCount + own * classCount;
    for (let left = near; left !== 0;) {
      const other = 31 - Math.clz32(left);
      left &= ~(1 << other);
      into[count++] = row + other;
    }
  }
  return count;
}

/** The word, the pair with its predecessor, each class, and each class with each. */
export const mostFeaturesOfWord = 2 + classCount * (classCount + 1);
