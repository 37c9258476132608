import { more, none } from "./detectors/outcome.ts";
import { asIs, plainCharacter, unseen } from "./plain-character.ts";

/**
 * What does a text mean, and how was it written? In a JSON string any character may be an escape (RFC 8259, section 7):
 * `alice\u0040example.com` is an address once it is parsed. In any text a digit may be of another script, or have an invisible character
 * before it (plain-character.ts). So the guard scans the meaning, one unit for each character read. For the part that the guard still
 * holds, this class remembers how each unit was written, so that the text is sent as it came.
 *
 * Places count units of the meaning, from the text's beginning. A backslash that begins no escape means itself. Invisible characters belong
 * to the character after them.
 */
const quote = 0x22;
const backslash = 0x5c;
const letterU = 0x75;
/** Length of `\u0040`, and of all other escapes. */
const longEscape = 6;
const shortEscape = 2;

const shortMeanings: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** The longest run of invisible units that belongs to the character after it. A longer one means `unseenSign`. */
const mostUnseen = 192;
/** The meaning of a longer run: no detector continues across it. */
const unseenSign = "\u200b";

/** The unit read last: where its written form ends, and what it means. */
interface ReadUnit {
  end: number;
  /** "": invisible. `null`: it means itself. */
  meaning: string | null;
}

export class MeantText {
  readonly #isJson: boolean;
  /** An escape or a surrogate pair without its end so far, and the invisible characters before it. */
  #begun = "";
  #length: number;
  /** The units written in another form, in order: their places, their written forms, and how much longer the written text is up to their end. */
  #places: number[] = [];
  #writings: string[] = [];
  #surpluses: number[] = [];
  #forgottenSurplus = 0;
  /** The places where JSON strings begin and end. */
  #quotes: number[] = [];
  #forgottenQuotes = 0;
  readonly #unit: ReadUnit = { end: 0, meaning: null };

  /** @param length of the text before, which was written as it means */
  constructor(isJson: boolean, length = 0) {
    this.#isJson = isJson;
    this.#length = length;
  }

  /** Number of received characters whose meaning is not known yet. */
  get begun(): number {
    return this.#begun.length;
  }

  /** The meaning of the next piece, and of whatever waited for it. */
  read(piece: string, final: boolean): string {
    const text = this.#begun === "" ? piece : this.#begun + piece;
    this.#begun = "";
    let meaning = "";
    let copied = 0;
    /** Where invisible characters before `at` begin; -1: there are none. */
    let hidden = -1;
    const note = (from: number, to: number, meant: string): void => {
      meaning += text.slice(copied, from);
      this.#note(this.#length + meaning.length, text.slice(from, to));
      meaning += meant;
      copied = to;
    };
    let at = 0;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (this.#isJson && code === quote)
        this.#quotes.push(this.#length + meaning.length + (hidden === -1 ? at : hidden) - copied);
      const { end, meaning: meant } = this.#unitAt(text, at, code, final);
      if (end === more) break;
      if (meant === "") {
        if (hidden === -1) hidden = at;
        if (end - hidden >= mostUnseen) {
          note(hidden, end, unseenSign);
          hidden = -1;
        }
      } else if (meant !== null || hidden !== -1) {
        note(hidden === -1 ? at : hidden, end, meant ?? text.slice(at, end));
        hidden = -1;
      }
      at = end;
    }
    if (hidden !== -1 && final) note(hidden, at, unseenSign);
    const until = hidden === -1 || final ? at : hidden;
    this.#begun = text.slice(until);
    if (copied < until) meaning += text.slice(copied, until);
    this.#length += meaning.length;
    return meaning;
  }

