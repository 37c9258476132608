/**
 * Removes passages from a vector store, and schedules the erasure of their words: a removed passage is no longer found at once, but its
 * words stay in the index's segments until those are merged. Every removal of passages must go through here, or their words are never
 * erased.
 */
import type { KnowledgeStore } from "./knowledge-store.ts";
import type { PassageStore } from "./passage-store.ts";

/** Until then more may be removed: erasing its words rewrites the whole index of words. */
const eraseAfterMs = 2_000;

export class StoreRemovals {
  readonly #storage: DurableObjectStorage;
  readonly #store: KnowledgeStore;
  readonly #passages: PassageStore;

  constructor(storage: DurableObjectStorage, store: KnowledgeStore, passages: PassageStore) {
    this.#storage = storage;
    this.#store = store;
    this.#passages = passages;
  }

  /** Removes a file's passages. Its row stays. */
  passagesOf(fileId: string): void {
    if (this.#passages.remove(fileId)) this.#store.eraseBy(Date.now() + eraseAfterMs);
  }

  /** @param forgotten the file itself is deleted: it never comes again */
  file(fileId: string, forgotten: boolean): void {
    this.#storage.transactionSync(() => {
      this.passagesOf(fileId);
      this.#store.files.removeFile(fileId, forgotten, Date.now());
    });
  }

  /** Files of a batch that are not processed yet won't be. */
  unfinishedOf(batchId: string): void {
    const { batches } = this.#store;
    this.#storage.transactionSync(() => {
      for (const fileId of batches.unfinished(batchId)) this.passagesOf(fileId);
      batches.cancel(batchId, Date.now());
    });
  }

  /** All files, within the caller's transaction. */
  everything(): void {
    if (this.#passages.removeAll()) this.#store.eraseBy(Date.now() + eraseAfterMs);
    this.#store.files.clear();
    this.#store.batches.clear();
  }

  /** At the alarm: the words of what was removed, where their time has come; some of them, where there are many. */
  eraseWords(nowMs: number): void {
    const { eraseMs = null } = this.#store.head() ?? {};
    if (eraseMs === null || eraseMs > nowMs) return;
    this.#storage.transactionSync(() => {
      if (this.#passages.eraseRemovedWords()) this.#store.erased();
    });
  }
}
