/** The vector store of one chat: made with its first file, made anew where it has expired, and said in the conversation's metadata. */
import { ApiError } from "../api.ts";
import { isUnused } from "../keep.ts";
import { isFull } from "./file-problem.ts";
import { deleteStore, isMissing, makeStore, sayStore, sweepStores } from "./files-api.ts";
import { forgetStore, notSaidStore, rememberStore, storeOfChat } from "./store-of-chat.ts";

export class ChatStore {
  readonly #conversation: string;
  readonly #token: () => string;
  #id: string | null = null;
  /** One that is there no more: its id stands in the metadata until there is another. */
  #gone: string | null = null;
  #making: Promise<string> | null = null;

  constructor(conversation: string, token: () => string) {
    this.#conversation = conversation;
    this.#token = token;
  }

  get id(): string | null {
    return this.#id;
  }

  use(storeId: string): void {
    this.#id = storeId;
  }

  gone(storeId: string): void {
    this.#gone = storeId;
    if (this.#id === storeId) this.#id = null;
    if (notSaidStore(this.#conversation) === storeId) forgetStore(this.#conversation);
  }

  /** Files that are attached at the same moment lie in the same one. */
  async ready(): Promise<string> {
    if (this.#id !== null) return this.#id;
    this.#making ??= this.#make().finally(() => {
      this.#making = null;
    });
    return this.#making;
  }

  /** Puts something into the store; where that has gone meanwhile, into a new one. */
  async takes<Value>(
    storeId: string,
    put: (storeId: string) => Promise<Value>,
  ): Promise<{ readonly storeId: string; readonly value: Value }> {
    try {
      return { storeId, value: await put(storeId) };
    } catch (error) {
      if (!isStoreGone(error)) throw error;
      if (this.#id === storeId) this.gone(storeId);
      const another = await this.ready();
      return { storeId: another, value: await put(another) };
    }
  }

  /** Tells the conversation, where there is one by now. Until it is told the browser remembers. */
  async say(): Promise<void> {
    const id = this.#id;
    if (id === null || notSaidStore(this.#conversation) !== id || isUnused(this.#conversation)) return;
    try {
      if (await sayStore(this.#token(), this.#conversation, id)) forgetStore(this.#conversation);
    } catch (error) {
      // It is told with the next turn, or when the chat is opened again.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Nothing is in it any more, and of a chat that was not begun nobody else knows. What can't be deleted now goes by its time. */
  async drop(): Promise<void> {
    const id = this.#id;
    if (id === null || !isUnused(this.#conversation)) return;
    this.#id = null;
    forgetStore(this.#conversation);
    try {
      await deleteStore(this.#token(), id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Where there are too many stores already, those whose time is over make room. */
  async #makeRoom(make: () => Promise<string>): Promise<string> {
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof ApiError) || !isFull(error.failure)) throw error;
      if ((await sweepStores(this.#token())) === 0) throw error;
      return make();
    }
  }

  async #make(): Promise<string> {
    // Another tab may have made one since.
    const there = await storeOfChat(this.#token(), this.#conversation);
    if (there !== null && there !== this.#gone) {
      this.#id = there;
      return there;
    }
    const id = await this.#makeRoom(async () => makeStore(this.#token(), this.#conversation));
    this.#id = id;
    rememberStore(this.#conversation, id);
    await this.say();
    return id;
  }
}

/** 404 without a field's name: the store, not the file. 409: it has expired. */
function isStoreGone(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.failure.status === 409 || (isMissing(error) && error.failure.param === undefined))
  );
}
