/** A word is identified by a 32-bit hash (FNV-1a), which can be extended: the hash of `ab` continues that of `a`. */
export const emptyHash = 0x811c9dc5;

export function continueHash(hash: number, code: number): number {
  return Math.imul(hash ^ code, 0x01000193);
}

export function hashWord(word: string): number {
  let hash = emptyHash;
  for (let at = 0; at < word.length; at += 1) hash = continueHash(hash, word.charCodeAt(at));
  return hash;
}

/** Combines two hashes, in their order. Well mixed, since every bit of a table's index counts. */
export function mixHashes(first: number, second: number): number {
  let hash = Math.imul(first, 0x85ebca6b) ^ Math.imul(second, 0xc2b2ae35);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 13;
  return hash;
}
