/**
 * What has an engine said so far, and in how many tokens? Kept as it comes, one piece an event, so that a token costs a copy
 * of its bytes; put together only when an answer must go on elsewhere (turn/continuation.ts).
 *
 * It is the engine's own text, before the guard: what a guard holds back is in here, since the guard still has it.
 */

/** An answer of more events than this does not go on elsewhere: memory stays bounded. */
const maxPieces = 250_000;
/** Some hundred tokens. */
const firstAsciiBytes = 512;

const utf8 = new TextDecoder();

export interface CutTerms {
  /** How far the engine's text lags behind its tokens, since a stop string may begin there. */
  readonly heldCharacters: number;
  /** Another engine says the same word for word: nothing is sampled. */
  readonly deterministic: boolean;
}

/** Where an answer is cut, and what that leaves. */
export interface Cut {
  /** What the next engine is given as said. */
  readonly prefix: string;
  /** What the client has beyond `prefix`: the next engine will say it again. */
  readonly ahead: string;
  /** Tokens of `prefix`, which the next engine is not asked for. */
  readonly keptTokens: number;
}

/** A place in the text, and the tokens up to it. */
interface Mark {
  readonly end: number;
  readonly keptTokens: number;
}

export class Transcript {
  /** What earlier engines said: text and tokens. */
  #base: string;
  #baseTokens: number;
  /** Those tokens are of its visible text, whatever blanks it ends in. */
  #baseIsKept: boolean;
  /** Of base and pieces. */
  #length: number;
  #tokens: number;
  #endsShown = true;
  #pieces: string[] = [];
  /** What came after those as ASCII, not yet made into strings, and where in it each piece ends. */
  #ascii = new Uint8Array(0);
  #asciiEnds: number[] = [];
  /** Index of a piece and its tokens, where they are not one. */
  #odd: number[] = [];
  #ahead = "";

  /**
   * @param said text that is known whole, of so many tokens: what a journal shows
   * @param kept of those, the ones that need not be made again (`tokensBefore`); `null`: not known, all but what ends in blanks
   */
  constructor(said = "", tokens = 0, kept: number | null = null) {
    this.#base = said;
    this.#baseTokens = kept ?? tokens;
    this.#baseIsKept = kept !== null;
    this.#length = said.length;
    this.#tokens = this.#baseTokens;
  }

  get overflowed(): boolean {
    return this.#count > maxPieces;
  }

  /** What came last showed something: no token waits for another to become a character. */
  get endsShown(): boolean {
    return this.#endsShown;
  }

