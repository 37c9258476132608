/**
 * Which of the passages found is most relevant, where no reranking model is configured? One that contains the question's words, and the
 * words that the best passages have in common: pseudo-relevance feedback (Rocchio, 1971; in the form of Lavrenko and Croft, "Relevance
 * based language models", SIGIR 2001), counted as BM25 counts.
 *
 * It sees only the passages that were found and does not know how rare a word is in the store; the score of the search, which does, is
 * mixed in (`share`). Its weights were chosen on one half of the queries of two collections and held against the other
 * (docs/decisions/0061).
 */
import { ok } from "../contracts/result.ts";
import type { Reranker } from "./ports.ts";
import { saysNothing, wordsOf } from "./words.ts";

/** How many of the first passages are taken to be right, each counting by its place as in nDCG. */
const trusted = 4;
/** How many of their words are taken along. */
const takenWords = 40;
/** What those count of all, together. */
const takenShare = 0.6;
/** BM25's saturation, and how far a long passage's words count less. */
const k1 = 1.2;
const b = 0.75;
/** Words of a passage that are read: one of 800 tokens has some 600. */
const maxWords = 1500;
const maxQuestionWords = 512;

export const lexicalReranker: Reranker = {
  id: "lexical-1",
  share: 0.6,
  rank: (query, passages) => Promise.resolve(ok(rankByWords(query, passages))),
};

/**
 * The passages are expected best first. A score is the share of the words asked for, by their weights, that a passage says often enough:
 * 1 is not reached, 0 is to say none of them.
 */
export function rankByWords(query: string, passages: readonly string[]): number[] {
  const texts = passages.map((passage) => wordCounts(passage, maxWords));
  const meanLength = texts.reduce((sum, { length }) => sum + length, 0) / Math.max(1, texts.length);
  const saturation = (count: number, length: number): number =>
    count / (count + k1 * (1 - b + (b * length) / meanLength));
  const weights = shares(wordCounts(query, maxQuestionWords).counts, 1 - takenShare);
  const common = new Map<string, number>();
  for (const [at, { counts, length }] of texts.slice(0, trusted).entries())
    for (const [word, count] of counts)
      common.set(word, (common.get(word) ?? 0) + saturation(count, length) / Math.log2(at + 2));
  const taken = [...common].sort(([, left], [, right]) => right - left).slice(0, takenWords);
  for (const [word, weight] of shares(new Map(taken), takenShare))
    weights.set(word, (weights.get(word) ?? 0) + weight);
  return texts.map(({ counts, length }) => {
    let score = 0;
    for (const [word, weight] of weights) {
      const count = counts.get(word);
      if (count !== undefined) score += weight * saturation(count, length);
    }
    return score;
  });
}

interface CountedWords {
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
}

/** Of words that say something; of a text that has none such, all. */
function wordCounts(text: string, limit: number): CountedWords {
  const words = wordsOf(text, limit);
  const telling = words.filter((word) => !saysNothing(word));
  const counts = new Map<string, number>();
  for (const word of telling.length === 0 ? words : telling) counts.set(word, (counts.get(word) ?? 0) + 1);
  return { counts, length: telling.length === 0 ? words.length : telling.length };
}

/** Scaled to a sum. */
function shares(weights: ReadonlyMap<string, number>, sum: number): Map<string, number> {
  let total = 0;
  for (const weight of weights.values()) total += weight;
  return new Map([...weights].map(([word, weight]) => [word, (weight / total) * sum]));
}
