/**
 * Which features of a text does the linear model see? Hashes of its words, of runs of one to three symbols (a word's class replaces the word),
 * and of pairs of classes near each other. Each counts once, however often it occurs.
 *
 * Training (dev/moderation) and the Worker share this file: bump `featureVersion` with every change of it or of its inputs, and train again.
 */
import { number, type PlainWord, quoteMark } from "./plain-words.ts";
import type { WordClass } from "./word-classes.ts";

export const featureVersion = 1;

/** If a word has several classes, the first of these counts. */
const byWeight: readonly WordClass[] = [
  "slur",
  "group",
  "trait",
  "dehumanise",
  "kill",
  "suicide",
  "sexual",
  "hate",
  "hurt",
  "insult",
  "ambiguous",
  "die",
  "weapon",
  "gore",
  "drug",
  "crime",
  "evade",
  "make",
  "ask",
  "profanity",
  "minor",
  "sensual",
  "blade",
  "myself",
  "you",
  "i",
  "they",
  "negation",
  "report",
  "against",
  "all",
  "deserve",
  "person",
  "love",
];
const order = new Map(byWeight.map((name, at) => [name, at]));

/** Classes whose nearness carries no information. */
const common: ReadonlySet<WordClass> = new Set<WordClass>(["they", "all", "person"]);
const telling: ReadonlySet<WordClass> = new Set(byWeight.filter((name) => !common.has(name)));
const nearness = 5;

export interface TextSymbol {
  readonly hash: number;
  readonly word: number;
  /** Its class; `null`: it is only the word itself. */
  readonly name: WordClass | null;
  /** Its contributions, from `bitsOf`. Kept because each symbol is read in two windows. */
  readonly bits: number;
}

function fnv(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mixed(hash);
}

function mixed(hash: number): number {
  let value = hash ^ (hash >>> 15);
  value = Math.imul(value, 0x2c1b3c6d);
  value ^= value >>> 12;
  value = Math.imul(value, 0x297a2d39);
  return (value ^ (value >>> 15)) >>> 0;
}

const wordSeed = 0x811c9dc5;
const symbolSeed = 0x1234567;
const pairSeed = 0x51ed270b;
const edge = fnv("<edge>", symbolSeed);

function joined(first: number, second: number, seed: number): number {
  return mixed(Math.imul(first ^ seed, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b));
}

const classHashes = new Map<WordClass, number>(byWeight.map((name) => [name, fnv(`<${name}>`, symbolSeed)]));

function mainClass({ classes }: PlainWord): WordClass | null {
  let main: WordClass | null = null;
  let best = byWeight.length;
  for (const name of classes) {
    const at = order.get(name) ?? byWeight.length;
    if (at < best) {
      best = at;
      main = name;
    }
  }
  return main;
}

/** The symbols of a text. A trait before a person is one group: `black people`, `trans lives`, `disabled women`. */
export function symbolsOf(words: readonly PlainWord[]): TextSymbol[] {
  const symbols: TextSymbol[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === undefined) continue;
    let name = mainClass(word);
    if (word.classes.includes("trait")) {
      const next = words[at + 1];
      const isPerson =
        next?.classes.includes("person") === true ||
        next?.classes.includes("group") === true ||
        next?.classes.includes("minor") === true;
      if (isPerson) {
        name = "group";
        at += 1;
      }
    }
    const own = fnv(word.word, wordSeed);
    const hash = name === null ? own : (classHashes.get(name) ?? own);
    symbols.push({ hash, word: own, name, bits: bitsOf(own, name) });
  }
  return symbols;
}

const punctuation = new Set([".", ";", ":", "\n"].map((sign) => fnv(sign, wordSeed)));
const counted = fnv(number, wordSeed);
const quoted = fnv(quoteMark, wordSeed);

