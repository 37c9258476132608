/**
 * How are a large store's vectors moved into the outside index, and out of it? Some at each alarm: `remove what is owed ▸ check what it
 * finds ▸ send the next`. The object keeps all vectors and compares those that the index is not known to find, so that none is ever missed.
 * The tables (outside-blocks.ts) say what is owed, so a kill at any point, a lost answer, or a repetition has the same result.
 */
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import { outsideBounds } from "../../src/shared/retrieval/outside-bounds.ts";
import type { IndexState, OutsideVectors, VectorOwner } from "../../src/shared/retrieval/ports.ts";
import { inTime } from "../storage/in-time.ts";
import type { Sql, SqlTransactions } from "../storage/sql-port.ts";
import { OutsideBlocks, type UnseenBlock } from "./outside-blocks.ts";
import {
  askedAmong,
  dayMs,
  longFailures,
  nextStepMs,
  retryAfterMs,
  seenAmong,
  seenWith,
  settleMs,
  stalledAmong,
  surelyMs,
} from "./outside-rules.ts";
import type { PassageStore } from "./passage-store.ts";
import { vectorsBeside, vectorsOf } from "./vector-counts.ts";

/** What is asked of a store. Whether its vectors may lie outside is its bound's to say: nothing over what is compared is without. */
export interface OutsideHead {
  readonly id: string;
  readonly owner: Owner;
  readonly jurisdiction: Jurisdiction;
  readonly maxPassages: number;
}

export interface OutsideParts {
  /** `null`: there is no index for stores of this jurisdiction. */
  outside(jurisdiction: Jurisdiction): OutsideVectors | null;
  readonly report: (component: string, detail: string) => void;
}

/** Vectors of one step: a call of the index each way. */
const sentAtOnce = 1000;
const removedAtOnce = 1000;
/** Others may be the same vector. */
const shownAtMost = 100;
/** One call of the index, or what a step removes by several. */
const callMs = 30_000;

export class OutsideMoves {
  readonly blocks: OutsideBlocks;
  readonly #sql: Sql;
  readonly #passages: PassageStore;
  readonly #parts: OutsideParts;

  constructor(storage: SqlTransactions, passages: PassageStore, parts: OutsideParts) {
    this.blocks = new OutsideBlocks(storage);
    this.#sql = storage.sql;
    this.#passages = passages;
    this.#parts = parts;
  }

  /** The index, where this store's vectors may lie in it. */
  indexOf(head: OutsideHead): OutsideVectors | null {
    const outside = this.#parts.outside(head.jurisdiction);
    return outside !== null && head.maxPassages > outside.bounds.compared ? outside : null;
  }

  /** Vectors of this store are outside, or may be. */
  get owes(): boolean {
    return this.blocks.areMade && this.blocks.areAny;
  }

