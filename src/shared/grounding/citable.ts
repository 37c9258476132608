/**
 * What may an answer cite, by which numbers, and how does OpenAI say that it does? Passages of files come first, from 1, then what
 * web searches have found, in the order in which the model was given them: one numbering, so that `[3]` is one source.
 */
import { CitationScanner, type CitationMark } from "./citation-scanner.ts";
import type { GroundedPassage } from "./ground.ts";

/** Something of the web. */
export interface WebSource {
  readonly url: string;
  readonly title: string;
}

export interface Citable {
  readonly passages: readonly Pick<GroundedPassage, "fileId" | "filename" | "shownName" | "page">[];
  readonly sources: readonly WebSource[];
  /** The answer is JSON: only what is in its strings cites. */
  readonly isJson: boolean;
}

/**
 * OpenAI's `FileCitationBody` and `UrlCitationBody`. Places are UTF-16 units of the text; `end_index` is behind the mark. `page` is ours:
 * on which page of its document (slide, sheet) the passage stands, from 1.
 */
export type Annotation =
  | {
      readonly type: "file_citation";
      readonly index: number;
      readonly file_id: string;
      readonly filename: string;
      readonly page?: number;
    }
  | {
      readonly type: "url_citation";
      readonly start_index: number;
      readonly end_index: number;
      readonly url: string;
      readonly title: string;
    };

/** Finds what a text cites; `null`: there is nothing to cite. */
export function citationScanner({ passages, sources, isJson }: Citable): CitationScanner | null {
  const most = passages.length + sources.length;
  return most === 0 ? null : new CitationScanner(most, isJson);
}

/** `null`: there is nothing by that number. */
export function annotationOf(
  { passages, sources }: Citable,
  { number, at, end }: CitationMark,
): Annotation | null {
  const passage = passages[number - 1];
  if (passage !== undefined) {
    const { fileId, filename, shownName = filename, page } = passage;
    const cited = { type: "file_citation", index: at, file_id: fileId, filename: shownName } as const;
    return page === undefined ? cited : { ...cited, page };
  }
  const source = sources[number - 1 - passages.length];
  if (source === undefined) return null;
  const { url, title } = source;
  return { type: "url_citation", start_index: at, end_index: end, url, title };
}

/** How many citations a conversation keeps of one text, and how large they may be as JSON: conversations live as long as their owners like. */
const mostKept = 200;
const mostKeptUnits = 32_768;

/** Of a text that is whole. */
export function annotationsIn(text: string, citable: Citable): readonly Annotation[] {
  const marks = citationScanner(citable)?.read(text) ?? [];
  const annotations: Annotation[] = [];
  let units = 0;
  for (const mark of marks) {
    const annotation = annotationOf(citable, mark);
    if (annotation === null) continue;
    units += JSON.stringify(annotation).length;
    if (annotations.length >= mostKept || units > mostKeptUnits) break;
    annotations.push(annotation);
  }
  return annotations;
}
