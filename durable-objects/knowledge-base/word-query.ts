/**
 * What does the word index get for a user's text? Its words alone, each in quotes, joined by OR: no operator, quote or column name of
 * FTS5's language is ever the user's. `null`: the text has no word.
 */
import { saysNothing, wordsOf } from "../../src/shared/retrieval/words.ts";

/** Each word costs a walk through its list. A question has some ten; a page pasted in as a question is searched by its first ones. */
const maxQueryWords = 48;
/** How far the text is read for them. */
const maxReadWords = 2048;

export function wordQuery(text: string): string | null {
  const words = new Set(wordsOf(text.slice(0, maxReadWords * 16), maxReadWords));
  const telling = [...words].filter((word) => !saysNothing(word));
  // "Who are you?" is a question, too.
  const asked = (telling.length === 0 ? [...words] : telling).slice(0, maxQueryWords);
  return asked.length === 0 ? null : asked.map((word) => `"${word}"`).join(" OR ");
}
