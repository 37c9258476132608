/**
 * Which passages is a text searched by? Whole sentences up to a budget of tokens, cut where a paragraph or a section ends if one does
 * late enough, each beginning with some of what the one before ended with.
 *
 * Time is linear in the text and memory is that of one passage, whatever the text.
 */
import type { Passage } from "./passage.ts";
import { boundary, textAtoms, type TextAtom, type TextKind } from "./text-atoms.ts";

/** OpenAI's static chunking strategy, and its defaults. */
export const chunkBounds = {
  minTokens: 100,
  maxTokens: 4096,
  usualTokens: 800,
  usualOverlapTokens: 400,
} as const;

export interface ChunkOptions {
  /** 100 to 4,096, as estimated (prompt/token-estimate.ts). */
  readonly maxTokens: number;
  /** At most half of `maxTokens`. */
  readonly overlapTokens: number;
  readonly kind: TextKind;
}

/** A paragraph's end is where a passage is cut if it has this share of its budget by then; a section's end, this. */
const paragraphShare = 0.7;
const sectionShare = 0.25;
/** Characters a token of budget: text of blanks, or one endless word, counts as few tokens. */
const maxCharactersPerToken = 12;

/** `text.slice(start, end)` is the passage, without white space around it. White space alone is none. */
export function chunkText(text: string, options: ChunkOptions): Passage[] {
  const { maxTokens, overlapTokens } = options;
  if (overlapTokens * 2 > maxTokens || overlapTokens < 0)
    throw new RangeError("an overlap over half a passage");
  const passages: Passage[] = [];
  const window = new PassageWindow(options);
  // None is over half a budget: there is always room for one behind what is repeated.
  for (const atom of textAtoms(text, options.kind, Math.floor(maxTokens / 2))) {
    if (atom.begins === boundary.heading && window.tokens >= maxTokens * sectionShare)
      pushPassage(text, window.takeAll(), passages);
    while (!window.hasRoom(atom)) pushPassage(text, window.takeFor(atom), passages);
    window.add(atom);
  }
  pushPassage(text, window.takeAll(), passages);
  return passages;
}

/** The atoms of the next passage. */
class PassageWindow {
  tokens = 0;
  readonly #maxTokens: number;
  readonly #overlapTokens: number;
  #atoms: TextAtom[] = [];
  /** The first of them that is in no passage yet. */
  #fresh = 0;

  constructor({ maxTokens, overlapTokens }: ChunkOptions) {
    this.#maxTokens = maxTokens;
    this.#overlapTokens = overlapTokens;
  }

  hasRoom(atom: TextAtom, skipped = 0, skippedTokens = 0): boolean {
    const first = this.#atoms[skipped];
    return (
      first === undefined ||
      (this.tokens - skippedTokens + atom.tokens <= this.#maxTokens &&
        atom.end - first.start <= this.#maxTokens * maxCharactersPerToken)
    );
  }

  add(atom: TextAtom): void {
    this.#atoms.push(atom);
    this.tokens += atom.tokens;
  }

  /** A full window's passage. Its end stays, as the next one's beginning, as far as that leaves room for an atom. */
  takeFor(atom: TextAtom): readonly TextAtom[] {
    const cut = this.#cut();
    const taken = this.#atoms.slice(0, cut);
    let keep = cut;
    let overlap = 0;
    for (let at = cut - 1; at > 0; at -= 1) {
      overlap += this.#atoms[at]?.tokens ?? 0;
      if (overlap > this.#overlapTokens) break;
      keep = at;
    }
    this.#drop(keep);
    this.#fresh = cut - keep;
    let skipped = 0;
    let skippedTokens = 0;
    while (skipped < this.#fresh && !this.hasRoom(atom, skipped, skippedTokens)) {
      skippedTokens += this.#atoms[skipped]?.tokens ?? 0;
      skipped += 1;
    }
    this.#drop(skipped);
    return taken;
  }

  /** What is left, or none if all of it is in a passage already. Nothing stays. */
  takeAll(): readonly TextAtom[] {
    const taken = this.#fresh < this.#atoms.length ? this.#atoms : [];
    this.#atoms = [];
    this.#fresh = 0;
    this.tokens = 0;
    return taken;
  }

  /** Where a paragraph begins late enough, else at the end. Something that is in no passage yet comes before it. */
  #cut(): number {
    let tokens = this.tokens;
    for (let at = this.#atoms.length - 1; at > this.#fresh; at -= 1) {
      const atom = this.#atoms[at];
      if (atom === undefined) break;
      tokens -= atom.tokens;
      if (tokens < this.#maxTokens * paragraphShare) break;
      if (atom.begins >= boundary.paragraph) return at;
    }
    return this.#atoms.length;
  }

  #drop(count: number): void {
    for (const { tokens } of this.#atoms.slice(0, count)) this.tokens -= tokens;
    this.#atoms = this.#atoms.slice(count);
    this.#fresh = Math.max(0, this.#fresh - count);
  }
}

function pushPassage(text: string, atoms: readonly TextAtom[], passages: Passage[]): void {
  const [first] = atoms;
  const last = atoms.at(-1);
  if (first === undefined || last === undefined) return;
  const whole = text.slice(first.start, last.end);
  const start = first.start + (whole.length - whole.trimStart().length);
  const end = start + whole.trim().length;
  // What is new in it may be white space alone.
  if (end > start && end > (passages.at(-1)?.end ?? 0))
    passages.push({ text: text.slice(start, end), start, end, headings: first.headings });
}
