/**
 * How many passages may a vector store hold, and from how many on do its vectors lie in an index outside of its object as well? Why these
 * numbers: docs/decisions/0073-an-index-beside-the-vectors.md.
 */
export interface OutsideBounds {
  /** Up to so many passages are compared one by one, in the object: exact, at once, and free. */
  readonly from: number;
  /** Most that are, where there is no index, or it is behind. */
  readonly compared: number;
}

export const outsideBounds: OutsideBounds = { from: 20_000, compared: 50_000 };

/** Most of a store whose vectors lie in an index: its words are one full-text index in one object. */
export const mostIndexedPassages = 200_000;

interface PassageBounds {
  readonly max_passages_per_store: number;
  readonly max_indexed_passages_per_store: number | null;
}

/** @param isBound whether the platform has an index of vectors */
export function passagesPerStore(
  { max_passages_per_store: compared, max_indexed_passages_per_store: indexed }: PassageBounds,
  isBound: boolean,
): number {
  return isBound && indexed !== null ? indexed : compared;
}
