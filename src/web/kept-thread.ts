/** A conversation's saved messages: loaded page by page, and again when something was saved. */
import { notLoaded } from "./advice.ts";
import { failureOf } from "./failure-notice.ts";
import type { Dispatch, Notice } from "./chat-state.ts";
import { chooseBranch, loadBranches, loadItems, type Page } from "./conversations-api.ts";
import { keepShown } from "./keep-shown.ts";
import { pause, retryPauseMs } from "./retry-pause.ts";
import { threadOf, type ThreadItem } from "./thread.ts";

/** Pauses in ms between checks whether an ended turn is saved, if no watch reports it. */
const savedLooksMs = [300, 1000, 3000];

/** Items of one request, the API's maximum. */
const page = 100;
/**
 * Items loaded after a turn of a thread on screen, since a turn adds two. Loading all of them, with their pictures, would be megabytes for
 * each turn.
 */
const latest = 10;

/** Its messages are gone, so the model does not know them. */
const deletedElsewhere: Notice = {
  kind: "error",
  title: "This chat was deleted",
  advice: "It was deleted in another tab or on another device. Start a new chat.",
  retry: false,
};

export class KeptThread {
  readonly #token: string;
  readonly #conversation: string;
  readonly #left: AbortSignal;
  readonly #dispatch: Dispatch;
  readonly #onSaved: () => void;
  #items: readonly ThreadItem[] = [];
  /** Whether there are earlier items. */
  #hasEarlier = false;
  #looking = 0;
  /** Reads are numbered in the order of their beginning. */
  #begun = 0;
  #shown = 0;
  #branch: string | null = null;
  /** The credential has ended, so no read will succeed. */
  #refused = false;
  /** Resolves when a new chat may have messages: with `true` if they were shown. */
  readonly #said = Promise.withResolvers<boolean>();

  constructor(
    token: string,
    conversation: string,
    left: AbortSignal,
    dispatch: Dispatch,
    onSaved: () => void,
  ) {
    this.#token = token;
    this.#conversation = conversation;
    this.#left = left;
    this.#dispatch = dispatch;
    this.#onSaved = onSaved;
  }

  /**
   * Resolves once the conversation exists, with whether its items were shown.
   * @param isNew it had no messages when it was opened
   */
  async begun(isNew: boolean): Promise<boolean> {
    if (isNew) return this.#said.promise;
    return this.#show("restored", null);
  }

  /** The branch whose end is on screen, with nothing after it; `null`: unknown. */
  get branch(): string | null {
    return this.#branch;
  }

  /** A turn is shown after the loaded items. */
  goesOn(): void {
    this.#branch = null;
  }

  /** It is unknown whether a question asked here has arrived. If it has, its turn is watched like another device's. */
  mayBeSaid(): void {
    this.#said.resolve(false);
  }

  /** Deleted on another device. A running answer stays until it has ended. */
  deleted(): void {
    this.#items = [];
    this.#branch = null;
    this.#dispatch({ type: "refreshed", messages: [], join: keepShown, hasEarlier: false });
    this.#dispatch({ type: "noticed", notice: deletedElsewhere });
    this.#onSaved();
  }

  /** The error that prevented a watch. */
  refused(error: unknown): void {
    this.#refused = true;
    this.#fail(error);
  }

  /** The watch has begun. It does not report what was saved between the last read and this moment, so this reads again. */
  async lookAgain(): Promise<void> {
    this.#looking += 1;
    await this.#show("refreshed", null, { quietly: true, isTurn: true, unless: this.#items.at(-1)?.id });
  }

  /** @param isTurn a turn was added at the end; else anything may have changed */
  async refresh(isTurn = false): Promise<void> {
    this.#looking += 1;
    await this.#show("refreshed", null, { quietly: false, isTurn });
    this.#onSaved();
  }

