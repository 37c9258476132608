/** What does a vector store do at its alarm, whichever of its reasons (next-alarm.ts) it rings for? */
import { FileProcessor } from "./file-processor.ts";
import type { KnowledgeParts } from "./knowledge-parts.ts";
import type { Head, KnowledgeStore } from "./knowledge-store.ts";
import { rememberedMs } from "./knowledge-tables.ts";
import { expiryOf } from "./next-alarm.ts";
import type { OutsideMoves } from "./outside-moves.ts";
import type { PassageStore } from "./passage-store.ts";
import type { StoreRemovals } from "./store-removals.ts";

/** `expire ▸ erase words ▸ cut words anew ▸ the index outside ▸ one file`: some of each, so that no alarm takes long. */
export class AlarmWork {
  readonly #storage: DurableObjectStorage;
  readonly #store: KnowledgeStore;
  readonly #passages: PassageStore;
  readonly #removals: StoreRemovals;
  readonly #outside: OutsideMoves;
  readonly #parts: KnowledgeParts;
  readonly #processor: FileProcessor;

  constructor(
    storage: DurableObjectStorage,
    store: KnowledgeStore,
    passages: PassageStore,
    removals: StoreRemovals,
    outside: OutsideMoves,
    parts: KnowledgeParts,
  ) {
    this.#storage = storage;
    this.#store = store;
    this.#passages = passages;
    this.#removals = removals;
    this.#outside = outside;
    this.#parts = parts;
    this.#processor = new FileProcessor(storage, store, passages, removals, outside, parts);
  }

  /** Deleted, remembered long enough, and nothing of it lies elsewhere: the object may forget itself. */
  isOver({ deletedMs }: Head, nowMs: number): boolean {
    return deletedMs !== null && deletedMs + rememberedMs <= nowMs && !this.#outside.owes;
  }

  async ring(head: Head, nowMs: number): Promise<void> {
    if (head.deletedMs === null && head.expiredMs === null && expiryOf(head) <= nowMs)
      this.#storage.transactionSync(() => {
        this.#removals.everything();
        this.#store.expired(nowMs);
      });
    this.#removals.eraseWords(nowMs);
    this.#passages.recutSome();
    const bound = await this.#bound(head);
    await this.#outside.step(bound);
    if (!this.#outside.isBehind(bound)) await this.#processor.processNext();
  }

  /**
   * A bound is told with each file that is attached. Of a store that has vectors outside it is asked for as well, once a day at least: its tenant
   * may want none there any more. Nothing else of it is heeded: what is read here may be older than what came with the last file.
   */
  async #bound(head: Head): Promise<Head> {
    if (head.deletedMs !== null || !this.#outside.owes) return head;
    const maxPassages = await this.#parts.mostPassages(head.owner.tenant);
    if (maxPassages === null) return head;
    const bound = { ...head, maxPassages };
    if (this.#outside.indexOf(bound) !== null) return head;
    this.#store.boundPassages(maxPassages);
    return bound;
  }
}
