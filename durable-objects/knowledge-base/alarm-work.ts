/** What does a vector store do at its alarm, for whichever reason (next-alarm.ts) it fires? */
import { FileProcessor } from "./file-processor.ts";
import type { Head } from "./knowledge-store.ts";
import { rememberedMs } from "./knowledge-tables.ts";
import { expiryOf } from "./next-alarm.ts";
import type { StorePieces } from "./store-pieces.ts";

/** `expire ▸ erase words ▸ cut words anew ▸ the index outside ▸ one file`: some of each, so that no alarm takes long. */
export class AlarmWork {
  readonly #pieces: StorePieces;
  readonly #processor: FileProcessor;

  constructor(pieces: StorePieces) {
    this.#pieces = pieces;
    this.#processor = new FileProcessor(pieces);
  }

  /** Deleted, remembered long enough, and nothing of it lies elsewhere: the object may forget itself. */
  isOver({ deletedMs }: Head, nowMs: number): boolean {
    return deletedMs !== null && deletedMs + rememberedMs <= nowMs && !this.#pieces.outside.owes;
  }

  async ring(head: Head, nowMs: number): Promise<void> {
    const { storage, store, passages, removals, outside } = this.#pieces;
    if (head.deletedMs === null && head.expiredMs === null && expiryOf(head) <= nowMs)
      storage.transactionSync(() => {
        removals.everything();
        store.expired(nowMs);
      });
    removals.eraseWords(nowMs);
    passages.recutSome();
    const bound = await this.#bound(head);
    await outside.step(bound);
    if (!outside.isBehind(bound)) await this.#processor.processNext();
  }

  /**
   * A bound is told with each file that is attached. Of a store that has vectors outside it is asked for as well, once a day at least: its tenant
   * may want none there any more. Nothing else of it is heeded: what is read here may be older than what came with the last file.
   */
  async #bound(head: Head): Promise<Head> {
    const { store, outside, parts } = this.#pieces;
    if (head.deletedMs !== null || !outside.owes) return head;
    const maxPassages = await parts.mostPassages(head.owner.tenant);
    if (maxPassages === null) return head;
    const bound = { ...head, maxPassages };
    if (outside.indexOf(bound) !== null) return head;
    store.boundPassages(maxPassages);
    return bound;
  }
}
