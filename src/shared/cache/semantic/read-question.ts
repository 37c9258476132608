/**
 * What does a question ask, word by word? This is the reading that the guards compare: two questions with different readings never share an
 * answer, however similar their vectors are. Pure, linear in the text's length, and made of text, so that it is hashed before it leaves
 * (question-features.ts).
 */
import {
  type ContentWords,
  contentWords,
  isFunctionWord,
  type Place,
  withoutGreetings,
} from "./content-words.ts";
import {
  casedUnits,
  inItsOrder,
  inverted,
  inverting,
  joins,
  otherAsNames,
  otherInCapitals,
  phrases,
  sameWord,
  singular,
  workOnText,
} from "./english.ts";
import { languageOf, type Language } from "./language-of.ts";
import { opposites, turning } from "./opposites.ts";

export interface QuestionReading {
  readonly language: Language;
  /** What matters, in its order. */
  readonly words: readonly string[];
  readonly links: readonly Place[];
  readonly articles: readonly Place[];
  /** Numbers with what they count, negations, opposites, the kind of question, code and quotations; sorted. */
  readonly facts: readonly string[];
  /** Words that were written as names are, as they stand in `words`. */
  readonly names: readonly string[];
}

interface Token {
  /** As written, without the punctuation around it. */
  readonly written: string;
  readonly isFirst: boolean;
  /** Punctuation stands before it. */
  readonly isSetOff: boolean;
}

const opening = /^["'“”‘’«»¿¡]+/u;
/** No brackets: where they stand is what is asked of `(2 + 3) * 4` and `[a-z]`. */
const closing = /["'“”‘’«»,;:!?…。、！？]+$/u;
const sentenceEnd = /[.?!…。？！]+$/u;
/** A number with its factorial sign, if that is what it is. */
const aFactorial = /^\d+!+(?=[.?…]*$)/u;
/** A word of letters, also with an apostrophe or a hyphen between them. */
const plainWord = /^[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*$/u;
const aNumber = /^([$€£¥₹#+-]?)(\d[\d.,]*)(%|\p{L}{0,12})$/u;

export function readQuestion(text: string): QuestionReading {
  const normal = text
    // What is written small above is no digit of the number before it.
    .replaceAll(/[\u2070\u00b9\u00b2\u00b3\u2074-\u207e]+/g, "^$&")
    .normalize("NFKC")
    .replaceAll(/[’‘]/g, "'")
    .replaceAll(/[“”«»]/g, '"');
  const isShouted = !/\p{Ll}/u.test(normal);
  const all = tokensOf(normal);
  const language = languageOf(all.map(({ written }) => written.toLowerCase()));
  const isEnglish = language.name === "en";
  const tokens = isEnglish ? withoutGreetings(all) : all;
  const cased = tokens.map((token) => inItsCase(token, isShouted));
  const read = wordsOf(isEnglish ? fold(cased) : cased, isEnglish);
  const names = tokens.flatMap((token, at) =>
    !isShouted && looksLikeName(token) ? nameIn(cased[at] ?? "", isEnglish) : [],
  );
  return {
    language,
    ...read,
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
  if (casedUnits.has(small)) return written;
  if (/^\p{Lu}{2,}$/u.test(written)) return otherInCapitals.has(small) ? written : small;
  const isName = /^\p{Lu}/u.test(written) && !isFirst;
  return isName && (isFunctionWord(small) || otherAsNames.has(small)) ? written : small;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let isFirst = true;
  let isSetOff = false;
  const pieces = text.trim().split(/\s+/);
  for (const [at, raw] of pieces.entries()) {
    const bare = bareOf(raw, at + 1 === pieces.length);
    // "and/or", "km/h": words of their own. Addresses and paths stay whole.
    const parts = /^[\p{L}]+(?:\/[\p{L}]+)+$/u.test(bare) ? bare.split("/") : [bare];
    for (const written of parts) {
      if (written === "" || (/^[-–—−]+$/.test(written) && !isSign(pieces[at - 1], pieces[at + 1]))) continue;
      tokens.push({ written: written.replace(/^[–−]$/, "-"), isFirst, isSetOff });
      isFirst = false;
      isSetOff = false;
    }
    if (/[.!?:]["')]*$/.test(raw)) isFirst = true;
    if (/[.!?:,;]["')]*$/.test(raw)) isSetOff = true;
  }
  return tokens;
}

/** Without the punctuation around it. Where there is nothing else it is a sign (`::`, `??`), but for the text's own end. */
function bareOf(raw: string, isLast: boolean): string {
  const opened = raw.replace(opening, "");
  const factorial = aFactorial.exec(opened);
  if (factorial !== null) return factorial[0];
  const bare = opened.replace(closing, "").replace(/(?<=[^.])\.+$/, "");
  return bare !== "" || !isLast ? bare || raw : raw.replace(sentenceEnd, "");
}

/** Between numbers or letters a dash is a sign, and where a word must stand: "What does - mean?". */
function isSign(before: string | undefined, after: string | undefined): boolean {
  if (/^(?:does|do|is|the|an?|of|between)$/i.test(before ?? "")) return true;
  const term = /^[("]*(?:\d|\p{L}(?!\p{L}))/u;
  return before !== undefined && after !== undefined && term.test(before) && term.test(after);
}

/** Whole phrases of English. Other tokens (code, addresses) pass through as they are. */
function fold(words: readonly string[]): readonly string[] {
  let text = words.join(" ");
  for (const [pattern, replacement] of phrases) text = text.replace(pattern, replacement);
  return text.split(" ").filter((word) => word !== "");
}

function wordsOf(tokens: readonly string[], isEnglish: boolean): ContentWords {
  const pieces = tokens.flatMap(piecesOf);
  if (!isEnglish) return { words: pieces, links: [], articles: [] };
  const read = contentWords(pieces.map(oneWord));
  inOneOrder(read.words);
  return read;
}

function oneWord(piece: string): string {
  return sameWord.get(piece) ?? singular(piece);
}

/** As it stands among the words; nothing where it is none of them. */
function nameIn(token: string, isEnglish: boolean): readonly string[] {
  const pieces = isEnglish ? piecesOf(token).map(oneWord) : piecesOf(token);
  return pieces.filter((piece) => !isEnglish || !isFunctionWord(piece)).slice(0, 1);
}

/** "tea and coffee" is "coffee and tea", and "why is it so" is "why it is so". Numbers stay where they are. */
function inOneOrder(words: string[]): void {
  if (!words.some((word) => inItsOrder.has(word))) orderJoined(words);
  if (!inverting.has(words[0] ?? "")) return;
  const verb = words.findIndex((word, at) => at < 5 && inverted.has(word));
  if (verb !== -1) words.splice(verb, 1);
}

function orderJoined(words: string[]): void {
  for (let at = 1; at + 1 < words.length; at += 1) {
    const [left = "", join = "", right = ""] = words.slice(at - 1, at + 2);
    if (!joins.has(join) || left < right || /^\d/.test(left + right)) continue;
    words[at - 1] = right;
    words[at + 1] = left;
  }
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
