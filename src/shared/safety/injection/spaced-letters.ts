/** `I g n o r e  a l l`: which words do spaced-out letters form? Finds those of the lexicon, at the letters' places. */
import { classBits, type Lexicon } from "./lexicon.ts";
import { hashWord } from "./word-hash.ts";
import type { WordList } from "./word-list.ts";

/** Words with fewer letters than this occur by chance, for example in lists of names. */
const fewestLetters = 6;

/** @param from index of the first single letter; they are the last words of the list */
export function joinLetters(text: string, words: WordList, from: number, lexicon: Lexicon): void {
  if (words.length - from < fewestLetters) return;
  let letters = "";
  for (let at = from; at < words.length; at += 1) letters += text.charAt(words.startOf(at));
  letters = letters.toLowerCase();
  const found: { readonly word: string; readonly at: number }[] = [];
  let joined = 0;
  for (let at = 0; at < letters.length;) {
    const word = lexicon.longestAt(letters, at);
    if (word !== "") found.push({ word, at });
    joined += word.length;
    at += Math.max(1, word.length);
  }
  if (joined < fewestLetters) return;
  for (const { word, at } of found) {
    const hash = hashWord(word);
    const end = words.endOf(from + at + word.length - 1);
    words.replace(from + at, hash, lexicon.maskOf(hash) | classBits.obfuscated, end);
  }
}
