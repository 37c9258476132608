/** The vector store of one chat: created with its first file, created again if it has expired, and named in the conversation's metadata. */
import { ApiError } from "../api.ts";
import { isUnused } from "../keep.ts";
import { isFull } from "./file-problem.ts";
import { deleteStore, isMissing, makeStore, sayStore, sweepStores } from "./files-api.ts";
import { forgetStore, notSaidStore, rememberStore, storeOfChat } from "./store-of-chat.ts";

export class ChatStore {
  readonly #conversation: string;
  readonly #token: () => string;
  #id: string | null = null;
  /** A store that no longer exists; the metadata names it until there is another. */
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

  /** Files attached at the same moment share one store. */
  async ready(): Promise<string> {
    if (this.#id !== null) return this.#id;
    this.#making ??= this.#make().finally(() => {
      this.#making = null;
    });
    return this.#making;
  }

  /** Puts something into the store, or into a new one if it is gone. */
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

  /** Names the store in the conversation's metadata, if the conversation exists. Until then the browser remembers it. */
  async say(): Promise<void> {
    const id = this.#id;
    if (id === null || notSaidStore(this.#conversation) !== id || isUnused(this.#conversation)) return;
    try {
      if (await sayStore(this.#token(), this.#conversation, id)) forgetStore(this.#conversation);
    } catch (error) {
      // It is tried again with the next turn, or when the chat is opened again.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** Deletes the empty store of a chat that was never begun. If that fails, it expires. */
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

  /** If there are too many stores, deletes expired ones and tries again. */
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
    // Another tab may have created one since.
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
