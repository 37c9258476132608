/** A conversation as the server keeps it: loaded page by page, looked at again when something was saved. */
import { notLoaded } from "./advice.ts";
import { failureOf } from "./failure-notice.ts";
import type { Dispatch, Notice } from "./chat-state.ts";
import { chooseBranch, loadBranches, loadItems, type Page } from "./conversations-api.ts";
import { keepShown } from "./keep-shown.ts";
import { pause, retryPauseMs } from "./retry-pause.ts";
import { threadOf, type ThreadItem } from "./thread.ts";

/** How often it is looked whether a turn that ended is saved, where nobody tells it: ms between. */
const savedLooksMs = [300, 1000, 3000];

/** Items that are read at once, as many as the API gives. */
const page = 100;
/**
 * Of a thread that is on screen, behind a turn: it has brought two. All of them each time, with the pictures that were shown the
 * model, would be megabytes a turn.
 */
const latest = 10;

/** Its words are nowhere any more: the model knows nothing of them. */
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
  /** Whether there are more before them. */
  #hasEarlier = false;
  #looking = 0;
  /** Reads are numbered as they are begun. */
  #begun = 0;
  #shown = 0;
  #branch: string | null = null;
  /** The credential has ended: nothing will be read again. */
  #refused = false;
  /** Of a new chat: something is said in it, and was shown, or may be there to be shown. */
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
   * Resolves once there is such a conversation: whether what is in it could be shown.
   * @param isNew nothing had been said in it when it was opened
   */
  async begun(isNew: boolean): Promise<boolean> {
    if (isNew) return this.#said.promise;
    return this.#show("restored", null);
  }

  /** The branch whose end is on screen, and nothing behind it; `null`: that is not known. */
  get branch(): string | null {
    return this.#branch;
  }

  /** A turn is shown behind what was read. */
  goesOn(): void {
    this.#branch = null;
  }

  /** Nobody knows whether a question that was asked here has arrived: its turn would be another's to be watched. */
  mayBeSaid(): void {
    this.#said.resolve(false);
  }

  /** By somebody else. What is written here at the moment stays until it has ended. */
  deleted(): void {
    this.#items = [];
    this.#branch = null;
    this.#dispatch({ type: "refreshed", messages: [], join: keepShown, hasEarlier: false });
    this.#dispatch({ type: "noticed", notice: deletedElsewhere });
    this.#onSaved();
  }

  /** What a watch could not be had for. */
  refused(error: unknown): void {
    this.#refused = true;
    this.#fail(error);
  }

  /** The watch has begun. What was saved between the reading that is on screen and that moment, it does not tell of. */
  async lookAgain(): Promise<void> {
    this.#looking += 1;
    await this.#show("refreshed", null, { quietly: true, isTurn: true, unless: this.#items.at(-1)?.id });
  }

  /** @param isTurn what has changed is a turn, which is at the end; else it may be anything */
  async refresh(isTurn = false): Promise<void> {
    this.#looking += 1;
    await this.#show("refreshed", null, { quietly: false, isTurn });
    this.#onSaved();
  }

  /** The end of a turn comes a moment before it is saved. The watch tells of that, too; whichever is first. */
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
      // The chat was left, but is to be listed all the same.
      if (this.#left.aborted) return this.#onSaved();
      if (looking !== this.#looking) return;
      looks += 1;
      // Without a connection it is tried on and on, and said once: by the turn that broke off.
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
   * Whether it could be had.
   * @param how.unless the last item: where it is still that one, what is on screen is more than what is saved, and stays
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
      // What was asked for later is newer; and earlier messages go before those that they were asked for, once.
      if (mine < this.#shown || (before !== null && this.#items[0]?.id !== before)) return true;
      if (how.quietly && page.entries.at(-1)?.id === how.unless) return true;
      this.#shown = mine;
      this.#take(page, before !== null);
      // Read side by side: where they are not of one moment, nobody knows whose items these are.
      const active = branches.find((branch) => branch.active);
      const isItsEnd = active !== undefined && active.last === (this.#items.at(-1)?.id ?? null);
      this.#branch = isItsEnd ? active.id : null;
      const messages = threadOf(this.#items, branches, this.#hasEarlier);
      this.#dispatch({ type, messages, join: keepShown, hasEarlier: this.#hasEarlier });
      // One that the server has named is not begun by a message: deleted while nobody watched, it takes none.
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

  /** With the pictures that were shown the model it may be megabytes: what does not come in time comes in smaller portions. */
  async #page(before: string | null): Promise<Page<ThreadItem>> {
    try {
      return await loadItems(this.#token, this.#conversation, before, page);
    } catch (error) {
      if (failureOf(error).status !== 0 || this.#left.aborted) throw error;
      return loadItems(this.#token, this.#conversation, before, latest);
    }
  }

  /** As many as follow on those that are known, where a few do. */
  async #latest(): Promise<Page<ThreadItem>> {
    const few = await loadItems(this.#token, this.#conversation, null, latest);
    const first = few.entries[0]?.id;
    return !few.hasMore || this.#items.some(({ id }) => id === first) ? few : this.#page(null);
  }

  /** The latest items leave those before them that were loaded, where they follow on them: an item has one before it in every branch. */
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
