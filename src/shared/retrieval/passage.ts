/** What is a piece of a file, and what does a search give of it? The words that retrieval's parts share. */

/** A piece of a file, as search knows it. Offsets are UTF-16 units in the file's extracted text. */
export interface Passage {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Headings above it, outermost first. */
  readonly headings: readonly string[];
  /** On which page of its document it stands (slide, sheet), from 1. Absent: it has no pages. */
  readonly page?: number;
}

export interface FoundPassage {
  readonly fileId: string;
  readonly filename: string;
  readonly attributes: Attributes;
  /** Which passage of its file, from 0. */
  readonly ordinal: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** 0 to 1; what it means depends on what ranked last (find-passages.ts). */
  readonly score: number;
  /** Headings above it, outermost first. */
  readonly headings?: readonly string[];
  /** As of `Passage`. */
  readonly page?: number;
}

/** Attributes that the owner gave a file, for filters. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** As OpenAI bounds them. */
const mostAttributes = 16;

/**
 * What a search result shows as its attributes: the file's own, and the passage's `page`, for which OpenAI's form has no other place. An
 * attribute of that name that the owner wrote is left as it is.
 */
export function shownAttributes({ attributes, page }: Pick<FoundPassage, "attributes" | "page">): Attributes {
  const isFull = Object.keys(attributes).length >= mostAttributes;
  return page === undefined || isFull || Object.hasOwn(attributes, "page")
    ? attributes
    : { ...attributes, page };
}
