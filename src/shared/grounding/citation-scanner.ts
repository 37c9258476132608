/**
 * What does an answer cite, and where? Finds `[1]` and `[1, 2]` in a text that comes in pieces, however it is cut. Not in code, nor in
 * what of JSON is no text (text-code.ts).
 */
import { JsonCode, MarkdownCode, type TextCode } from "./text-code.ts";

export interface CitationMark {
  /** From 1, as in the prompt. */
  readonly number: number;
  /** Where its bracket opens, in UTF-16 units of the text. */
  readonly at: number;
  /** Behind the bracket that closes it. */
  readonly end: number;
}

const opening = 0x5b;
const closing = 0x5d;
const comma = 0x2c;
const blank = 0x20;
const zero = 0x30;
const nine = 0x39;

/** UTF-16 units from bracket to bracket: anything longer is not a marker. */
const mostUnits = 48;

export class CitationScanner {
  readonly #most: number;
  readonly #code: TextCode;
  #at = 0;
  /** Where the marker began that may be under way; -1: none is. */
  #began = -1;
  #numbers: number[] = [];
  /** Digits of the number under way; 0: none yet. */
  #value = 0;
  /** A blank behind a number: only a comma or the end may follow. */
  #closed = false;

  /** @param most the highest number that can be cited; @param isJson the text is JSON, and no Markdown */
  constructor(most: number, isJson = false) {
    this.#most = most;
    this.#code = isJson ? new JsonCode() : new MarkdownCode();
  }

  /** The marks that this piece completes, in order. */
  read(piece: string): readonly CitationMark[] {
    let marks: CitationMark[] | null = null;
    for (let index = 0; index < piece.length; index += 1, this.#at += 1) {
      const unit = piece.charCodeAt(index);
      if (this.#code.holds(unit)) this.#began = -1;
      else if (unit === opening) this.#begin();
      else if (this.#began !== -1 && this.#goesOn(unit)) {
        marks ??= [];
        for (const number of this.#numbers) marks.push({ number, at: this.#began, end: this.#at + 1 });
        this.#began = -1;
      }
    }
    return marks ?? none;
  }

  #begin(): void {
    this.#began = this.#at;
    this.#numbers = [];
    this.#value = 0;
    this.#closed = false;
  }

  /** `true`: the marker is complete. */
  #goesOn(unit: number): boolean {
    if (this.#at - this.#began > mostUnits) this.#began = -1;
    else if (unit >= zero && unit <= nine) {
      this.#value = this.#value * 10 + unit - zero;
      if (this.#closed || this.#value === 0 || this.#value > this.#most) this.#began = -1;
    } else if (unit === blank) this.#closed = this.#value > 0;
    else if ((unit === comma || unit === closing) && this.#value > 0) {
      if (!this.#numbers.includes(this.#value)) this.#numbers.push(this.#value);
      this.#value = 0;
      this.#closed = false;
      return unit === closing;
    } else this.#began = -1;
    return false;
  }
}

const none: readonly CitationMark[] = [];
