/**
 * What does a text say without its disguises? Returns words in their plain form, each with its classes. Undoes fullwidth and circled letters, accents,
 * zero-width characters, letters of other alphabets that look Latin, digits and signs for letters (h4te), stars (f*ck), spaced-out letters
 * (d i e), words run together (ihate), repeated letters (fuuuck), and one letter missing or two swapped (haet).
 *
 * Undoes a disguise only if that gives a word of the lexicon: `mp3` and `4th` stay. Its result is only for the classifier and never shown.
 */
import { wordsRunTogether } from "./run-together.ts";
import type { WordClass } from "./word-classes.ts";
import { innocent, lexicon, stemOf } from "./word-forms.ts";

export interface PlainWord {
  /** In lower case, without disguise. */
  readonly word: string;
  /** Empty if it has none. */
  readonly classes: readonly WordClass[];
}

/** A longer run of letters is not a word. */
const longestWord = 40;
const mostRemembered = 8192;

/** Letters of other alphabets, with the Latin letters that they look like. */
const lookalikes: ReadonlyMap<string, string> = new Map(
  "аa вb еe кk мm нh оo рp сc тt уy хx іi јj ѕs ԁd ԛq ԝw һh ӏl гr пn αa βb εe ηn ιi κk μu νv οo ρp τt υu χx ωw ɑa ɡg ıi łl øo đd ßs ꜱs"
    .split(" ")
    .map((pair) => [pair.charAt(0), pair.charAt(1)] as const),
);

/** Format characters, and Hangul's fillers; variation selectors are marks. */
const invisible = /[\p{Cf}\u115f\u1160]/gu;
// oxlint-disable-next-line no-control-regex -- ASCII is what it asks for.
const ascii = /^[\u0000-\u007f]*$/;
const marks = /\p{M}/gu;
const foreign = /[^\u0000-\u007f]/gu;

function unmasked(text: string): string {
  if (ascii.test(text)) return text.toLowerCase();
  return text
    .normalize("NFKC")
    .toLowerCase()
    .normalize("NFD")
    .replace(marks, "")
    .replace(invisible, "")
    .replace(foreign, (letter) => lookalikes.get(letter) ?? letter);
}

