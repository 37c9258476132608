/** The list of the user's chats, correct even if answers come late, out of order, or not at all. */
import { ApiError } from "./api.ts";
import { loadChat } from "./chat-as-markdown.ts";
import {
  deleteConversation,
  listConversations,
  renameConversation,
  type ListedConversation,
  type Page,
} from "./conversations-api.ts";
import type { ThreadItem } from "./thread.ts";

export interface ListedChats {
  readonly entries: readonly ListedConversation[];
  readonly hasMore: boolean;
  /** Whether the server has told of them: before that, no entries does not mean no chats. */
  readonly isKnown: boolean;
  /** The last error; `null`: none. */
  readonly problem: string | null;
}

export const noChats: ListedChats = { entries: [], hasMore: false, isKnown: false, problem: null };

/** Erases the files of a deleted chat. Resolves with whether all are gone. */
type Erase = () => Promise<boolean>;

const filesLeft =
  "The chat is deleted, but not all of its files could be. They are erased by themselves 30 days after they were attached.";

export class ConversationBook {
  readonly #token: string;
  readonly #changed: (chats: ListedChats) => void;
  readonly #filesOf: (id: string) => Promise<Erase>;
  /** Files of deleted chats that could not be erased yet. */
  readonly #left = new Map<string, Erase>();
  #chats = noChats;
  /** Requests for lists are numbered. Any change here makes a pending one outdated. */
  #asked = 0;
  #answered = 0;

  /** @param filesOf called before a chat is deleted, since its files can't be found afterwards; its result erases them */
  constructor(token: string, changed: (chats: ListedChats) => void, filesOf: (id: string) => Promise<Erase>) {
    this.#token = token;
    this.#changed = changed;
    this.#filesOf = filesOf;
  }

  async refresh(): Promise<void> {
    for (const [id, erase] of this.#left) void this.#erase(id, erase);
    await this.#load(null);
  }

  async showMore(): Promise<void> {
    await this.#load(this.#chats.entries.at(-1)?.id ?? null);
  }

  async rename(id: string, title: string): Promise<void> {
    const before = this.#chats.entries.find((entry) => entry.id === id)?.title ?? null;
    this.#name(id, title, null);
    try {
      await renameConversation(this.#token, id, title);
      await this.#loadAnew();
    } catch {
      // Restores the old name, unless the chat was renamed again.
      this.#name(id, before, title);
      this.#set({ problem: "The name could not be changed." });
    }
  }

  /** Resolves with `true` when it is deleted. */
  async remove(id: string): Promise<boolean> {
    let erase: Erase | null = null;
    try {
      erase = await this.#filesOf(id);
      await deleteConversation(this.#token, id);
    } catch (error) {
      // Already deleted elsewhere, which is fine.
      if (erase === null || !(error instanceof ApiError) || error.failure.status !== 404) {
        this.#set({ problem: "The chat could not be deleted." });
        return false;
      }
    }
    this.#set({ entries: this.#chats.entries.filter((entry) => entry.id !== id) });
    // The chat is deleted; its files may take longer.
    void this.#erase(id, erase);
    await this.#loadAnew();
    return true;
  }

  /** All its items. `null`: they could not be loaded, and an error is shown. */
  async chat(id: string): Promise<readonly ThreadItem[] | null> {
    try {
      return await loadChat(this.#token, id);
    } catch {
      this.#set({ problem: "The chat could not be downloaded." });
      return null;
    }
  }

  async #erase(id: string, erase: Erase): Promise<void> {
    if (await erase()) this.#left.delete(id);
    else this.#left.set(id, erase);
    if (this.#left.size > 0) this.#set({ problem: filesLeft });
    else if (this.#chats.problem === filesLeft) this.#set({ problem: null });
  }

  async #load(behind: string | null): Promise<void> {
    this.#asked += 1;
    const mine = this.#asked;
    try {
      const page = await listConversations(this.#token, behind);
      if (mine !== this.#asked) return;
      const problem = this.#left.size > 0 ? filesLeft : null;
      this.#set({ ...this.#with(page, behind !== null), isKnown: true, problem });
    } catch (error) {
      if (mine !== this.#asked) return;
      // The last one was deleted elsewhere, so the list can't continue after it. Read it from the beginning.
      if (behind !== null && error instanceof ApiError && error.failure.status === 400) {
        this.#set({ entries: [], hasMore: false });
        return await this.#load(null);
      }
      this.#set({ problem: "Your chats could not be loaded." });
    }
    if (mine === this.#asked) this.#answered = mine;
  }

  /** A page of the newest keeps the older ones already shown: chats stay in the order in which they were begun. */
  #with(page: Page<ListedConversation>, isMore: boolean): Pick<ListedChats, "entries" | "hasMore"> {
    const { entries, hasMore } = this.#chats;
    const known = new Set(page.entries.map(({ id }) => id));
    if (isMore)
      return {
        entries: [...entries.filter(({ id }) => !known.has(id)), ...page.entries],
        hasMore: page.hasMore,
      };
    const last = entries.findIndex(({ id }) => id === page.entries.at(-1)?.id);
    if (!page.hasMore || last === -1) return page;
    const behind = entries.slice(last + 1).filter(({ id }) => !known.has(id));
    return { entries: [...page.entries, ...behind], hasMore: behind.length === 0 ? page.hasMore : hasMore };
  }

  /** Loads the list again, since a list requested before a change is outdated. */
  async #loadAnew(): Promise<void> {
    if (this.#answered !== this.#asked) await this.#load(null);
  }

  /** @param given only if this is still its name; `null`: in any case */
  #name(id: string, title: string | null, given: string | null): void {
    this.#set({
      entries: this.#chats.entries.map((entry) =>
        entry.id === id && (given === null || entry.title === given) ? { ...entry, title } : entry,
      ),
    });
  }

  #set(change: Partial<ListedChats>): void {
    this.#chats = { ...this.#chats, ...change };
    this.#changed(this.#chats);
  }
}
