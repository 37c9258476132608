/**
 * Which words does a text contain, however it spells them? One pass, in time and memory linear in the text. Every word is a hash and its
 * classes (lexicon.ts), with its place in the text, so that findings can be shown or taken out. Sees through invisible
 * characters, look-alike letters, accents, digits for letters, hyphens inside words and spaced-out letters; hidden-texts.ts reads
 * encoded text.
 */
import { type FoldedCharacter, foldCharacter } from "./folded-character.ts";
import { classBits, lexicon } from "./lexicon.ts";
import { joinLetters } from "./spaced-letters.ts";
import { continueHash, emptyHash, hashWord } from "./word-hash.ts";
import { type ReadWords, WordList } from "./word-list.ts";

const apostrophe = 0x27;
const blank = 0x20;
const hyphen = 0x2d;
const colon = 0x3a;
/** Begins the flags of England and others, followed by a region's letters in tag characters. */
const blackFlag = 0x1f3f4;
const fullStop = 0x2e;
const comma = 0x2c;
/** The letter that a digit stands for in a word with letters: 0 o, 1 i, 3 e, 4 a, 5 s, 7 t, 8 b. */
const leet = [0x6f, 0x69, 0x32, 0x65, 0x61, 0x73, 0x36, 0x74, 0x62, 0x39];
/** Words that name the next speaker in a transcript. */
const headers = new Set(
  "system assistant user human instruction instructions input output prompt developer ai response"
    .split(" ")
    .map(hashWord),
);

export function readWords(text: string): ReadWords {
  return new WordReader(text).read();
}

class WordReader {
  readonly #text: string;
  readonly #lexicon = lexicon();
  readonly #words = new WordList();
  /** Start of the current word; -1: there is none. */
  #start = -1;
  #end = 0;
  #hash = emptyHash;
  /** Its hash with lookalikes read as Latin letters, and with digits read as letters; kept only once they differ. */
  #latin = emptyHash;
  #leet = emptyHash;
  #hasAscii = false;
  #hasLookalike = false;
  #hasDigit = false;
  #letters = 0;
  #upper = 0;
  #hidden = 0;
  #unseen = false;
  /** The hash of the previous word joined with this one, if only a hyphen separates them; `null`: none. */
  #joined: number | null = null;
  /** The single ideograph that was the previous word; 0: it was none. */
  #ideograph = 0;
  /** The index of the first word in a run of single letters. */
  #spaced = -1;

  constructor(text: string) {
    this.#text = text;
  }

  read(): ReadWords {
    const text = this.#text;
    const { length } = text;
    for (let at = 0; at < length; at += 1) {
      const code = text.charCodeAt(at);
      if (isAsciiLetter(code)) at = this.#asciiLetters(at, length) - 1;
      else if (code >= 0x80) {
        const point = text.codePointAt(at) ?? code;
        const units = point > 0xffff ? 2 : 1;
        this.#wide(foldCharacter(point), at, units);
        at += units - 1;
        if (point === blackFlag) at = this.#endOfFlag(at);
      } else if (code >= 0x30 && code <= 0x39) {
        this.#begin(at);
        if (!this.#hasDigit) this.#leet = this.#hash;
        this.#hasDigit = true;
        this.#leet = continueHash(this.#leet, leet[code - 0x30] ?? code);
        this.#feed(code, code);
        this.#end = at + 1;
      } else if (code !== apostrophe || this.#start < 0) this.#separate(code, at);
    }
    this.#finish();
    this.#endSpaced();
    return this.#words.finished();
  }

  /** The last unit of a flag whose first character ends at `at`: up to six tags and the one that closes it. */
  #endOfFlag(at: number): number {
    const tags = /^(?:[\u{e0061}-\u{e007a}\u{e0030}-\u{e0039}]{2,6}\u{e007f})/u.exec(
      this.#text.slice(at + 1, at + 16),
    );
    return at + (tags?.[0].length ?? 0);
  }

  /** Reads them all and returns the place after them. */
  #asciiLetters(from: number, length: number): number {
    this.#begin(from);
    const text = this.#text;
    let hash = this.#hash;
    let upper = 0;
    let at = from;
    // Most words have only these: one hash suffices.
    const isPlain = !this.#hasDigit && !this.#hasLookalike && this.#joined === null;
    for (; at < length; at += 1) {
      const code = text.charCodeAt(at);
      if (!isAsciiLetter(code)) break;
      const lower = code | 0x20;
      if (lower !== code) upper += 1;
      if (isPlain) hash = continueHash(hash, lower);
      else {
        this.#leet = continueHash(this.#leet, lower);
        this.#feed(lower, lower);
      }
    }
    if (isPlain) this.#hash = hash;
    this.#hasAscii = true;
    this.#upper += upper;
    this.#letters += at - from;
    this.#end = at;
    return at;
  }

  #begin(at: number): void {
    if (this.#start >= 0) return;
    this.#start = at;
    this.#hash = emptyHash;
    this.#hasAscii = this.#hasLookalike = this.#hasDigit = this.#unseen = false;
    this.#letters = this.#upper = this.#hidden = 0;
  }