/** Words with signs that may be letters; or marks of speech, a question, an exclamation or an end. It never backtracks, since runs of signs can be long. */
const pieces = /[\p{L}\p{N}@$*|+!'’`]+|["“”«»]|[?.;:\n]/gu;
const letterOrNumber = /[\p{L}\p{N}]/u;
const quotes = /["“”«»]/;
const apostrophes = /['’`]/g;

export const quoteMark = '"';
export const number = "0";

export function plainWords(text: string): PlainWord[] {
  const found = piecesOf(text);
  const words: PlainWord[] = [];
  for (let at = 0; at < found.length; at += 1) {
    let piece = found[at] ?? "";
    if (piece.length === 1) {
      if (isLetter(piece)) {
        // Three or more letters in a row with blanks or dots between them are one word, or several.
        let end = at + 1;
        let letters = piece;
        while (end < found.length) {
          const next = found[end] === "." ? end + 1 : end;
          const letter = found[next] ?? "";
          if (letter.length !== 1 || !isLetter(letter)) break;
          letters += letter;
          end = next + 1;
        }
        if (letters.length >= 3) {
          piece = letters.slice(0, longestWord);
          at = end - 1;
        }
      } else if (quotes.test(piece)) {
        words.push({ word: quoteMark, classes: [] });
        continue;
      }
    }
    for (const word of wordsOf(piece)) words.push(word);
  }
  return words;
}

/** If a run of signs is no word, only its exclamation marks count. */
function piecesOf(text: string): readonly string[] {
  const runs: readonly string[] = unmasked(text).match(pieces) ?? [];
  let found: string[] | null = null;
  for (let at = 0; at < runs.length; at += 1) {
    const run = runs[at] ?? "";
    const code = run.charCodeAt(0);
    const isWord = (code >= 0x61 && code <= 0x7a) || !signs.has(run.charAt(0)) || letterOrNumber.test(run);
    if (isWord) found?.push(run);
    else {
      found ??= runs.slice(0, at);
      for (const sign of run) if (sign === "!") found.push(sign);
    }
  }
  return found ?? runs;
}

const signs: ReadonlySet<string> = new Set("@$*|+!'’`");

function isLetter(character: string): boolean {
  return character.toLowerCase() !== character.toUpperCase();
}

/** Remembered pieces, by their written form. */
const known = new Map<string, readonly PlainWord[]>();

function wordsOf(piece: string): readonly PlainWord[] {
  const remembered = known.get(piece);
  if (remembered !== undefined) return remembered;
  const words = resolve(piece);
  if (known.size >= mostRemembered) known.clear();
  if (piece.length <= longestWord) known.set(piece, words);
  return words;
}

function resolve(piece: string): readonly PlainWord[] {
  if (lettersOnly.test(piece)) return piece.length > longestWord ? [] : meant(piece);
  const cry = piece.length > 1 && piece.endsWith("!");
  const bare = piece.replace(apostrophes, "").replace(/^[|+!]+|[|+!]+$/g, "");
  const words = cry ? [{ word: "!", classes: [] }] : [];
  if (bare === "") return [...words, { word: piece.charAt(0), classes: [] }];
  if (bare.length > longestWord) return words;
  if (/^\p{N}+$/u.test(bare)) return [{ word: number, classes: [] }, ...words];
  return [...meant(bare), ...words];
}

const lettersOnly = /^[a-z]+$/;

/** The word or words that one piece stands for. */
function meant(bare: string): readonly PlainWord[] {
  const { classes, misspelt } = lexicon();
  const plain = stemOf(bare);
  if (plain !== null) return [{ word: bare, classes: classes.get(plain) ?? [] }];
  for (const candidate of undisguised(bare)) {
    const stem = stemOf(candidate);
    if (stem !== null) return [{ word: candidate, classes: classes.get(stem) ?? [] }];
  }
  if (innocent.has(bare)) return [{ word: bare, classes: [] }];
  const word = misspelt.get(bare);
  if (word !== undefined) return [{ word, classes: classes.get(stemOf(word) ?? "") ?? [] }];
  const parts = bare.length >= 5 && bare.length <= 24 ? wordsRunTogether(bare) : null;
  if (parts !== null)
    return parts.map((part) => ({ word: part, classes: classes.get(stemOf(part) ?? "") ?? [] }));
  return [{ word: bare, classes: [] }];
}

const vowels = ["a", "e", "i", "o", "u"] as const;
const letterOfSign: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "8": "b",
  "@": "a",
  $: "s",
  "!": "i",
  "|": "i",
  "+": "t",
};

const letterSigns = /[0-9@$!|+]/;

/** @param one the letter that `1` stands for */
function withoutSigns(bare: string, one: "i" | "l"): string {
  let letters = "";
  for (let at = 0; at < bare.length; at += 1) {
    const sign = bare.charAt(at);
    letters += sign === "1" ? one : (letterOfSign[sign] ?? sign);
  }
  return letters;
}

function undisguised(bare: string): readonly string[] {
  const found: string[] = [];
  if (letterSigns.test(bare) && /\p{L}/u.test(bare)) {
    found.push(withoutSigns(bare, "i"));
    if (bare.includes("1")) found.push(withoutSigns(bare, "l"));
  }
  if (bare.includes("*")) for (const vowel of vowels) found.push(bare.replaceAll("*", vowel));
  for (const drawn of found.length === 0 ? [bare] : found.slice())
    if (/(.)\1\1/.test(drawn))
      found.push(drawn.replace(/(.)\1{2,}/g, "$1$1"), drawn.replace(/(.)\1{2,}/g, "$1"));
  return found;
}
