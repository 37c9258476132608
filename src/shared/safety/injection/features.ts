/**
 * What does the classifier look at? At each word: the word itself and the two before it (hashed), the classes that it is in, and pairs of
 * classes that stand close to each other, in their order. All of it is known when the word is, so that any run of words is judged by
 * a difference of two sums.
 */
import { wordClasses } from "./lexicon.ts";
import type { ReadWords } from "./word-list.ts";
import { mixHashes } from "./word-hash.ts";

/** Hashed words and pairs of words share these; a power of two. */
export const hashedFeatures = 16384;
const classCount = wordClasses.length;
export const featureCount = hashedFeatures + classCount + classCount * classCount;

/** Words of two classes are a pair where at most so many words lie between them, less one. */
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

/** Each class with each. */
export const mostFeaturesOfWord = 2 + classCount * (classCount + 1);
