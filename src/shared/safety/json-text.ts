import { more, none } from "./detectors/outcome.ts";

/**
 * What does a text that is JSON mean, and how is that written? In a string any character may stand as an escape (RFC 8259, section 7):
 * `alice\u0040example.com` is an address to whoever parses it. So the guard scans what is meant, a character for each escape, and this
 * remembers of the part that it still holds how each was written, so that what goes on is what came in.
 *
 * Places are counted in units of what is meant, from the text's beginning. A backslash that begins no escape stands for itself.
 */
const quote = 0x22;
const backslash = 0x5c;
const letterU = 0x75;
/** Of `\u0040`, and of all others. */
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

export class JsonText {
  /** An escape whose end has not come. */
  #begun = "";
  #length = 0;
  /** Escapes, in order: where they stand, how they are written, and by how much what is written up to behind them is longer. */
  #places: number[] = [];
  #writings: string[] = [];
  #surpluses: number[] = [];
  #forgottenSurplus = 0;
  /** Where strings begin and end. */
  #quotes: number[] = [];
  #forgottenQuotes = 0;

  /** What the next piece means, and what of the one before waited for it. */
  read(piece: string, final: boolean): string {
    const text = this.#begun === "" ? piece : this.#begun + piece;
    this.#begun = "";
    let meaning = "";
    let copied = 0;
    let { length } = text;
    for (let at = 0; at < length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === quote) this.#quotes.push(this.#length + meaning.length + at - copied);
      if (code !== backslash) continue;
      const end = escapeEnd(text, at, final);
      if (end === none) continue;
      if (end === more) {
        this.#begun = text.slice(at);
        length = at;
        break;
      }
      meaning += text.slice(copied, at);
      const writing = text.slice(at, end);
      this.#note(this.#length + meaning.length, writing);
      meaning += meaningOf(writing);
      copied = end;
      at = end - 1;
    }
    if (copied === 0) meaning = length === text.length ? text : text.slice(0, length);
    else meaning += text.slice(copied, length);
    this.#length += meaning.length;
    return meaning;
  }

  #note(place: number, writing: string): void {
    this.#places.push(place);
    this.#writings.push(writing);
    this.#surpluses.push((this.#surpluses.at(-1) ?? this.#forgottenSurplus) + writing.length - 1);
  }

  /** As it came in: `meaning` from `from` to `to`, which begins at the place `base`. */
  written(meaning: string, base: number, from: number, to: number): string {
    let index = firstFrom(this.#places, base + from);
    let text = "";
    let at = from;
    for (; index < this.#places.length; index += 1) {
      const escaped = (this.#places[index] ?? 0) - base;
      if (escaped >= to) break;
      text += meaning.slice(at, escaped) + (this.#writings[index] ?? "");
      at = escaped + 1;
    }
    return text + meaning.slice(at, to);
  }

  /** How many characters came in before this place. */
  writtenBefore(place: number): number {
    const escapes = firstFrom(this.#places, place);
    return place + (escapes === 0 ? this.#forgottenSurplus : (this.#surpluses[escapes - 1] ?? 0));
  }

  isInString(place: number): boolean {
    return (this.#forgottenQuotes + firstFrom(this.#quotes, place)) % 2 === 1;
  }

  /** Nobody asks for anything before this place any more. */
  forget(place: number): void {
    const escapes = firstFrom(this.#places, place);
    if (escapes > 0) {
      this.#forgottenSurplus = this.#surpluses[escapes - 1] ?? 0;
      this.#places = this.#places.slice(escapes);
      this.#writings = this.#writings.slice(escapes);
      this.#surpluses = this.#surpluses.slice(escapes);
    }
    const quotes = firstFrom(this.#quotes, place);
    if (quotes === 0) return;
    this.#forgottenQuotes += quotes;
    this.#quotes = this.#quotes.slice(quotes);
  }
}

/** The end of the escape that begins at this backslash; `none`, or `more` as detectors say it. */
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

function meaningOf(writing: string): string {
  return writing.length === longEscape
    ? String.fromCharCode(Number.parseInt(writing.slice(shortEscape), 16))
    : (shortMeanings[writing.charAt(1)] ?? writing);
}

/** How many of these places, which are in rising order, come before this one. */
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