  #feed(code: number, latin: number): void {
    this.#hash = continueHash(this.#hash, code);
    if (this.#hasLookalike) this.#latin = continueHash(this.#latin, latin);
    if (this.#joined !== null) this.#joined = continueHash(this.#joined, latin);
  }

  #wide(folded: FoldedCharacter, at: number, units: number): void {
    const { codes, latin, kind } = folded;
    switch (kind) {
      case "hidden":
        if (this.#start >= 0) this.#hidden += 1;
        return;
      case "separator":
        this.#separate(endsSentence(this.#text.charCodeAt(at)) ? fullStop : comma, at);
        return;
      case "ideograph":
        this.#readIdeograph(codes, at, units);
        return;
      case "tag": {
        const [code = 0] = codes;
        if (!isAsciiLetter(code)) {
          this.#separate(code, at);
          return;
        }
        this.#begin(at);
        this.#unseen = this.#hasAscii = true;
        this.#feed(code | 0x20, code | 0x20);
        break;
      }
      case "letter":
        this.#begin(at);
        if (latin !== null && !this.#hasLookalike) {
          this.#hasLookalike = true;
          this.#latin = this.#hash;
        }
        for (let index = 0; index < codes.length; index += 1) {
          const code = codes[index] ?? 0;
          if (isAsciiLetter(code)) this.#hasAscii = true;
          this.#feed(code, latin?.[index] ?? code);
        }
    }
    this.#letters += 1;
    this.#end = at + units;
  }

  /** Each is a word; two adjacent ones may be a word of the lexicon. */
  #readIdeograph(codes: readonly number[], at: number, units: number): void {
    this.#finish();
    this.#begin(at);
    const before = this.#ideograph;
    let pair = before;
    for (const code of codes) {
      this.#feed(code, code);
      pair = continueHash(pair, code);
    }
    this.#letters = 1;
    this.#end = at + units;
    const own = this.#hash;
    this.#finish(before === 0 ? 0 : this.#lexicon.maskOf(pair));
    this.#ideograph = own;
  }

  #separate(code: number, at: number): void {
    const words = this.#words;
    const ended = this.#start >= 0;
    this.#finish();
    this.#ideograph = 0;
    // A hyphen, with or without a blank after it, may only serve to disguise a word.
    if (code === hyphen && ended) this.#joined = words.lastHash();
    else if (code !== blank) this.#joined = null;
    if (code === blank) return;
    if (endsSentence(code)) words.endSentence();
    else if (code === colon && ended && headers.has(words.lastHash()) && this.#beginsLine(words.lastStart()))
      words.mark(classBits.roleHeader);
    else if (closesToken(code) && this.#closesControlToken(at)) words.mark(classBits.controlToken);
  }

  /** Whether only blanks and heading marks precede it in its line. */
  #beginsLine(start: number): boolean {
    for (let at = start - 1; at >= 0; at -= 1) {
      const character = this.#text.charAt(at);
      if (character === "\n") return true;
      if (!' #*[>"_'.includes(character) || at < start - 8) return false;
    }
    return true;
  }

  /** `<|im_start|>`, `[INST]`, `<<SYS>>` and the like, which templates put between speakers. */
  #closesControlToken(at: number): boolean {
    const token = this.#text.slice(Math.max(0, at - 42), at + 2);
    return /(?:<\|[\w:/-]{1,40}\|>|\[\/?INST\].?|<<\/?SYS>>|<(?:start|end)_of_turn>.?)$/s.test(token);
  }

  /** @param more further classes of the word */
  #finish(more = 0): void {
    if (this.#start < 0) return;
    const words = this.#words;
    let hash = this.#hash;
    let mask = this.#lexicon.maskOf(hash) | more;
    if (this.#hasLookalike) {
      const looks = this.#lexicon.maskOf(this.#latin);
      if (this.#hasAscii || looks !== 0) {
        hash = this.#latin;
        mask |= looks | (this.#hasAscii ? classBits.obfuscated : 0);
      }
    } else if (this.#hasDigit && this.#letters > 0 && mask === 0) {
      const looks = this.#lexicon.maskOf(this.#leet);
      if (looks !== 0) {
        hash = this.#leet;
        mask = looks | classBits.obfuscated;
      }
    }
    let start = this.#start;
    if (this.#joined !== null) {
      const joined = mask === 0 ? this.#lexicon.maskOf(this.#joined) : 0;
      if (joined !== 0) {
        start = words.takeBack();
        hash = this.#joined;
        mask = joined;
      }
      this.#joined = null;
    }
    if (this.#hidden > 0 && mask !== 0) mask |= classBits.obfuscated;
    if (this.#unseen) mask |= classBits.unseen;
    if (this.#upper >= 3 && this.#upper === this.#letters) mask |= classBits.capitals;
    const isSingle = this.#letters === 1 && this.#hasAscii && !this.#hasDigit;
    if (!isSingle) this.#endSpaced();
    else if (this.#spaced < 0) this.#spaced = words.length;
    words.push(hash, mask, start, this.#end);
    this.#ideograph = 0;
    this.#start = -1;
  }

  #endSpaced(): void {
    if (this.#spaced >= 0) joinLetters(this.#text, this.#words, this.#spaced, this.#lexicon);
    this.#spaced = -1;
  }
}

function isAsciiLetter(code: number): boolean {
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x7a && code < 0x80;
}

/** `|`, `]`, `>` */
function closesToken(code: number): boolean {
  return code === 0x7c || code === 0x5d || code === 0x3e;
}

/** `.!?;`, a line end, and their equivalents in other scripts. */
function endsSentence(code: number): boolean {
  switch (code) {
    case fullStop:
    case 0x21:
    case 0x3f:
    case 0x3b:
    case 0x0a:
    case 0x3002:
    case 0xff01:
    case 0xff1f:
    case 0x2028:
    case 0x2029:
      return true;
    default:
      return false;
  }
}
