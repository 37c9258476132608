/**
 * Where may a text be cut? Into atoms: sentences, lines, or pieces of those that are too long, which together are the whole text, each
 * with the white space behind it. One pass, by hand: a pattern for sentences takes quadratic time on a million full stops.
 */
import { estimateTokens } from "../prompt/token-estimate.ts";

export type TextKind = "plain" | "markdown";

/** What begins with an atom, the strongest last. */
export const boundary = { none: 0, sentence: 1, line: 2, paragraph: 3, heading: 4 } as const;

export interface TextAtom {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
  /** One of `boundary`. */
  readonly begins: number;
  /** Of its section, with the section's own, outermost first. */
  readonly headings: readonly string[];
}

const maxHeadingCharacters = 200;

/** A character is charged less than this (prompt/token-estimate.ts). */
const tokensPerCharacter = 1.6;
/** Most text has two characters a token or more. */
const usualCharactersPerToken = 2;

/** @param maxTokens of one atom. The last blank within it is where a longer sentence is cut, else the last whole code point. */
export function* textAtoms(text: string, kind: TextKind, maxTokens: number): Generator<TextAtom> {
  const maxCharacters = maxTokens * usualCharactersPerToken;
  const safeCharacters = Math.max(2, Math.floor(maxTokens / tokensPerCharacter));
  const outline = new Outline();
  let begins: number = boundary.paragraph;
  let fence: string | null = null;
  let atLineStart = true;
  let at = 0;
  while (at < text.length) {
    let headingEnd = -1;
    if (atLineStart && kind === "markdown") {
      const mark = fenceAt(text, at);
      if (mark !== null && (fence === null || mark.startsWith(fence))) fence = fence === null ? mark : null;
      else if (fence === null) headingEnd = outline.enter(text, at);
      if (headingEnd !== -1) begins = boundary.heading;
    }
    const limit = Math.min(text.length, at + maxCharacters);
    let end = headingEnd !== -1 && headingEnd <= limit ? headingEnd : atomEnd(text, at, limit);
    let tokens = estimateTokens(text.slice(at, end));
    if (tokens > maxTokens) {
      end = atomEnd(text, at, Math.min(text.length, at + safeCharacters));
      tokens = estimateTokens(text.slice(at, end));
    }
    const tail = text.charCodeAt(end - 1);
    yield {
      start: at,
      end,
      tokens,
      begins,
      headings: outline.headings,
    };
    begins = boundaryBehind(text, at, end);
    atLineStart = isLineEnd(tail) || begins >= boundary.line;
    at = end;
  }
}

/** The headings under which a line stands. */
class Outline {
  headings: readonly string[] = [];
  #levels: readonly number[] = [];