  /** A turn ends a moment before it is saved. The watch reports that as well; the first of the two counts. */
  async refreshWhenSaved(): Promise<void> {
    this.#looking += 1;
    const looking = this.#looking;
    const before = this.#items.at(-1)?.id;
    let looks = 0;
    let failures = 0;
    for (;;) {
      const waitMs = savedLooksMs[Math.min(looks, savedLooksMs.length - 1)];
      if (failures > 0) await pause(retryPauseMs(failures, Math.random()), this.#left);
      else await new Promise((resolve) => setTimeout(resolve, waitMs));
      // The chat was left, but should still be listed.
      if (this.#left.aborted) return this.#onSaved();
      if (looking !== this.#looking) return;
      looks += 1;
      // Without a connection it retries again and again. Only the turn that broke off shows that.
      const seen = await this.#show("refreshed", null, { quietly: true, isTurn: true, unless: before });
      if (this.#refused) return;
      failures = seen ? 0 : failures + 1;
      if (seen && (looks >= savedLooksMs.length || this.#items.at(-1)?.id !== before)) break;
    }
    this.#said.resolve(true);
    this.#onSaved();
  }

  async loadEarlier(): Promise<void> {
    await this.#show("refreshed", this.#items[0]?.id ?? null);
  }

  async choose(branch: string): Promise<void> {
    try {
      await chooseBranch(this.#token, this.#conversation, branch);
      await this.#show("refreshed", null);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Returns whether it could be loaded.
   * @param how.unless the last item: if it has not changed, the screen shows more than is saved, and stays
   */
  async #show(
    type: "restored" | "refreshed",
    before: string | null,
    how: {
      readonly quietly: boolean;
      readonly isTurn?: boolean;
      readonly unless?: string | undefined;
    } = { quietly: false },
  ): Promise<boolean> {
    this.#begun += 1;
    const mine = this.#begun;
    try {
      const [page, branches] = await Promise.all([
        how.isTurn === true ? this.#latest() : this.#page(before),
        loadBranches(this.#token, this.#conversation),
      ]);
      if (this.#left.aborted) return false;
      // A later read is newer; and earlier messages are only added before the item that they were requested for, once.
      if (mine < this.#shown || (before !== null && this.#items[0]?.id !== before)) return true;
      if (how.quietly && page.entries.at(-1)?.id === how.unless) return true;
      this.#shown = mine;
      this.#take(page, before !== null);
      // Both were read in parallel: if they are not from the same moment, the items' branch is unknown.
      const active = branches.find((branch) => branch.active);
      const isItsEnd = active !== undefined && active.last === (this.#items.at(-1)?.id ?? null);
      this.#branch = isItsEnd ? active.id : null;
      const messages = threadOf(this.#items, branches, this.#hasEarlier);
      this.#dispatch({ type, messages, join: keepShown, hasEarlier: this.#hasEarlier });
      // A conversation with a server's id is not created by a message: it was deleted, and accepts none.
      if (page.isMissing === true && type === "restored" && this.#conversation.startsWith("conv_"))
        this.#dispatch({ type: "noticed", notice: deletedElsewhere });
      return true;
    } catch (error) {
      if (this.#left.aborted) return false;
      if (type === "restored") this.#dispatch({ type, messages: [], hasEarlier: false });
      if (failureOf(error).status === 401) this.refused(error);
      else if (!how.quietly) this.#fail(error);
      return false;
    }
  }

  /** With pictures a page may be megabytes: if it does not come in time, it is loaded in smaller portions. */
  async #page(before: string | null): Promise<Page<ThreadItem>> {
    try {
      return await loadItems(this.#token, this.#conversation, before, page);
    } catch (error) {
      if (failureOf(error).status !== 0 || this.#left.aborted) throw error;
      return loadItems(this.#token, this.#conversation, before, latest);
    }
  }

  /** The latest few if they join the known items, else a whole page. */
  async #latest(): Promise<Page<ThreadItem>> {
    const few = await loadItems(this.#token, this.#conversation, null, latest);
    const first = few.entries[0]?.id;
    return !few.hasMore || this.#items.some(({ id }) => id === first) ? few : this.#page(null);
  }

  /** The latest items keep the loaded ones before them if they join: an item has the same predecessor in every branch. */
  #take({ entries, hasMore }: Page<ThreadItem>, isEarlier: boolean): void {
    const first = entries[0]?.id;
    const joint = isEarlier ? -1 : this.#items.findIndex(({ id }) => id === first);
    if (!hasMore || joint <= 0) this.#hasEarlier = hasMore;
    if (isEarlier) this.#items = [...entries, ...this.#items];
    else this.#items = hasMore && joint > 0 ? [...this.#items.slice(0, joint), ...entries] : entries;
  }

  #fail(error: unknown): void {
    if (!this.#left.aborted)
      this.#dispatch({ type: "noticed", notice: notLoaded(failureOf(error), Date.now()) });
  }
}
