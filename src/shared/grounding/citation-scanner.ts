/**
 * Which passages does an answer cite, and where? Finds `[1]` and `[1, 2]` in a text that comes in pieces, however it is cut.
 *
 * Not in code: what stands between backticks as Markdown has it (`list[1]`) cites nothing. A run of one or two that nobody
 * closes ends with its line, since models forget; a fence of three or more ends with its like.
 */
export interface CitationMark {
  /** From 1, as the model was told. */
  readonly number: number;
  /** Where its bracket opens, in UTF-16 units of the text. */
  readonly at: number;
}

const backtick = 0x60;
const lineFeed = 0x0a;
const opening = 0x5b;
const closing = 0x5d;
const comma = 0x2c;
const blank = 0x20;
const zero = 0x30;
const nine = 0x39;

/** Units from bracket to bracket: what is longer is no marker. */
const mostUnits = 48;

export class CitationScanner {
  readonly #most: number;
  #at = 0;
  /** Backticks that opened the code we are in; 0: no code. */
  #code = 0;
  /** Backticks so far of a run that may go on. */
  #ticks = 0;
  /** Where the marker began that may be under way; -1: none is. */
  #began = -1;
  #numbers: number[] = [];
  /** Digits of the number under way; 0: none yet. */
  #value = 0;
  /** A blank behind a number: only a comma or the end may follow. */
  #closed = false;

  /** @param most the highest number that is a passage's */
  constructor(most: number) {
    this.#most = most;
  }

  /** The marks that this piece completes, in order. */
  read(piece: string): readonly CitationMark[] {
    let marks: CitationMark[] | null = null;
    for (let index = 0; index < piece.length; index += 1, this.#at += 1) {
      const unit = piece.charCodeAt(index);
      if (unit === backtick) {
        this.#ticks += 1;
        this.#began = -1;
        continue;
      }
      if (this.#ticks > 0) this.#endTicks();
      if (this.#code > 0) {
        if (unit === lineFeed && this.#code < 3) this.#code = 0;
        continue;
      }
      if (unit === opening) this.#begin();
      else if (this.#began !== -1 && this.#goesOn(unit)) {
        marks ??= [];
        for (const number of this.#numbers) marks.push({ number, at: this.#began });
        this.#began = -1;
      }
    }
    return marks ?? none;
  }

  #endTicks(): void {
    if (this.#code === 0) this.#code = this.#ticks;
    else if (this.#ticks === this.#code || (this.#code >= 3 && this.#ticks > this.#code)) this.#code = 0;
    this.#ticks = 0;
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
