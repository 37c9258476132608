/**
 * What does a text say once its disguises are off? Words in their plain form, each with its class: fullwidth and circled letters, accents,
 * zero-width characters, letters of other alphabets that look Latin, digits and signs for letters (h4te), stars (f*ck), letters apart
 * (d i e), words run together (ihate), drawn out (fuuuck), and one letter left out or two swapped (haet).
 *
 * Only words that mean something here are undone: `mp3` and `4th` stay. What the text says elsewhere is none of this file's business:
 * nothing that it returns is shown to anybody.
 */
import { commonWords, innocentWords, type WordClass, wordClasses } from "./word-classes.ts";

export interface PlainWord {
  /** Lower case, without disguise. */
  readonly word: string;
  /** Empty where it has none. */
  readonly classes: readonly WordClass[];
}

/** Beyond it a run of letters is no word. */
const longestWord = 40;
const mostRemembered = 8192;

interface Lexicon {
  readonly classes: ReadonlyMap<string, readonly WordClass[]>;
  /** Words with a letter missing or two swapped, and the word that was meant. */
  readonly misspelt: ReadonlyMap<string, string>;
  readonly parts: ReadonlySet<string>;
  readonly known: Map<string, readonly PlainWord[]>;
}

let built: Lexicon | null = null;

/** Made at the first text: whoever moderates nothing pays nothing. */
function lexicon(): Lexicon {
  built ??= build();
  return built;
}

/** Of these no misspelling is looked for: a missing letter makes another common word of them. */
const plainClasses = new Set<WordClass>([
  "you",
  "i",
  "they",
  "all",
  "negation",
  "person",
  "love",
  "against",
  "report",
  "minor",
  "make",
  "ask",
  "evade",
  "deserve",
]);

const innocent = new Set(innocentWords.split(/\s+/));

function build(): Lexicon {
  const classes = new Map<string, WordClass[]>();
  for (const [name, words] of Object.entries(wordClasses) as [WordClass, string][])
    for (const word of words.split(/\s+/)) {
      const known = classes.get(word) ?? [];
      if (!known.includes(name)) classes.set(word, [...known, name]);
    }
  const misspelt = new Map<string, string>();
  const note = (wrong: string, word: string): void => {
    if (wrong.length >= 4 && !classes.has(wrong) && !innocent.has(wrong)) misspelt.set(wrong, word);
  };
  for (const [word, named] of classes) {
    if (word.length < 4 || named.every((name) => plainClasses.has(name))) continue;
    for (const form of [word, `${word}s`]) {
      for (let at = 1; at < form.length; at += 1) {
        // Without its last letter a word is often another one.
        if (word.length >= 5 && at < word.length - 1) note(form.slice(0, at) + form.slice(at + 1), form);
        if (at + 1 < form.length)
          note(form.slice(0, at) + form.charAt(at + 1) + form.charAt(at) + form.slice(at + 2), form);
      }
    }
  }
  const parts = new Set([...commonWords.split(/\s+/), ...classes.keys()]);
  return { classes, misspelt, parts, known: new Map() };
}

/** Letters of other alphabets by the Latin one that they look like. */
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

/** Words with the signs that stand for letters; else what marks speech, a question, a cry or an end. */
const pieces = /[\p{L}\p{N}@$*|+!'’`]*[\p{L}\p{N}][\p{L}\p{N}@$*|+!'’`]*|["“”«»]|[?!.;:\n]/gu;
const quotes = /["“”«»]/;
const apostrophes = /['’`]/g;

export const quoteMark = '"';
export const number = "0";

