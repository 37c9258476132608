/**
 * What has an engine said so far, and in how many tokens? Kept as it comes, one piece an event, so that a token costs one
 * push; put together only when an answer must go on elsewhere (turn/continuation.ts).
 *
 * It is the engine's own text, before the guard: what a guard holds back is in here, since the guard still has it.
 */

/** An answer of more events than this does not go on elsewhere: memory stays bounded. */
const maxPieces = 250_000;

/** Where an answer is cut, and what that leaves. */
export interface Cut {
  /** What the next engine is given as said. */
  readonly prefix: string;
  /** What the client has beyond `prefix`: the next engine will say it again. */
  readonly ahead: string;
  /** Tokens of `prefix`: those that the next engine is not asked for. */
  readonly keptTokens: number;
}

export class Transcript {
  /** What earlier engines said: text and tokens. */
  #base: string;
  #baseTokens: number;
  #pieces: string[] = [];
  /** Index of a piece and its tokens, where they are not one. */
  #odd: number[] = [];
  #ahead = "";

  /** @param said text that is known whole, of so many tokens: what a journal shows */
  constructor(said = "", tokens = 0) {
    this.#base = said;
    this.#baseTokens = tokens;
  }

  get overflowed(): boolean {
    return this.#pieces.length > maxPieces;
  }

  /** All that the engines said, and what of an earlier one's words is still to be said again. */
  get text(): string {
    return this.#base + this.#pieces.join("") + this.#ahead;
  }

  /** An event's text, and how many tokens it counted. */
  add(text: string, tokens: number): void {
    if (this.#pieces.length > maxPieces) return;
    this.#pieces.push(text);
    if (tokens !== 1) this.#odd.push(this.#pieces.length - 1, tokens);
  }

  /** Tokens that showed something: what came behind the last visible one was not delivered. */
  get shownTokens(): number {
    let shown = this.#baseTokens;
    this.#eachPiece((text, _length, tokens) => {
      if (text !== "") shown = tokens;
    });
    return shown;
  }

  /**
   * Where to cut, so that a chat template's trimming takes nothing away and no character is halved: blanks and a lone
   * surrogate at the end are left for the next engine to say again.
   *
   * @param heldCharacters how far the engine's text lags behind its tokens, since a stop string may begin there
   */
  cut(heldCharacters: number): Cut {
    const text = this.text;
    const end = endOfWhole(text);
    let keptTokens = end >= this.#base.length ? this.#baseTokens : Math.max(0, this.#baseTokens - 1);
    this.#eachPiece((piece, length, tokens) => {
      if (piece !== "" && length + heldCharacters <= end) keptTokens = tokens;
    });
    return { prefix: text.slice(0, end), ahead: text.slice(end), keptTokens };
  }

  /** Another engine goes on from this cut: `add` then takes what it says. */
  goOn({ prefix, ahead, keptTokens }: Cut): void {
    this.#base = prefix;
    this.#baseTokens = keptTokens;
    this.#pieces = [];
    this.#odd = [];
    this.#ahead = ahead;
  }

  /** So much of what is ahead was said again, or never will be. */
  caughtUp(stillAhead: string): void {
    this.#ahead = stillAhead;
  }

  /** Each piece with the length of the text, and the tokens, up to its end. */
  #eachPiece(visit: (text: string, length: number, tokens: number) => void): void {
    let length = this.#base.length;
    let tokens = this.#baseTokens;
    let odd = 0;
    for (const [at, piece] of this.#pieces.entries()) {
      length += piece.length;
      if (this.#odd[odd] === at) {
        tokens += this.#odd[odd + 1] ?? 0;
        odd += 2;
      } else tokens += 1;
      visit(piece, length, tokens);
    }
  }
}

/** Up to where a text ends in whole, visible characters. */
function endOfWhole(text: string): number {
  let end = text.length;
  for (;;) {
    const trimmed = trimEndAsPython(text, end);
    const last = text.charCodeAt(trimmed - 1);
    // A high surrogate whose other half did not come: no UTF-8 can say it.
    const whole = trimmed > 0 && last >= 0xd8_00 && last <= 0xdb_ff ? trimmed - 1 : trimmed;
    if (whole === end) return end;
    end = whole;
  }
}

/**
 * Templates trim by Python's `str.strip()`. Where JavaScript and Python disagree about a blank, both count: what one of them
 * might trim is left out.
 */
function trimEndAsPython(text: string, end: number): number {
  let at = end;
  while (at > 0 && blank.test(text.charAt(at - 1))) at -= 1;
  return at;
}

const blank = /[\s\u001c-\u001f\u0085]/;
