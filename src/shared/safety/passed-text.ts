/**
 * How much of a guard stage's input lies after a given place of its output? A stage holds text back and replaces parts of it. This notes it
 * piece by piece: a place within a changed piece counts as the piece's beginning.
 */
interface Mark {
  /** From this place of the output on, */
  readonly given: number;
  /** the input had this many more characters. */
  readonly surplus: number;
}

/** Enough, since callers ask about places near the end. */
const mostMarks = 256;

export class PassedText {
  #taken = 0;
  #given = 0;
  #marks: Mark[] = [];

  /** @param held characters of the input that the stage still holds */
  note(taken: number, given: number, held: number): void {
    this.#taken += taken;
    this.#given += given;
    const surplus = this.#taken - held - this.#given;
    if (surplus === (this.#marks.at(-1)?.surplus ?? 0)) return;
    this.#marks.push({ given: this.#given, surplus });
    if (this.#marks.length > mostMarks) this.#marks = this.#marks.slice(-mostMarks / 2);
  }

  /** Characters of the input after the output without its last `behind` characters. */
  heldBack(behind: number): number {
    const given = this.#given - behind;
    const mark = this.#marks.findLast((one) => one.given <= given);
    return this.#taken - given - (mark?.surplus ?? 0);
  }
}