export function plainWords(text: string): PlainWord[] {
  const found = unmasked(text).match(pieces) ?? [];
  const words: PlainWord[] = [];
  for (let at = 0; at < found.length; at += 1) {
    let piece = found[at] ?? "";
    if (piece.length === 1) {
      if (isLetter(piece)) {
        // Letters apart, with blanks or points between: three or more in a row are one word, or several.
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

function isLetter(character: string): boolean {
  return character.toLowerCase() !== character.toUpperCase();
}

function wordsOf(piece: string): readonly PlainWord[] {
  const { known } = lexicon();
  const remembered = known.get(piece);
  if (remembered !== undefined) return remembered;
  const words = resolve(piece);
  if (known.size >= mostRemembered) known.clear();
  if (piece.length <= longestWord) known.set(piece, words);
  return words;
}

function resolve(piece: string): readonly PlainWord[] {
  const cry = piece.length > 1 && piece.endsWith("!");
  const bare = piece.replace(apostrophes, "").replace(/^[|+!]+|[|+!]+$/g, "");
  const words = cry ? [{ word: "!", classes: [] }] : [];
  if (bare === "") return [...words, { word: piece.charAt(0), classes: [] }];
  if (bare.length > longestWord) return words;
  if (/^\p{N}+$/u.test(bare)) return [{ word: number, classes: [] }, ...words];
  return [...meant(bare), ...words];
}

/** The word or words behind one piece. */
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
  const parts = bare.length >= 5 && bare.length <= 24 ? cut(bare) : null;
  if (parts !== null)
    return parts.map((part) => ({ word: part, classes: classes.get(stemOf(part) ?? "") ?? [] }));
  return [{ word: bare, classes: [] }];
}

/** The lexicon's form of a word; `null`: it has none. */
function stemOf(word: string): string | null {
  const { classes } = lexicon();
  if (classes.has(word)) return word;
  const { length } = word;
  if (length < 4) return null;
  for (const [ending, instead] of endings) {
    if (!word.endsWith(ending)) continue;
    for (const other of instead) {
      const stem = word.slice(0, length - ending.length) + other;
      if (stem.length >= 3 && classes.has(stem)) return stem;
    }
  }
  if (!doubling.test(word)) return null;
  // Doubled: stabbed, killing is none.
  const doubled = /^(.+)([b-df-hj-np-tv-z])\2(?:ed|ing|er|ers)$/.exec(word);
  const stem = `${doubled?.[1] ?? ""}${doubled?.[2] ?? ""}`;
  return classes.has(stem) ? stem : null;
}

const doubling = /([b-df-hj-np-tv-z])\1(?:ed|ing|er|ers)$/;

const endings: readonly (readonly [string, readonly string[]])[] = [
  ["ies", ["y", "ie"]],
  ["es", ["", "e"]],
  ["s", [""]],
  ["ed", ["", "e"]],
  ["ing", ["", "e"]],
  ["in", ["", "e"]],
  ["ers", ["", "e"]],
  ["er", ["", "e"]],
  ["y", [""]],
];

const vowels = ["a", "e", "i", "o", "u"] as const;
const signs: Readonly<Record<string, string>> = {
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

function undisguised(bare: string): readonly string[] {
  const found: string[] = [];
  if (/[0-9@$!|+]/.test(bare) && /\p{L}/u.test(bare)) {
    const letters = bare.replace(/[0-9@$!|+]/g, (sign) => signs[sign] ?? sign);
    found.push(
      letters,
      bare.replace(/1/g, "l").replace(/[0-9@$!|+]/g, (sign) => signs[sign] ?? sign),
    );
  }
  if (bare.includes("*")) for (const vowel of vowels) found.push(bare.replaceAll("*", vowel));
  for (const drawn of found.length === 0 ? [bare] : found.slice())
    if (/(.)\1\1/.test(drawn))
      found.push(drawn.replace(/(.)\1{2,}/g, "$1$1"), drawn.replace(/(.)\1{2,}/g, "$1"));
  return found;
}

/** Into words of the lexicon and common ones, one of them at least with a meaning of its own; `null`: it can't be cut so. */
function cut(run: string): readonly string[] | null {
  const { parts, classes } = lexicon();
  const isPart = (text: string, start: number): boolean =>
    text.length >= 2 || (start === 0 && (text === "a" || text === "i"))
      ? parts.has(text) || (text.length >= 4 && stemOf(text) !== null)
      : false;
  // The fewest parts that end at each place.
  const best: (readonly string[] | null)[] = [[]];
  for (let end = 1; end <= run.length; end += 1) {
    let fewest: readonly string[] | null = null;
    for (let start = Math.max(0, end - 14); start < end; start += 1) {
      const before = best[start] ?? null;
      // Most places are none where a part ends: nothing is cut out there.
      if (before === null) continue;
      const part = run.slice(start, end);
      if (!isPart(part, start)) continue;
      if (fewest === null || before.length + 1 < fewest.length) fewest = [...before, part];
    }
    best.push(fewest);
  }
  const whole = best[run.length] ?? null;
  if (whole === null || whole.length > 4) return null;
  const telling = whole.some((part) => {
    const stem = stemOf(part);
    return (
      part.length >= 3 &&
      part.length * 5 >= run.length * 2 &&
      stem !== null &&
      (classes.get(stem) ?? []).some((name) => !plainClasses.has(name))
    );
  });
  return telling ? whole : null;
}
