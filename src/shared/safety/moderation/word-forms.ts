/**
 * Which words mean something to the classifier, in which of their forms, and which misspellings and which runs of letters could be any of them?
 * Made of word-classes.ts at the first text that is judged.
 */
import { commonWords, innocentWords, type WordClass, wordClasses } from "./word-classes.ts";

interface Lexicon {
  readonly classes: ReadonlyMap<string, readonly WordClass[]>;
  /** Words with a letter missing or two swapped, and the word that was meant. */
  readonly misspelt: ReadonlyMap<string, string>;
  readonly parts: ReadonlySet<string>;
  /** The first letters of every part that has as many, and of every form of one. */
  readonly beginnings: ReadonlySet<string>;
}

let built: Lexicon | null = null;

/** Made at the first text: whoever moderates nothing pays nothing. */
export function lexicon(): Lexicon {
  built ??= build();
  return built;
}

/** Of these no misspelling is looked for: a missing letter makes another common word of them. */
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
        // Without its last letter a word is often another one.
        if (word.length >= 5 && at < word.length - 1) note(form.slice(0, at) + form.slice(at + 1), form);
        if (at + 1 < form.length)
          note(form.slice(0, at) + form.charAt(at + 1) + form.charAt(at) + form.slice(at + 2), form);
      }
    }
  }
  const parts = new Set([...commonWords.split(/\s+/), ...classes.keys()]);
  return { classes, misspelt, parts, beginnings: beginningsOf(parts, classes.keys()) };
}

/** Letters of `beginnings`. */
export const beginning = 3;

/** `stemOf` the other way round: of `die` also `dii`, since it would take `diing` for a form of it. */
function beginningsOf(parts: Iterable<string>, stems: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  const note = (word: string): void => {
    if (word.length >= beginning) found.add(word.slice(0, beginning));
  };
  for (const part of parts) note(part);
  for (const stem of stems) {
    // Doubled.
    note(stem + stem.slice(-1));
    for (const [ending, instead] of endings)
      for (const other of instead)
        if (stem.endsWith(other)) note(stem.slice(0, stem.length - other.length) + ending);
  }
  return found;
}

/** The lexicon's form of a word; `null`: it has none. */
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

/** By a word's last letter: most have none of them. Doubled consonants end in one of these letters, too. */
const endingsByLast = new Map<number, (readonly [string, readonly string[]])[]>();
for (const entry of endings) {
  const last = entry[0].charCodeAt(entry[0].length - 1);
  endingsByLast.set(last, [...(endingsByLast.get(last) ?? []), entry]);
}
