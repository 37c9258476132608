/**
 * Which words does the classifier know, in which forms, and which misspellings and runs of letters may be one of them? Made from word-classes.ts
 * when the first text is judged.
 */
import { commonWords, innocentWords, type WordClass, wordClasses } from "./word-classes.ts";

interface Lexicon {
  readonly classes: ReadonlyMap<string, readonly WordClass[]>;
  /** Words with a letter missing or two swapped, and the words that they stand for. */
  readonly misspelt: ReadonlyMap<string, string>;
  readonly parts: ReadonlySet<string>;
  /** The first `beginning` letters of every part and its forms, if it has that many. */
  readonly beginnings: ReadonlySet<string>;
}

let built: Lexicon | null = null;

/** Made at the first text, so that it costs nothing without moderation. */
export function lexicon(): Lexicon {
  built ??= build();
  return built;
}

/** Misspellings of these are ignored: a missing letter turns them into other common words. */
export const plainClasses: ReadonlySet<WordClass> = new Set<WordClass>([
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

export const innocent = new Set(innocentWords.split(/\s+/));

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
        // Without its last letter a word is often another word.
        if (word.length >= 5 && at < word.length - 1) note(form.slice(0, at) + form.slice(at + 1), form);
        if (at + 1 < form.length)
          note(form.slice(0, at) + form.charAt(at + 1) + form.charAt(at) + form.slice(at + 2), form);
      }
    }
  }
  const parts = new Set([...commonWords.split(/\s+/), ...classes.keys()]);
  return { classes, misspelt, parts, beginnings: beginningsOf(parts, classes.keys()) };
}

/** The number of letters in `beginnings`. */
export const beginning = 3;

/** The inverse of `stemOf`: for `die` also `dii`, since `stemOf` would accept `diing` as one of its forms. */
function beginningsOf(parts: Iterable<string>, stems: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  const note = (word: string): void => {
    if (word.length >= beginning) found.add(word.slice(0, beginning));
  };
  for (const part of parts) note(part);
  for (const stem of stems) {
    // With a doubled consonant.
    note(stem + stem.slice(-1));
    for (const [ending, instead] of endings)
      for (const other of instead)
        if (stem.endsWith(other)) note(stem.slice(0, stem.length - other.length) + ending);
  }
  return found;
}

/** A word's form in the lexicon; `null`: it has none. */
export function stemOf(word: string): string | null {
  const { classes } = lexicon();
  if (classes.has(word)) return word;
  const { length } = word;
  if (length < 4) return null;
  const possible = endingsByLast.get(word.charCodeAt(length - 1));
  if (possible === undefined) return null;
  for (const [ending, instead] of possible) {
    if (!word.endsWith(ending)) continue;
    for (const other of instead) {
      const stem = word.slice(0, length - ending.length) + other;
      if (stem.length >= 3 && classes.has(stem)) return stem;
    }
  }
  if (!doubling.test(word)) return null;
  // A doubled consonant: stabbed (but not killing).
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

/** By a word's last letter, which rules out most words. Forms with doubled consonants end in one of these letters, too. */
const endingsByLast = new Map<number, (readonly [string, readonly string[]])[]>();
for (const entry of endings) {
  const last = entry[0].charCodeAt(entry[0].length - 1);
  endingsByLast.set(last, [...(endingsByLast.get(last) ?? []), entry]);
}
