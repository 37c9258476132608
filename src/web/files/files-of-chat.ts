/**
 * The files of one chat, whether or not the code that handles them is loaded, which most chats never need. Like a draft it outlives the
 * chat's view as long as a file was not used in a question, so that it is still there after a look at another chat.
 */
import { ApiError } from "../api.ts";
import { isForGood } from "../failure-notice.ts";
import { isUnused } from "../keep.ts";
import { loadAgain } from "../load-again.ts";
import { pause, retryPauseMs } from "../retry-pause.ts";
import {
  isOnItsWay,
  noFiles,
  picturesOf,
  type Desk,
  type DeskModule,
  type FileBarProps,
  type FilesView,
} from "./chat-file.ts";
import { storeOfChat } from "./store-of-chat.ts";
import type { ReactNode } from "react";

/** Its file is unreachable, or was replaced by a newer version's. */
export const filesNotLoaded =
  "The part of this page that handles files could not be loaded. Check your connection and try again; if that does not help, reload the page.";

export interface FilesShown extends FilesView {
  /** Whether the chat's files are known. */
  readonly known: boolean;
  /** `null`: nothing to show yet. */
  readonly FileBar: ((props: FileBarProps) => ReactNode) | null;
}

export class FilesOfChat {
  readonly #conversation: string;
  readonly #load: () => Promise<DeskModule>;
  readonly #listeners = new Set<() => void>();
  #token: string;
  #shown: FilesShown;
  #desk: Desk | null = null;
  #loading: Promise<Desk> | null = null;
  #stopped = false;

  /** @param load loads the code that handles files; called again at each attempt, since it may fail */
  constructor(conversation: string, token: string, load: () => Promise<DeskModule>) {
    this.#conversation = conversation;
    this.#token = token;
    this.#load = load;
    this.#shown = { ...noFiles, known: isUnused(conversation), FileBar: null };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly shown = (): FilesShown => this.#shown;

  signedIn(token: string): void {
    this.#token = token;
  }

  /** Finds the chat's files. Repeated until it succeeds, since a question asked without its files would get a wrong answer. */
  async look(leaving: AbortSignal): Promise<void> {
    for (let failures = 1; !this.#shown.known && !leaving.aborted; failures += 1) {
      if (await this.#looked()) return this.#show({ known: true });
      await pause(retryPauseMs(failures, Math.random()), leaving);
    }
  }

  /** Another device has written in the chat, maybe with files. */
  async lookAgain(): Promise<void> {
    if (this.#shown.known && !this.#shown.files.some(({ sent }) => !sent)) await this.#looked();
  }

  /** @param seen whether a model accepts pictures */
  async add(files: readonly File[], seen: boolean): Promise<void> {
    if (files.length === 0) return;
    const { refused } = this.#shown;
    if (refused !== null) return this.#show({ note: refused });
    const desk = await this.#desked();
    desk?.add(files, seen);
  }

  readonly remove = (key: string): void => void this.#desk?.remove(key);
  readonly retry = (key: string): void => this.#desk?.retry(key);
  readonly dismiss = (): void => {
    this.#desk?.dismiss();
    this.#show({ note: null });
  };

  storeIds(): readonly string[] {
    return this.#desk?.storeIds() ?? [];
  }

  pictures(): readonly string[] {
    return picturesOf(this.#shown);
  }

  asked(pictures: readonly string[]): void {
    this.#desk?.asked(pictures);
  }

  refused(): void {
    this.#desk?.refused();
  }

  async saved(): Promise<void> {
    await this.#desk?.saved();
  }

  /** A question was refused because its store no longer exists: the next one is asked without it. */
  gone(): void {
    this.#desk?.gone();
  }

  /** Whether dropping it would lose something. */
  get isWanted(): boolean {
    return this.#shown.files.some((file) => !file.sent || isOnItsWay(file));
  }

  stop(): void {
    this.#stopped = true;
    this.#desk?.stop();
  }

  /** Whether the search is over: the files are known, or never will be. */
  async #looked(): Promise<boolean> {
    try {
      const storeId = await storeOfChat(this.#token, this.#conversation);
      if (storeId === null) return true;
      const desk = await this.#desked();
      await desk?.open(storeId);
      return desk !== null;
    } catch (error) {
      return error instanceof ApiError && isForGood(error.failure.status);
    }
  }

  /** `null`: that code could not be loaded, which is shown. */
  async #desked(): Promise<Desk | null> {
    try {
      const desk = await this.#loaded();
      if (this.#shown.note === filesNotLoaded) this.#show({ note: null });
      return desk;
    } catch {
      this.#show({ note: filesNotLoaded });
      return null;
    }
  }

  async #loaded(): Promise<Desk> {
    this.#loading ??= this.#load().then(
      ({ openDesk, FileBar }) => {
        this.#desk = openDesk({
          conversation: this.#conversation,
          token: () => this.#token,
          show: (change) => this.#show(change),
        });
        if (this.#stopped) this.#desk.stop();
        this.#show({ FileBar });
        return this.#desk;
      },
      (error: unknown) => {
        this.#loading = null;
        throw error;
      },
    );
    return this.#loading;
  }

  #show(change: Partial<FilesShown>): void {
    this.#shown = { ...this.#shown, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** Loads the code that handles and erases files. */
export async function loadDesk(): Promise<typeof import("./desk.ts")> {
  return loadAgain(async () => import("./shown-desk.ts"));
}

const kept = new Map<string, FilesOfChat>();

/** @param who the user: others who sign in on this page don't get them */
export function filesOfChat(who: string, conversation: string, token: string): FilesOfChat {
  const key = JSON.stringify([who, conversation]);
  const known = kept.get(key);
  known?.signedIn(token);
  return known ?? new FilesOfChat(conversation, token, loadDesk);
}

/** The chat is on screen. */
export function keepFiles(who: string, conversation: string, files: FilesOfChat): void {
  kept.set(JSON.stringify([who, conversation]), files);
}

/** The chat has left the screen. */
export function leaveFiles(who: string, conversation: string): void {
  const key = JSON.stringify([who, conversation]);
  if (kept.get(key)?.isWanted === false) kept.delete(key);
}

/** The chat was deleted. */
export function dropFiles(who: string, conversation: string): void {
  const key = JSON.stringify([who, conversation]);
  kept.get(key)?.stop();
  kept.delete(key);
}

/** After signing out nothing continues in the user's name. */
export function dropAllFiles(): void {
  for (const files of kept.values()) files.stop();
  kept.clear();
}
