import type { LibraryDuties } from "./library-duties.ts";
import type { LibraryStore } from "./library-store.ts";

/**
 * Which vector stores can be dropped when an owner has reached the limit? Expired ones: they are empty, and only their own objects know
 * that they have expired. They are asked only when the limit is reached.
 */
export class ExpiredStores {
  readonly #store: LibraryStore;
  readonly #duties: Pick<LibraryDuties, "isExpired" | "run">;
  /** Behind which the next search goes on; `null`: from the oldest. */
  #place: string | null = null;
  #restsUntilMs = 0;
  #under: Promise<void> | null = null;

  constructor(store: LibraryStore, duties: Pick<LibraryDuties, "isExpired" | "run">) {
    this.#store = store;
    this.#duties = duties;
  }

  /** Deletes expired stores, the oldest first, as soon as some are found. A store that can't be reached does not count. Never throws. */
  async makeRoom(): Promise<void> {
    this.#under ??= this.#search().finally(() => {
      this.#under = null;
    });
    await this.#under;
  }

  async #search(): Promise<void> {
    if (Date.now() < this.#restsUntilMs) return;
    for (let asked = 0; asked < mostAsked; asked += atOnce) {
      const { rows: ids, hasMore } = this.#store.stores({
        after: this.#place,
        before: null,
        limit: atOnce,
        order: "asc",
      });
      const expired = await Promise.all(ids.map((id) => this.#duties.isExpired(id)));
      this.#place = hasMore ? (ids.at(-1) ?? null) : null;
      const nowMs = Date.now();
      // Not a store that was deleted meanwhile: its deletion would be owed twice.
      const gone = ids.filter((id, at) => expired[at] === true && this.#store.hasStore(id));
      for (const id of gone) this.#store.removeStore(id, nowMs);
      if (gone.length > 0) return this.#duties.run();
      if (!hasMore) break;
    }
    this.#restsUntilMs = Date.now() + restMs;
  }
}

const atOnce = 6;
/** As many as a user may have by default. Where there are more, the next search goes on behind them. */
const mostAsked = 102;
/** Otherwise repeated requests would wake all of them each time. */
const restMs = 60_000;