  get #count(): number {
    return this.#pieces.length + this.#asciiEnds.length;
  }

  /** All that the engines said, and what of an earlier one's words is still to be said again. */
  get text(): string {
    this.#spell();
    return this.#base + this.#pieces.join("") + this.#ahead;
  }

  /** An event's text, and how many tokens it counted. */
  add(text: string, tokens: number): void {
    if (this.overflowed) return;
    this.#spell();
    this.#pieces.push(text);
    this.#counted(text.length, tokens);
  }

  /** As `add`, of the text `bytes[from, to)`, which is ASCII. No string is made of it until someone asks. */
  addAscii(bytes: Uint8Array, from: number, to: number, tokens: number): void {
    if (this.overflowed) return;
    let at = this.#asciiEnds.at(-1) ?? 0;
    const end = at + to - from;
    if (end > this.#ascii.length) {
      const larger = new Uint8Array(Math.max(firstAsciiBytes, 2 * end));
      larger.set(this.#ascii);
      this.#ascii = larger;
    }
    for (let index = from; index < to; index++) this.#ascii[at++] = bytes[index] ?? 0;
    this.#asciiEnds.push(end);
    this.#counted(to - from, tokens);
  }

  #counted(length: number, tokens: number): void {
    if (tokens !== 1) this.#odd.push(this.#count - 1, tokens);
    this.#length += length;
    this.#tokens += tokens;
    this.#endsShown = length > 0;
  }

  #spell(): void {
    const ends = this.#asciiEnds;
    if (ends.length === 0) return;
    const text = utf8.decode(this.#ascii.subarray(0, ends.at(-1)));
    let from = 0;
    for (const end of ends) {
      this.#pieces.push(text.slice(from, end));
      from = end;
    }
    this.#asciiEnds = [];
  }

  /** Tokens that showed something: what came behind the last visible one was not delivered. */
  get shownTokens(): number {
    let shown = this.#baseTokens;
    for (const { keptTokens } of this.#shown()) shown = keptTokens;
    return shown;
  }

  /**
   * Where to cut, so that a chat template's trimming takes nothing away and no character is halved: blanks and a lone
   * surrogate at the end are left for the next engine to say again. Where it will say just the same, the cut is moved back to
   * the end of a token, so that all counts come out as if nothing had happened. Otherwise it gets every word that the client
   * has, so that it goes on with those and not with others.
   */
  cut({ heldCharacters, deterministic }: CutTerms): Cut {
    const text = this.text;
    const end = endOfWhole(text, text.length);
    const cut = deterministic
      ? this.#lastTokenEnd(text, end, heldCharacters)
      : { end, keptTokens: this.#tokensWithin(end, heldCharacters) };
    return { prefix: text.slice(0, cut.end), ahead: text.slice(cut.end), keptTokens: cut.keptTokens };
  }

  /**
   * Tokens of all but the last `held` characters: those that an engine which goes on behind these need not make again. As `cut` counts them.
   */
  tokensBefore(held: number, heldCharacters: number): number {
    this.#spell();
    let tail = this.#ahead;
    let end = endOfWhole(tail, Math.max(0, tail.length - held));
    for (let at = this.#pieces.length; end === 0 && at >= 0; at -= 1) {
      tail = (at === 0 ? this.#base : (this.#pieces[at - 1] ?? "")) + tail;
      end = endOfWhole(tail, Math.max(0, tail.length - held));
    }
    return this.#tokensWithin(this.#length + this.#ahead.length - tail.length + end, heldCharacters);
  }

  #lastTokenEnd(text: string, most: number, heldCharacters: number): Mark {
    let last = this.#start(most);
    for (const { end: shown, keptTokens } of this.#shown()) {
      const end = shown + heldCharacters;
      if (end <= most && endOfWhole(text, end) === end) last = { end, keptTokens };
    }
    return last;
  }

  /** From the end, near which it is asked for. */
  #tokensWithin(most: number, heldCharacters: number): number {
    if (most === 0) return 0;
    this.#spell();
    let end = this.#length + heldCharacters;
    let keptTokens = this.#tokens;
    let odd = this.#odd.length;
    let next: Mark | null = null;
    for (let at = this.#pieces.length - 1; at >= 0; at -= 1) {
      const length = this.#pieces[at]?.length ?? 0;
      if (length > 0) {
        if (end <= most) return sharedTokens({ end, keptTokens }, next, most);
        next = { end, keptTokens };
      }
      end -= length;
      if (this.#odd[odd - 2] === at) {
        keptTokens -= this.#odd[odd - 1] ?? 0;
        odd -= 2;
      } else keptTokens -= 1;
    }
    return sharedTokens(this.#start(most), next, most);
  }

  /** Where what earlier engines said ends: the place of a cut that is not behind it. */
  #start(most: number): Mark {
    if (this.#base.length <= most) return { end: this.#base.length, keptTokens: this.#baseTokens };
    if (most === 0) return { end: 0, keptTokens: 0 };
    // How many tokens its blanks are nothing shows: they are as good as always one.
    const keptTokens = this.#baseIsKept ? this.#baseTokens : Math.max(0, this.#baseTokens - 1);
    return { end: most, keptTokens };
  }

  /** The end of the text, and the tokens, with each event that showed something. */
  *#shown(): Generator<Mark> {
    this.#spell();
    let end = this.#base.length;
    let keptTokens = this.#baseTokens;
    let odd = 0;
    for (const [at, piece] of this.#pieces.entries()) {
      end += piece.length;
      if (this.#odd[odd] === at) {
        keptTokens += this.#odd[odd + 1] ?? 0;
        odd += 2;
      } else keptTokens += 1;
      if (piece !== "") yield { end, keptTokens };
    }
  }

  /** Another engine continues from this cut: `add` then takes its text. */
  goOn({ prefix, ahead, keptTokens }: Cut): void {
    this.#base = prefix;
    this.#baseTokens = keptTokens;
    this.#length = prefix.length;
    this.#tokens = keptTokens;
    this.#endsShown = true;
    this.#pieces = [];
    this.#asciiEnds = [];
    this.#odd = [];
    this.#ahead = ahead;
  }

  /** This much of the text ahead was said again, or never will be. */
  caughtUp(stillAhead: string): void {
    this.#ahead = stillAhead;
  }
}

/**
 * Tokens up to a place behind one mark and before the next. Of those in between, whose ends nothing shows, as many as there is text of
 * theirs. Rather too many: the answer must not get longer than was asked for.
 */
function sharedTokens(last: Mark, next: Mark | null, at: number): number {
  if (next === null) return last.keptTokens;
  const between = next.keptTokens - last.keptTokens;
  const share = (at - last.end) / (next.end - last.end);
  return last.keptTokens + (between > 1 ? Math.ceil(between * share) : 0);
}

/** Up to where a text ends in whole, visible characters. */
function endOfWhole(text: string, most: number): number {
  let end = most;
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
