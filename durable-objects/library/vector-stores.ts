import type { AttachedFile, StoreView } from "../../src/shared/contracts/knowledge-base.ts";
import type {
  CreateStore,
  CreateStoreOutcome,
  FileChoice,
  ListStores,
  ListStoresOutcome,
  UseFiles,
  UseFilesOutcome,
} from "../../src/shared/contracts/library.ts";
import { within } from "../../src/shared/isolate/within.ts";
import { longestWaitMs } from "../storage/in-time.ts";
import { ExpiredStores } from "./expired-stores.ts";
import type { LibraryDuties } from "./library-duties.ts";
import type { LibraryRoll } from "./library-roll.ts";
import type { LibraryStore } from "./library-store.ts";

/**
 * An owner's vector stores: made through here, so that an erasure of the owner finds them, and counted here. Which files are put into them
 * is noted, so that a file that is deleted is deleted there as well.
 */
export class VectorStores {
  readonly #store: LibraryStore;
  readonly #roll: LibraryRoll;
  readonly #duties: LibraryDuties;
  readonly #expired: ExpiredStores;

  constructor(store: LibraryStore, roll: LibraryRoll, duties: LibraryDuties) {
    this.#store = store;
    this.#roll = roll;
    this.#duties = duties;
    this.#expired = new ExpiredStores(store, duties);
  }

  /** The row is there before the object hears of it. Where no answer comes, the store is unmade again. */
  async create(message: CreateStore): Promise<CreateStoreOutcome> {
    const { owner, jurisdiction, storeId, definition, maxStores, maxPassages } = message;
    const outside = await this.#roll.join(owner, jurisdiction);
    if (outside !== null) return outside;
    this.#store.open(owner, jurisdiction);
    // Asked again: the answer to the first was lost.
    if (this.#store.hasStore(storeId)) return storeOr(await this.#duties.made(storeId));
    if (this.#store.storeCount() >= maxStores) {
      await within(this.#expired.makeRoom(), longestWaitMs);
      // Meanwhile its owner may have been erased, and others have looked for room as well.
      const stillOutside = await this.#roll.join(owner, jurisdiction);
      if (stillOutside !== null) return stillOutside;
      this.#store.open(owner, jurisdiction);
      if (this.#store.hasStore(storeId)) return storeOr(await this.#duties.made(storeId));
      if (this.#store.storeCount() >= maxStores) return { result: "full", most: maxStores };
    }
    const files = this.#choose(message.files);
    if (typeof files === "string") return { result: "file-unknown", fileId: files };
    const nowMs = Date.now();
    const asked = { jurisdiction, id: storeId, createdMs: nowMs, definition, files, maxPassages };
    const fileIds = files.map(({ fileId }) => fileId);
    this.#store.addStore(storeId, JSON.stringify(asked), fileIds, nowMs);
    const made = await this.#duties.make(storeId);
    if (typeof made === "string" && this.#store.hasStore(storeId)) {
      this.#store.removeStore(storeId, Date.now());
      await this.#duties.wakeInTime();
    }
    return storeOr(made);
  }

  use(message: UseFiles): UseFilesOutcome {
    if (!this.#store.hasStore(message.storeId)) return { result: "unknown" };
    const files = this.#choose(message.files);
    if (typeof files === "string") return { result: "file-unknown", fileId: files };
    this.#store.noteUse(
      message.storeId,
      files.map(({ fileId }) => fileId),
    );
    return { result: "ok", files };
  }

  list(message: ListStores): ListStoresOutcome {
    const { rows, hasMore } = this.#store.stores(message);
    return { result: "ok", ids: rows, hasMore };
  }

  /** @returns whether there was one */
  remove(id: string): boolean {
    const isThere = this.#store.hasStore(id);
    if (isThere) this.#store.removeStore(id, Date.now());
    return isThere;
  }

  /** The files as a store gets them; the id of the first that is none. */
  #choose(choices: readonly FileChoice[]): readonly AttachedFile[] | string {
    const nowMs = Date.now();
    const chosen: AttachedFile[] = [];
    for (const { fileId, attributes, chunking } of choices) {
      const file = this.#store.file(fileId, nowMs);
      if (file === null) return fileId;
      const { filename, purpose, mediaType, bytes, storedIn } = file;
      chosen.push({ fileId, filename, purpose, mediaType, bytes, storedIn, attributes, chunking });
    }
    return chosen;
  }
}

function storeOr(made: StoreView | string): CreateStoreOutcome {
  return typeof made === "string" ? { result: "unreachable", detail: made } : { result: "ok", store: made };
}