  /** @returns the end of the heading that begins here, its line end included; -1: none does. Only `#` headings are known. */
  enter(text: string, at: number): number {
    let mark = at;
    while (mark - at < 3 && text.charCodeAt(mark) === 0x20) mark += 1;
    let level = 0;
    while (level < 7 && text.charCodeAt(mark + level) === 0x23) level += 1;
    if (level === 0 || level > 6) return -1;
    const behind = text.charCodeAt(mark + level);
    if (behind !== 0x20 && behind !== 0x09) return -1;
    const start = mark + level + 1;
    // A line that goes on for ever is no heading.
    const most = Math.min(text.length, start + 2 * maxHeadingCharacters);
    let end = start;
    while (end < most && !isLineEnd(text.charCodeAt(end))) end += 1;
    if (end === most && most < text.length) return -1;
    const title = text
      .slice(start, end)
      .replace(/[ \t]#{1,6}[ \t]*$/, "")
      .trim()
      .slice(0, maxHeadingCharacters)
      .toWellFormed();
    const keep = this.#levels.findIndex((other) => other >= level);
    const depth = keep === -1 ? this.#levels.length : keep;
    this.headings = title === "" ? this.headings.slice(0, depth) : [...this.headings.slice(0, depth), title];
    this.#levels = title === "" ? this.#levels.slice(0, depth) : [...this.#levels.slice(0, depth), level];
    return blanksEnd(text, end, text.length);
  }
}

/** Three or more backticks or tildes at the beginning of a line. */
function fenceAt(text: string, at: number): string | null {
  let from = at;
  while (from - at < 3 && text.charCodeAt(from) === 0x20) from += 1;
  const mark = text[from];
  if (mark !== "`" && mark !== "~") return null;
  let end = from;
  while (end - from < 32 && text[end] === mark) end += 1;
  return end - from < 3 ? null : text.slice(from, end);
}

/** The end of the sentence or line that begins at `from`, with the blanks behind it; never behind `limit`. */
function atomEnd(text: string, from: number, limit: number): number {
  let lastBlank = -1;
  for (let at = from; at < limit; at += 1) {
    const code = text.charCodeAt(at);
    if (isLineEnd(code)) return blanksEnd(text, at, limit);
    if (isBlank(code)) lastBlank = at;
    else if (isSentenceMark(code)) {
      const wide = code > 0xff;
      while (at + 1 < limit && isBehindSentence(text.charCodeAt(at + 1))) at += 1;
      const next = text.charCodeAt(at + 1);
      if (at + 1 < limit && (wide || isBlank(next) || isLineEnd(next))) return blanksEnd(text, at + 1, limit);
    }
  }
  if (limit === text.length) return limit;
  if (lastBlank !== -1) return lastBlank + 1;
  // Between the halves of a pair there is no character.
  const isHigh = (text.charCodeAt(limit - 1) & 0xfc00) === 0xd800;
  const isLow = (text.charCodeAt(limit) & 0xfc00) === 0xdc00;
  return isHigh && isLow ? limit - 1 : limit;
}

/** Behind the last line end among the blanks: a new line's own blanks stay with it, as they are code's indentation. */
function blanksEnd(text: string, from: number, limit: number): number {
  let lineEnd = -1;
  let at = from;
  for (; at < limit; at += 1) {
    const code = text.charCodeAt(at);
    if (isLineEnd(code)) lineEnd = at + 1;
    else if (!isBlank(code)) break;
  }
  return lineEnd === -1 ? at : lineEnd;
}

/** What begins behind this atom. */
function boundaryBehind(text: string, start: number, end: number): number {
  let lines = 0;
  let blanks = false;
  for (let at = end - 1; at >= start; at -= 1) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || code === 0x2029 || (code === 0x0d && text.charCodeAt(at + 1) !== 0x0a)) lines += 1;
    else if (!isBlank(code) && code !== 0x0d) {
      if (lines > 1) return boundary.paragraph;
      if (lines === 1) return boundary.line;
      return isSentenceMark(code) || (blanks && isBehindSentence(code)) ? boundary.sentence : boundary.none;
    } else blanks = true;
  }
  return lines > 0 ? boundary.paragraph : boundary.none;
}

function isLineEnd(code: number): boolean {
  return code === 0x0a || code === 0x0d || code === 0x2028 || code === 0x2029;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0xa0 || code === 0x3000 || code === 0x0b || code === 0x0c;
}

/** `.` `!` `?` `…` and those of other scripts. */
function isSentenceMark(code: number): boolean {
  return (
    code === 0x2e ||
    code === 0x21 ||
    code === 0x3f ||
    code === 0x2026 ||
    code === 0x3002 ||
    code === 0xff01 ||
    code === 0xff0e ||
    code === 0xff1f ||
    code === 0x0964 ||
    code === 0x061f ||
    code === 0x06d4
  );
}

/** Further marks, closing quotes and brackets. */
function isBehindSentence(code: number): boolean {
  return (
    isSentenceMark(code) ||
    code === 0x22 ||
    code === 0x27 ||
    code === 0x29 ||
    code === 0x5d ||
    code === 0x2019 ||
    code === 0x201d ||
    code === 0x300d ||
    code === 0x300f ||
    code === 0xff09
  );
}
