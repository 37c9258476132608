/** Which sources does an answer report? Only those of the passages given to the model that it cites, in our own field `citations`. */
import { CitationScanner } from "./citation-scanner.ts";
import { isComplete, type GroundedPassage, type Grounding } from "./ground.ts";

export interface Citation {
  /** The number in the answer's `[1]`. */
  readonly index: number;
  readonly file_id: string;
  readonly filename: string;
  /** Of the passage, in UTF-16 units of the file's text. */
  readonly start: number;
  readonly end: number;
  /** 0 to 1. */
  readonly score: number;
  /** The passage's beginning. */
  readonly text: string;
  /** On which page of its document it stands (slide, sheet), from 1. */
  readonly page?: number;
}

/** UTF-16 units of a passage that are shown with it. */
const snippetUnits = 300;

/** Reads the choices of one answer as they come, and says in the end what they cite. */
export class CitedPassages {
  readonly #passages: readonly GroundedPassage[];
  readonly #isJson: boolean;
  readonly #scanners = new Map<number, CitationScanner>();
  readonly #cited = new Set<number>();

  /** @param passages as the model was given them, in their order; @param isJson so are the answers */
  constructor(passages: readonly GroundedPassage[], isJson: boolean) {
    this.#passages = passages;
    this.#isJson = isJson;
  }

  read(choice: number, piece: string): void {
    let scanner = this.#scanners.get(choice);
    if (scanner === undefined) {
      scanner = new CitationScanner(this.#passages.length, this.#isJson);
      this.#scanners.set(choice, scanner);
    }
    for (const { number } of scanner.read(piece)) this.#cited.add(number);
  }

  /** By number. */
  citations(): readonly Citation[] {
    return [...this.#cited]
      .toSorted((left, right) => left - right)
      .flatMap((number) => {
        const passage = this.#passages[number - 1];
        return passage === undefined ? [] : [citationOf(passage, number)];
      });
  }
}

/** Of an answer that is whole. */
export function citationsIn(
  choices: readonly { readonly content: string | null }[],
  passages: readonly GroundedPassage[],
  isJson: boolean,
): readonly Citation[] {
  const cited = new CitedPassages(passages, isJson);
  for (const [index, { content }] of choices.entries()) cited.read(index, content ?? "");
  return cited.citations();
}

function citationOf(passage: GroundedPassage, index: number): Citation {
  const {
    fileId,
    start,
    end,
    score,
    shown: text = passage.text,
    shownName = passage.filename,
    page,
  } = passage;
  const citation = { index, file_id: fileId, filename: shownName, start, end, score, text: snippet(text) };
  return page === undefined ? citation : { ...citation, page };
}

function snippet(text: string): string {
  if (text.length <= snippetUnits) return text;
  // Not half a character.
  const end = (text.charCodeAt(snippetUnits - 1) & 0xfc00) === 0xd800 ? snippetUnits - 1 : snippetUnits;
  return text.slice(0, end);
}

/**
 * The JSON object with its citations as the last member; where some of what files say may be missing (a search that was late, a store that
 * could not be asked, or did without its vectors), `retrieval` says so behind them: an answer without passages looks like one to which files say nothing.
 */
export function withCitations(
  json: string,
  citations: readonly Citation[],
  grounding: Pick<Grounding, "passages" | "fault" | "lacking">,
): string {
  const end = json.lastIndexOf("}");
  const { passages, lacking } = grounding;
  const told = { passages: passages.length, complete: false, ...(lacking === undefined ? {} : { lacking }) };
  const missing = isComplete(grounding) ? "" : `,"retrieval":${JSON.stringify(told)}`;
  return `${json.slice(0, end)},"citations":${JSON.stringify(citations)}${missing}${json.slice(end)}`;
}
