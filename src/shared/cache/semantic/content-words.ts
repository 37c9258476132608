/**
 * Which words of an English question carry its meaning? Articles, links and polite words mostly do not, except in a question about the word
 * itself: "How do you say thanks?", "a or an", "What does of mean?". Pure.
 */
import {
  adverbs,
  articles,
  being,
  joins,
  links,
  mentions,
  otherAsNames,
  ownersLink,
  polite,
  singular,
  withParticle,
} from "./english.ts";

/** What may be left out but not exchanged: the number of words before it, and it. */
export type Place = readonly [before: number, word: string];

export interface ContentWords {
  /** What matters, in its order. */
  readonly words: string[];
  readonly links: readonly Place[];
  readonly articles: readonly Place[];
}

export function contentWords(pieces: readonly string[]): ContentWords {
  const words: string[] = [];
  const foundLinks: Place[] = [];
  const foundArticles: Place[] = [];
  const isMention = pieces.some((piece) => mentions.has(piece));
  for (const [at, piece] of pieces.entries()) {
    if (adverbs.has(piece) && !isMention && !isJoined(pieces, at)) continue;
    const article = articles.get(piece);
    const link = article === undefined ? linkOf(piece, words) : undefined;
    if (article !== undefined && namesWith(pieces[at + 1])) words.push(piece);
    else if (article !== undefined && leadsOn(pieces, at)) foundArticles.push([words.length, article]);
    else if (link !== undefined && leadsOn(pieces, at)) foundLinks.push([words.length, link]);
    else words.push(piece);
  }
  return { words, links: foundLinks, articles: foundArticles };
}

/** Whether it says nothing by itself, also where it is written with a capital. In lower case. */
export function isFunctionWord(word: string): boolean {
  return adverbs.has(word) || polite.has(word) || articles.has(word) || links.has(word);
}

function isJoined(pieces: readonly string[], at: number): boolean {
  return joins.has(pieces[at - 1] ?? "") || joins.has(pieces[at + 1] ?? "");
}

/** An article or a link belongs to what follows. With nothing, a link or a join behind it, it is itself what is asked about. */
function leadsOn(pieces: readonly string[], at: number): boolean {
  const next = pieces[at + 1];
  if (next === undefined || joins.has(next) || links.has(next)) return false;
  if (!articles.has(next)) return true;
  return !articles.has(pieces[at] ?? "") && leadsOn(pieces, at + 1);
}

/** The Amazon is no Amazon, nor the Gap a gap: a name that is another word as well is another name with an article. */
function namesWith(next: string | undefined): boolean {
  return next !== undefined && /^\p{Lu}/u.test(next) && otherAsNames.has(next.toLowerCase());
}

/** @param before the words that stand before it */
function linkOf(word: string, before: readonly string[]): string | undefined {
  const last = before.at(-1) ?? "";
  if (word === ownersLink) return before[0] === "how" ? word : undefined;
  if (being.has(last)) return undefined;
  return word === "in" && withParticle.has(last) ? undefined : links.get(word);
}

/** Without greetings in front ("Hi, what is …") and thanks behind ("…, please"). One that is asked about stays. */
export function withoutGreetings<Token extends { readonly written: string; readonly isSetOff: boolean }>(
  tokens: readonly Token[],
): readonly Token[] {
  const words = tokens.map(({ written }) => written.toLowerCase());
  if (words.some((word) => mentions.has(singular(word)))) return tokens;
  let from = 0;
  while (polite.has(words[from] ?? "") && beginsQuestion(words[from + 1])) from += 1;
  let to = tokens.length;
  while (to > from + 1 && polite.has(words[to - 1] ?? "") && tokens[to - 1]?.isSetOff === true) to -= 1;
  return tokens.slice(from, to);
}

/** "Hello in French" is no greeting, nor are "Thanks for all the fish" thanks. */
function beginsQuestion(word: string | undefined): boolean {
  return word !== undefined && !links.has(word) && !joins.has(word) && !/^(?:for|at|on)$/.test(word);
}