/** Classes that matter next to a group's name. */
const harsh = new Set<WordClass>([
  "slur",
  "dehumanise",
  "kill",
  "hate",
  "hurt",
  "insult",
  "ambiguous",
  "die",
  "profanity",
  "weapon",
]);
const isGroup = new Set<WordClass>(["group", "trait"]);
const isSpeech = new Set<WordClass>(["report", "against"]);

const saysGroup = 1;
const saysHarsh = 2;
const saysNegation = 4;
const saysSpeech = 8;
const saysQuote = 16;
/** What the whole window contains, as bits: a group, harsh words, negation, reported speech. */
const gistBits = saysGroup | saysHarsh | saysNegation | saysSpeech | saysQuote;
const hasGist = 32;
/** Which features a symbol makes: the word itself, its class, its nearness to others. */
const tellsWord = 64;
const tellsClass = 128;
const tellsNearness = 256;

const bitsOfClass = new Map<WordClass, number>(
  byWeight.map((name) => {
    let bits = telling.has(name) ? tellsNearness : 0;
    // A group's noun and adjective count alike.
    const isName = isGroup.has(name);
    if (!isName) bits |= tellsClass | tellsWord;
    if (isName) bits |= saysGroup;
    else if (harsh.has(name)) bits |= saysHarsh;
    else if (name === "negation") bits |= saysNegation;
    else if (isSpeech.has(name)) bits |= saysSpeech;
    return [name, bits];
  }),
);

function bitsOf(word: number, name: WordClass | null): number {
  let bits = name === null ? tellsWord : (bitsOfClass.get(name) ?? 0);
  if (word === quoted) bits |= saysQuote;
  if (punctuation.has(word) || word === counted) bits &= ~tellsWord;
  return bits;
}

/** True for a word, not for the end of a sentence or a number alone. */
export function saysWord({ name, bits }: TextSymbol): boolean {
  return name !== null || (bits & tellsWord) !== 0;
}

/** No feature spans more equal words in a row than this. */
const longestRun = nearness;

/** Shortens runs of repeated symbols to the length that features can see: the features stay the same. */
export function withoutRuns(symbols: readonly TextSymbol[]): readonly TextSymbol[] {
  let kept: TextSymbol[] | null = null;
  let run = 0;
  for (let at = 0; at < symbols.length; at += 1) {
    const symbol = symbols[at];
    if (symbol === undefined) continue;
    const before = symbols[at - 1];
    run = before?.word === symbol.word && before.name === symbol.name ? run + 1 : 1;
    if (run > longestRun) kept ??= symbols.slice(0, at);
    else kept?.push(symbol);
  }
  return kept ?? symbols;
}

function gist(symbols: readonly TextSymbol[]): number {
  let bits = 0;
  for (const symbol of symbols) bits |= symbol.bits;
  return bits & gistBits;
}

/** Calls `tell` with each feature of consecutive symbols, maybe more than once. */
export function eachFeature(symbols: readonly TextSymbol[], tell: (feature: number) => void): void {
  const bits = gist(symbols);
  tell(joined(edge, bits & (saysGroup | saysHarsh), pairSeed));
  tell(joined(edge, bits | hasGist, pairSeed));
  let before = edge;
  let earlier = edge;
  for (let at = 0; at <= symbols.length; at += 1) {
    const symbol = symbols[at];
    const hash = symbol?.hash ?? edge;
    const own = symbol?.bits ?? 0;
    if (symbol !== undefined && (own & tellsWord) !== 0) tell(symbol.word);
    if ((own & tellsClass) !== 0) tell(hash);
    tell(joined(before, hash, symbolSeed));
    tell(joined(joined(earlier, before, wordSeed), hash, symbolSeed));
    earlier = before;
    before = hash;
    if ((own & tellsNearness) === 0) continue;
    for (let next = at + 1; next < symbols.length && next <= at + nearness; next += 1) {
      const near = symbols[next];
      if (near !== undefined && (near.bits & tellsNearness) !== 0) tell(joined(hash, near.hash, pairSeed));
    }
  }
}
