/** When does a search use the outside index? Not for a small store, nor where a filter leaves few passages: those are compared exactly. */
import type { AttributeFilter } from "../../src/shared/retrieval/attribute-filter.ts";
import type { SearchedIndex } from "../../src/shared/retrieval/find-passages.ts";
import { outsideBounds } from "../../src/shared/retrieval/outside-bounds.ts";
import type { OutsideVectors, VectorOwner } from "../../src/shared/retrieval/ports.ts";
import { inTime } from "../storage/in-time.ts";
import { type OutsideHead, type OutsideMoves, ownerOf } from "./outside-moves.ts";
import type { PassageStore } from "./passage-store.ts";

/** Of one search. */
const nearestMs = 1_000;
/** After a failure, so that searches do not wait for the index one after another. */
const pauseMs = 10_000;

export class OutsideSearch {
  readonly #moves: OutsideMoves;
  readonly #passages: PassageStore;
  #askAgainMs = 0;

  constructor(moves: OutsideMoves, passages: PassageStore) {
    this.#moves = moves;
    this.#passages = passages;
  }

  /** `undefined`: the store compares its vectors itself. */
  indexFor(head: OutsideHead, embedderId: string, filter: AttributeFilter | null): SearchedIndex | undefined {
    const { blocks } = this.#moves;
    if (!blocks.areMade) return undefined;
    const outside = this.#moves.indexOf(head);
    const bounds = outside?.bounds ?? outsideBounds;
    if (this.#passages.countWithin(this.#passages.filesThatMeet(filter)) <= bounds.from) return undefined;
    const mark = outside === null ? null : blocks.mark(embedderId);
    // The vectors that the index is not known to find. They are few, unless the index was lost or is no longer used.
    if (this.#moves.compared(head, embedderId) > 2 * bounds.compared)
      return {
        covers: "all",
        compares: 0,
        nearest: () => Promise.reject(new Error("too many vectors are in no index")),
      };
    if (outside === null || mark === null) return undefined;
    return {
      covers: mark,
      compares: bounds.compared,
      nearest: this.#nearest(outside, ownerOf(head, embedderId)),
    };
  }

  #nearest(outside: OutsideVectors, whose: VectorOwner): SearchedIndex["nearest"] {
    return async (query, limit) => {
      if (Date.now() < this.#askAgainMs) throw new Error("the index of vectors failed lately");
      try {
        const index = await outside.of(whose);
        return await inTime(index.nearest(query, limit), nearestMs);
      } catch (error) {
        this.#askAgainMs = Date.now() + pauseMs;
        throw error;
      }
    };
  }
}
