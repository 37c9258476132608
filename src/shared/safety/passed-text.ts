/**
 * Of what went into a stage of the guard, how much lies behind a place of what came out of it? A stage keeps text back, and puts other text in
 * the place of some. Noted piece by piece: within a piece that was changed, a place stands for its beginning.
 */
interface Mark {
  /** From this place of what came out on, */
  readonly given: number;
  /** so many more characters than that had gone in. */
  readonly surplus: number;
}

/** Whoever asks does so near the end. */
const mostMarks = 256;

export class PassedText {
  #taken = 0;
  #given = 0;
  #marks: Mark[] = [];

  /** @param held of all that went in, what the stage has still */
  note(taken: number, given: number, held: number): void {
    this.#taken += taken;
    this.#given += given;
    const surplus = this.#taken - held - this.#given;
    if (surplus === (this.#marks.at(-1)?.surplus ?? 0)) return;
    this.#marks.push({ given: this.#given, surplus });
    if (this.#marks.length > mostMarks) this.#marks = this.#marks.slice(-mostMarks / 2);
  }

  /** Characters that went in behind what came out but for its last `behind`. */
  heldBack(behind: number): number {
    const given = this.#given - behind;
    const mark = this.#marks.findLast((one) => one.given <= given);
    return this.#taken - given - (mark?.surplus ?? 0);
  }
}