  nextDueMs(head: OutsideHead): number {
    const outside = this.indexOf(head);
    if (!this.blocks.areMade) return outside !== null && this.#isLarge(outside) ? 0 : Infinity;
    const { dimensions, describedMs, againMs } = this.blocks.progress.step();
    const isLarge = outside !== null && this.#isLarge(outside);
    const isBound = this.#parts.outside(head.jurisdiction) !== null;
    return nextStepMs({
      owedSentMs: this.blocks.owedSentMs(isBound && this.#takesBack(outside)),
      hasUnsent: isLarge && this.blocks.hasUnsent(dimensions),
      takenMs: outside === null ? null : this.blocks.unseenTakenMs(),
      isLookedAfter:
        outside !== null && (this.blocks.areAny || (isLarge && this.blocks.hasOther(dimensions))),
      describedMs,
      againMs,
    });
  }

  /** At the alarm. Never throws for the index's sake. */
  async step(head: OutsideHead): Promise<void> {
    if (this.nextDueMs(head) > Date.now()) return;
    const bound = this.#parts.outside(head.jurisdiction);
    this.blocks.open();
    const { failures } = this.blocks.progress.step();
    if (bound === null) {
      this.blocks.progress.failed(failures + 1, Date.now() + dayMs);
      this.#report("vectors that are to be removed lie in an index that is not bound");
      return;
    }
    try {
      await this.#removeOwed(head, bound);
      const outside = this.indexOf(head);
      if (outside !== null) await this.#index(head, outside);
      if (failures > 0) this.blocks.progress.worked();
    } catch (error) {
      this.blocks.progress.failed(failures + 1, Date.now() + retryAfterMs(failures + 1));
      this.#report(`the index of vectors failed: ${error instanceof Error ? error.message : "not an error"}`);
    }
  }

  /** So many passages are compared already, and the index is asked for more: the next files wait for it. Not for ever. */
  isBehind(head: OutsideHead): boolean {
    const outside = this.indexOf(head);
    if (outside === null || this.#pending() < outside.bounds.compared) return false;
    return !this.blocks.areMade || this.blocks.progress.step().failures < longFailures;
  }

  /** How many passages the store may hold. */
  most(head: OutsideHead): number {
    const outside = this.indexOf(head);
    return outside === null ? Math.min(head.maxPassages, outsideBounds.compared) : head.maxPassages;
  }

  /**
   * How many of a file's passages there is room for, by the dimensions of their vectors: what the index can't hold is compared. Asks the index
   * where that matters; throws where it can't be asked, or is too far behind.
   */
  async room(head: OutsideHead, fileId: string, wanted: number, dimensions: number): Promise<number> {
    const outside = this.indexOf(head);
    if (outside === null) return wanted;
    const beside = this.#total() === 0 ? 0 : vectorsBeside(this.#sql, fileId, dimensions);
    if (beside + wanted <= outside.bounds.compared) return wanted;
    const state = await inTime(outside.state(), callMs);
    if (state.dimensions !== dimensions) return Math.max(0, outside.bounds.compared - beside);
    if (this.#pending() >= outside.bounds.compared) throw new Error("the index of vectors is behind");
    return wanted;
  }

  /** Vectors of an embedder's that a search here compares by itself. */
  compared(head: OutsideHead, embedderId: string): number {
    return this.indexOf(head) === null ? vectorsOf(this.#sql, embedderId) : this.blocks.compared(embedderId);
  }

  /** The object's storage was deleted. */
  forgotten(): void {
    this.blocks.forgotten();
  }

  async #removeOwed(head: OutsideHead, bound: OutsideVectors): Promise<void> {
    const owed = this.blocks.takeOwed(
      this.#takesBack(this.indexOf(head)),
      Date.now() - settleMs,
      removedAtOnce,
    );
    if (owed === null) return;
    const index = await bound.of(ownerOf(head, owed.embedderId));
    const ids = owed.blocks.flatMap(({ first, passages }) =>
      Array.from({ length: passages }, (_, at) => first + at),
    );
    await inTime(index.remove(ids), callMs);
    this.blocks.removed(owed, Date.now());
  }

  async #index(head: OutsideHead, outside: OutsideVectors): Promise<void> {
    const { describedMs, dimensions: before, takenBackMs } = this.blocks.progress.step();
    // One that is small, or being removed, is looked after, and no more.
    const isMoving = this.#isLarge(outside) || this.blocks.unseenTakenMs() !== null;
    if (!isMoving && describedMs + dayMs > Date.now()) return;
    const state = await inTime(outside.state(), callMs);
    if (before !== 0 && before !== state.dimensions) this.#lost();
    this.blocks.progress.described(state.dimensions, Date.now());
    const unseen = this.blocks.unseen();
    const seen = new Set(seenAmong(unseen, state, Date.now()));
    if (Date.now() - takenBackMs > surelyMs) {
      const shown = await this.#shown(
        head,
        outside,
        unseen.filter((block) => !seen.has(block)),
        state,
      );
      for (const block of shown) seen.add(block);
    }
    this.blocks.seen([...seen].map(({ first }) => first));
    const next = this.#isLarge(outside) ? this.blocks.unsent(state.dimensions, sentAtOnce) : null;
    if (next !== null) {
      const index = await outside.of(ownerOf(head, next.embedderId));
      const vectors = this.blocks.send(next, Date.now());
      if (vectors.length > 0)
        this.blocks.taken(next, await inTime(index.upsert(vectors), callMs), Date.now());
      return;
    }
    const waiting = unseen.filter((block) => !seen.has(block));
    const stalled = stalledAmong(waiting, state, Date.now());
    if (stalled !== undefined) {
      const index = await outside.of(ownerOf(head, stalled.embedderId));
      await inTime(index.upsert(this.blocks.sendAgain(stalled, Date.now())), callMs);
    } else if (waiting.length === 0) await this.#lookAfter(head, outside);
  }

  /** Blocks that the index finds, as a search for a vector of theirs shows that can be there by this sending alone. */
  async #shown(
    head: OutsideHead,
    outside: OutsideVectors,
    unseen: readonly UnseenBlock[],
    state: IndexState,
  ): Promise<UnseenBlock[]> {
    const telling = unseen.filter(({ wasSentOnce }) => wasSentOnce);
    for (const block of askedAmong(telling, state)) {
      const sample = this.blocks.sample(block);
      if (sample === null) continue;
      const index = await outside.of(ownerOf(head, block.embedderId));
      const found = await inTime(index.nearest(sample.values, shownAtMost), callMs);
      if (found.some(({ id }) => id === sample.id)) return seenWith(block, unseen);
    }
    return [];
  }

  /** Whether the index is still the one that was filled: one that was made anew has nothing of this store. */
  async #lookAfter(head: OutsideHead, outside: OutsideVectors): Promise<void> {
    const sample = this.blocks.seenVector();
    if (sample === null) return;
    const index = await outside.of(ownerOf(head, sample.embedderId));
    const found = await inTime(index.nearest(sample.values, 1), callMs);
    if (found.length === 0) this.#lost();
  }

  #lost(): void {
    this.blocks.lost();
    this.#report("the index of vectors is not the one that it was: everything is sent anew");
  }

  /** Whether nothing is to lie outside any more: it may not, or the store has become small. Half, so that one at the bound does not go to and fro. */
  #takesBack(outside: OutsideVectors | null): boolean {
    return outside === null || this.#total() <= outside.bounds.from / 2;
  }

  #isLarge({ bounds }: OutsideVectors): boolean {
    return this.#total() > bounds.from;
  }

  #total(): number {
    return this.#passages.counts().passages;
  }

  /** Passages that wait for the index, as far as it could hold them. */
  #pending(): number {
    const dimensions = this.blocks.areMade ? this.blocks.progress.step().dimensions : 0;
    return dimensions === 0 ? this.#total() : this.blocks.pending(dimensions);
  }

  #report(detail: string): void {
    this.#parts.report("knowledge-base", detail);
  }
}

export function ownerOf({ id, owner }: OutsideHead, embedderId: string): VectorOwner {
  return { tenant: owner.tenant, storeId: id, embedderId };
}
