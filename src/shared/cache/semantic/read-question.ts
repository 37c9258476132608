/**
 * What is asked, word by word? The reading that the guards compare: two questions whose readings differ are answered by two answers,
 * however near their vectors are. Pure, linear in the text's length, and made of text, so that it is hashed before it leaves
 * (question-features.ts).
 */
import {
  fillers,
  inverted,
  inverting,
  joins,
  links,
  otherAsNames,
  otherInCapitals,
  ownersLink,
  phrases,
  sameWord,
  singular,
  withParticle,
  workOnText,
} from "./english.ts";
import { languageOf, type Language } from "./language-of.ts";
import { opposites, turning } from "./opposites.ts";

export interface QuestionReading {
  readonly language: Language;
  /** What matters, in its order. */
  readonly words: readonly string[];
  /** What may be left out but not exchanged: the number of words before it, and it. */
  readonly links: readonly (readonly [before: number, word: string])[];
  /** Numbers with what they count, negations, opposites, the kind of question, code and quotations; sorted. */
  readonly facts: readonly string[];
  /** Words that were written as names are, as they stand in `words`. */
  readonly names: readonly string[];
}

interface Token {
  /** As written, without the punctuation around it. */
  readonly written: string;
  readonly isFirst: boolean;
}

const opening = /^[("'“”‘’«»[{¿¡]+/u;
const closing = /[)"'“”‘’«»\]},;:!?…。、！？]+$/u;
/** A word of letters, also with an apostrophe or a hyphen between them. */
const plainWord = /^[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*$/u;
const aNumber = /^([$€£¥₹#+-]?)(\d[\d.,]*)(%|\p{L}{0,12})$/u;

export function readQuestion(text: string): QuestionReading {
  const normal = text
    .normalize("NFKC")
    .replaceAll(/[’‘]/g, "'")
    .replaceAll(/[“”«»]/g, '"');
  const isShouted = !/\p{Ll}/u.test(normal);
  const tokens = tokensOf(normal);
  const cased = tokens.map((token) => inItsCase(token, isShouted));
  const language = languageOf(tokens.map(({ written }) => written.toLowerCase()));
  const isEnglish = language.name === "en";
  const read = wordsOf(isEnglish ? fold(cased) : cased, isEnglish);
  const names = tokens.flatMap((token, at) =>
    !isShouted && looksLikeName(token) ? wordsOf([cased[at] ?? ""], isEnglish).words.slice(0, 1) : [],
  );
  return {
    language,
    words: read.words,
    links: read.links,
    facts: [...factsOf(read.words, tokens, isEnglish), ...verbatim(normal, tokens)].sort(),
    names: [...new Set(names)],
  };
}

/** In lower case, but where its capitals make another word of it. A text in capitals alone has none that say anything. */
function inItsCase({ written, isFirst }: Token, isShouted: boolean): string {
  const small = written.toLowerCase();
  if (!plainWord.test(written)) return written;
  if (isShouted || written === "I" || (isFirst && written === "A")) return small;
  if (/^\p{Lu}$/u.test(written)) return written;
  if (/^\p{Lu}{2,}$/u.test(written)) return otherInCapitals.has(small) ? written : small;
  const isName = /^\p{Lu}/u.test(written) && !isFirst;
  return isName && (fillers.has(small) || links.has(small) || otherAsNames.has(small)) ? written : small;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let isFirst = true;
  const pieces = text.split(/\s+/);
  for (const [at, raw] of pieces.entries()) {
    const bare = raw
      .replace(opening, "")
      .replace(closing, "")
      .replace(/(?<=[^.])\.+$/, "");
    // "and/or", "km/h": words of their own. Addresses and paths stay whole.
    const parts = /^[\p{L}]+(?:\/[\p{L}]+)+$/u.test(bare) ? bare.split("/") : [bare];
    for (const written of parts) {
      if (written === "" || (/^[-–—−]+$/.test(written) && !isMinus(pieces[at - 1], pieces[at + 1]))) continue;
      tokens.push({ written: written.replace(/^[–−]$/, "-"), isFirst });
      isFirst = false;
    }
    if (/[.!?:]["')]*$/.test(raw)) isFirst = true;
  }
  return tokens;
}

/** Between numbers or letters a dash is a sign. */
function isMinus(before: string | undefined, after: string | undefined): boolean {
  const term = /^[("]*(?:\d|\p{L}(?!\p{L}))/u;
  return before !== undefined && after !== undefined && term.test(before) && term.test(after);
}

/** Whole phrases of English. Other tokens (code, addresses) pass through as they are. */
function fold(words: readonly string[]): readonly string[] {
  let text = words.join(" ");
  for (const [pattern, replacement] of phrases) text = text.replace(pattern, replacement);
  return text.split(" ").filter((word) => word !== "");
}

function wordsOf(tokens: readonly string[], isEnglish: boolean): Pick<QuestionReading, "words" | "links"> {
  const words: string[] = [];
  const found: [number, string][] = [];
  for (const token of tokens)
    for (const piece of piecesOf(token)) {
      const word = isEnglish ? (sameWord.get(piece) ?? singular(piece)) : piece;
      if (isEnglish && fillers.has(word)) continue;
      const link = isEnglish ? linkOf(word, words) : undefined;
      if (link === undefined) words.push(word);
      else found.push([words.length, link]);
    }
  if (isEnglish) inOneOrder(words);
  return { words, links: found };
}

/** @param before the words that stand before it */
function linkOf(word: string, before: readonly string[]): string | undefined {
  if (word === ownersLink) return before[0] === "how" ? word : undefined;
  const isParticle = (word === "in" || word === "on") && withParticle.has(before.at(-1) ?? "");
  return isParticle ? undefined : links.get(word);
}

/** "tea and coffee" is "coffee and tea", and "why is it so" is "why it is so". Numbers stay where they are. */
function inOneOrder(words: string[]): void {
  for (let at = 1; at + 1 < words.length; at += 1) {
    const [left = "", join = "", right = ""] = words.slice(at - 1, at + 2);
    if (!joins.has(join) || left < right || /^\d/.test(left + right)) continue;
    words[at - 1] = right;
    words[at + 1] = left;
  }
  if (!inverting.has(words[0] ?? "")) return;
  const verb = words.findIndex((word, at) => at < 5 && inverted.has(word));
  if (verb !== -1) words.splice(verb, 1);
}

function piecesOf(token: string): readonly string[] {
  if (plainWord.test(token)) return token.split("-");
  const number = aNumber.exec(token);
  if (number !== null) {
    const [, sign = "", digits = "", unit = ""] = number;
    const plain = digits.replaceAll(/,(?=\d{3}(?!\d))/g, "").replace(/[.,]+$/, "");
    return [sign, plain, unit].filter((piece) => piece !== "");
  }
  const between = /^(\d+)((?:-(?:\d+|\p{L}+))+)$/u.exec(token);
  if (between !== null) return token.toLowerCase().split("-");
  return [token];
}

function looksLikeName({ written, isFirst }: Token): boolean {
  if (/^I(?:'.*)?$/.test(written)) return false;
  const isCapital = /^\p{Lu}/u.test(written);
  return (isCapital && !isFirst) || /^[\p{Lu}\d]{2,}$/u.test(written) || /\p{Ll}\p{Lu}/u.test(written);
}

const asks: ReadonlySet<string> = new Set(["why", "when", "where", "who", "whom", "whose"]);
const measures: ReadonlySet<string> = new Set(
  "many much long old far often big tall high deep fast".split(" "),
);

function factsOf(words: readonly string[], tokens: readonly Token[], isEnglish: boolean): string[] {
  const facts: string[] = [];
  let numbers = 0;
  for (const [at, word] of words.entries()) {
    const next = words[at + 1] ?? "";
    if (/^\d/.test(word)) {
      facts.push(`number ${numbers} ${word} ${next}`);
      numbers += 1;
    }
    if (!isEnglish) continue;
    if (opposites.has(word)) facts.push(`opposite ${word}`);
    if (turning.test(word)) facts.push(`turned ${word}`);
    if (asks.has(word)) facts.push(`asks ${word}`);
    if (word === "how" && measures.has(next)) facts.push(`asks how ${next}`);
  }
  for (const { written } of tokens)
    if (!plainWord.test(written) && !aNumber.test(written)) facts.push(`code ${written}`);
  return facts;
}

/** What stands in the question as it is: quotations, what follows a colon or a line's end, and all of it where its letters matter. */
function verbatim(text: string, tokens: readonly Token[]): readonly string[] {
  const found = (text.match(/"[^"]{1,200}"|`[^`]{1,200}`/g) ?? []).map(
    (quoted) => `quoted ${quoted.slice(1, -1).trim()}`,
  );
  for (const [, quoted = ""] of text.matchAll(/(?:^|[\s(])'([^']{1,200})'(?![\p{L}\p{N}])/gu))
    found.push(`quoted ${quoted.trim()}`);
  const all = text.trim().replaceAll(/\s+/g, " ");
  const material = /[:\n]\s*(\S[^]*)$/.exec(text.trim());
  if (tokens.some(({ written }) => workOnText.has(written.toLowerCase()))) found.push(`text ${all}`);
  else if (material !== null) found.push(`text ${(material[1] ?? "").replaceAll(/\s+/g, " ")}`);
  return found;
}