  /** The unit at `at`. `end`: `more` if that is not known yet. */
  #unitAt(text: string, at: number, code: number, final: boolean): ReadUnit {
    const unit = this.#unit;
    unit.end = at + 1;
    unit.meaning = null;
    if (code < 0x80 && (code !== backslash || !this.#isJson)) return unit;
    const end = this.#endAt(text, at, final);
    unit.end = end;
    if (end === more) return unit;
    const first = codeOf(text, at, end);
    let codePoint = first;
    // The first surrogates of mathematical digits and of tags; each half may be written as an escape.
    if (first === 0xd835 || first === 0xdb40) {
      const both = end < text.length ? this.#endAt(text, end, final) : final ? none : more;
      if (both === more) {
        unit.end = more;
        return unit;
      }
      const second = both === none ? 0 : codeOf(text, end, both);
      if (isSecondHalf(second)) {
        codePoint = pairOf(first, second);
        unit.end = both;
      }
    }
    const plain = codePoint < 0x80 ? codePoint : plainCharacter(codePoint);
    if (plain === unseen) unit.meaning = "";
    else if (plain === asIs) {
      unit.end = end;
      if (end - at > 1) unit.meaning = String.fromCharCode(first);
    } else if (unit.end - at > 1 || plain !== code) unit.meaning = String.fromCharCode(plain);
    return unit;
  }

  /** Where the unit at `at` ends: after one character, or after an escape for one. */
  #endAt(text: string, at: number, final: boolean): number {
    if (!this.#isJson || text.charCodeAt(at) !== backslash) return at + 1;
    const end = escapeEnd(text, at, final);
    return end === none ? at + 1 : end;
  }

  #note(place: number, writing: string): void {
    this.#places.push(place);
    this.#writings.push(writing);
    this.#surpluses.push((this.#surpluses.at(-1) ?? this.#forgottenSurplus) + writing.length - 1);
  }

  /** The original form of `meaning` from `from` to `to`; `meaning` begins at the place `base`. */
  written(meaning: string, base: number, from: number, to: number): string {
    let index = firstFrom(this.#places, base + from);
    let text = "";
    let at = from;
    for (; index < this.#places.length; index += 1) {
      const noted = (this.#places[index] ?? 0) - base;
      if (noted >= to) break;
      text += meaning.slice(at, noted) + (this.#writings[index] ?? "");
      at = noted + 1;
    }
    return text + meaning.slice(at, to);
  }

  /** How many characters were received before this place. */
  writtenBefore(place: number): number {
    const noted = firstFrom(this.#places, place);
    return place + (noted === 0 ? this.#forgottenSurplus : (this.#surpluses[noted - 1] ?? 0));
  }

  /** In JSON, but outside its strings: a number. */
  isBare(place: number): boolean {
    return this.#isJson && (this.#forgottenQuotes + firstFrom(this.#quotes, place)) % 2 === 0;
  }

  /** Forgets everything before this place, which is no longer needed. */
  forget(place: number): void {
    const noted = firstFrom(this.#places, place);
    if (noted > 0) {
      this.#forgottenSurplus = this.#surpluses[noted - 1] ?? 0;
      this.#places = this.#places.slice(noted);
      this.#writings = this.#writings.slice(noted);
      this.#surpluses = this.#surpluses.slice(noted);
    }
    const quotes = firstFrom(this.#quotes, place);
    if (quotes === 0) return;
    this.#forgottenQuotes += quotes;
    this.#quotes = this.#quotes.slice(quotes);
  }
}

/** The end of the escape that begins at this backslash, or `none` or `more` as for detectors. */
function escapeEnd(text: string, at: number, final: boolean): number {
  if (at + 1 === text.length) return final ? none : more;
  if (text.charCodeAt(at + 1) !== letterU)
    return text.charAt(at + 1) in shortMeanings ? at + shortEscape : none;
  for (let index = at + shortEscape; index < at + longEscape; index += 1) {
    if (index === text.length) return final ? none : more;
    if (!isHexadecimal(text.charCodeAt(index))) return none;
  }
  return at + longEscape;
}

function isHexadecimal(code: number): boolean {
  const lower = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** The code that one character or escape means. */
function codeOf(text: string, at: number, end: number): number {
  if (end === at + longEscape) return Number.parseInt(text.slice(at + shortEscape, end), 16);
  return end === at + shortEscape
    ? (shortMeanings[text.charAt(at + 1)] ?? "").charCodeAt(0)
    : text.charCodeAt(at);
}

function isSecondHalf(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

function pairOf(first: number, second: number): number {
  return (first - 0xd800) * 0x400 + second - 0xdc00 + 0x10000;
}

/** How many of these rising places come before this one. */
function firstFrom(places: readonly number[], place: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle] ?? 0) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
