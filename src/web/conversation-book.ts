/** The user's chats as they are listed: which are there, when answers come late, in another order, or not at all. */
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
  /** What went wrong last; `null`: nothing. */
  readonly problem: string | null;
}

export const noChats: ListedChats = { entries: [], hasMore: false, problem: null };

/** Erases what a chat that is gone has left behind. Resolves whether all of it is gone. */
type Erase = () => Promise<boolean>;

const filesLeft =
  "The chat is deleted, but not all of its files could be. They are erased by themselves 30 days after they were attached.";

export class ConversationBook {
  readonly #token: string;
  readonly #changed: (chats: ListedChats) => void;
  readonly #filesOf: (id: string) => Promise<Erase>;
  /** Of deleted chats, what could not be erased with them. */
  readonly #left = new Map<string, Erase>();
  #chats = noChats;
  /** Lists are numbered as they are asked for; what is done here meanwhile makes one that is under way an old one. */
  #asked = 0;
  #answered = 0;

  /** @param filesOf asked before a chat is deleted, since afterwards nobody knows which files it had; its answer erases them */
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
      // It still has its old name, unless another one was given since.
      this.#name(id, before, title);
      this.#set({ problem: "The name could not be changed." });
    }
  }

  /** Resolves `true` when it is gone. */
  async remove(id: string): Promise<boolean> {
    let erase: Erase | null = null;
    try {
      erase = await this.#filesOf(id);
      await deleteConversation(this.#token, id);
    } catch (error) {
      // Deleted elsewhere before: it is as it was to be.
      if (erase === null || !(error instanceof ApiError) || error.failure.status !== 404) {
        this.#set({ problem: "The chat could not be deleted." });
        return false;
      }
    }
    this.#set({ entries: this.#chats.entries.filter((entry) => entry.id !== id) });
    // The chat is gone, however long its files take.
    void this.#erase(id, erase);
    await this.#loadAnew();
    return true;
  }

  /** All that was said in it. `null`: it could not be had, which is said. */
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
      this.#set({ ...this.#with(page, behind !== null), problem });
    } catch (error) {
      if (mine !== this.#asked) return;
      // The last one was deleted elsewhere: nothing is known to come behind it. What there is is read from its beginning.
      if (behind !== null && error instanceof ApiError && error.failure.status === 400) {
        this.#set({ entries: [], hasMore: false });
        return await this.#load(null);
      }
      this.#set({ problem: "Your chats could not be loaded." });
    }
    if (mine === this.#asked) this.#answered = mine;
  }

  /** The newest leave those that were shown behind them: a chat keeps its place, which is when it was begun. */
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

  /** A list that was asked for before something was done tells what was before. */
  async #loadAnew(): Promise<void> {
    if (this.#answered !== this.#asked) await this.#load(null);
  }

  /** @param given only where it is this one still; `null`: whatever it is */
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
