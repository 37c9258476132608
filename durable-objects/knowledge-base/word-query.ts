/**
 * What does the word index get for a user's text? Its words alone, each in quotes, joined by OR: no operator, quote or column name of
 * FTS5's language is ever the user's. `null`: the text has no word.
 */
import { saysNothing, wordsOf } from "../../src/shared/retrieval/words.ts";

/** Each word costs a walk through its list. A question has some ten; of a page pasted in as one, the words that it repeats are asked for. */
const maxQueryWords = 48;
/** A word that the question repeats counts as often: BM25 has no other way to say so. */
const maxRepeats = 3;
/** How far the text is read for them. */
const maxReadWords = 2048;
const maxReadCharacters = maxReadWords * 16;

export function wordQuery(text: string): string | null {
  const words = wordsOf(text.slice(0, maxReadCharacters), maxReadWords);
  const telling = words.filter((word) => !saysNothing(word));
  const counts = new Map<string, number>();
  // "Who are you?" is a question, too.
  for (const word of telling.length === 0 ? words : telling) counts.set(word, (counts.get(word) ?? 0) + 1);
  if (counts.size === 0) return null;
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .slice(0, maxQueryWords)
    .flatMap(([word, count]) => Array.from({ length: Math.min(count, maxRepeats) }, () => `"${word}"`))
    .join(" OR ");
}
