/**
 * What is a text's vector where no model is at hand? Its words, their neighbours and their letters, hashed into a fixed number of
 * places with a sign (Weinberger et al., "Feature hashing for large scale multitask learning", 2009) and brought to length 1.
 *
 * It knows no meaning: texts are near each other where they share words, or parts of words (so that "configuring" is near
 * "configuration", and a typing error costs a little). It knows no corpus either, so that a word's weight is what English and its own
 * form say of it, never how rare it is. Deterministic, in process, some 20 µs for a sentence.
 */
import { ok } from "../contracts/result.ts";
import type { Embedder } from "./ports.ts";
import { saysNothing, wordsOf } from "./words.ts";

/** Half as many found a tenth less: a passage has some 600 different words and parts of words. */
const dimensions = 1024;

/** Words beyond it are not read: a passage has at most 4,096 tokens. */
const maxWords = 4096;
/** What words that say nothing count, beside 1: a text of nothing else still has a vector. */
const emptyWeight = 0.05;
const pairWeight = 0.2;
const lettersWeight = 0.5;

/** Its version goes up whenever any text's vector changes. */
export const lexicalEmbedder: Embedder = {
  id: `lexical-2-${dimensions}`,
  dimensions,
  // It sees what words see, and less well: more than this helped neither of two collections (docs/decisions/0061).
  weight: 0.05,
  embed: (texts) => Promise.resolve(ok(texts.map(lexicalVector))),
};

/** Of length 1, or all zero where the text has no word. */
export function lexicalVector(text: string): Float32Array {
  const counts = new Map<string, number>();
  const pairs = new Map<string, number>();
  let before = "";
  for (const word of wordsOf(text, maxWords)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    if (saysNothing(word)) continue;
    if (before !== "") {
      const pair = `${before} ${word}`;
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
    before = word;
  }
  const vector = new Float32Array(dimensions);
  for (const [word, count] of counts) {
    const weight = (saysNothing(word) ? emptyWeight : 1) * (1 + Math.log(count));
    add(vector, word, weight);
    addLetters(vector, word, weight * lettersWeight);
  }
  for (const [pair, count] of pairs) add(vector, pair, pairWeight * (1 + Math.log(count)));
  return toUnit(vector);
}

/** A word's groups of three letters, its ends marked, share the weight. Short words are their letters already. */
function addLetters(vector: Float32Array, word: string, weight: number): void {
  if (word.length < 4) return;
  const marked = `^${word}$`;
  const groups = marked.length - 2;
  const share = weight / Math.sqrt(groups);
  for (let at = 0; at < groups; at += 1) add(vector, marked.slice(at, at + 3), share);
}

function add(vector: Float32Array, feature: string, weight: number): void {
  const hash = hashOf(feature);
  const at = hash % dimensions;
  vector[at] = (vector[at] ?? 0) + (hash >>> 31 === 0 ? weight : -weight);
}

/** FNV-1a over UTF-16 units, stirred so that its high bits depend on all of them. */
function hashOf(feature: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < feature.length; at += 1) hash = Math.imul(hash ^ feature.charCodeAt(at), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  hash = Math.imul(hash, 0x297a2d39);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function toUnit(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (squares === 0) return vector;
  const scale = 1 / Math.sqrt(squares);
  for (let at = 0; at < vector.length; at += 1) vector[at] = (vector[at] ?? 0) * scale;
  return vector;
}
