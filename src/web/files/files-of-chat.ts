/**
 * The files of one chat before, and whether or not, the code that handles them is loaded: most chats have none. It outlives the view of
 * the chat as long as there is a file that was not asked with, as a draft does: whoever looks into another chat finds it where he left it.
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

/** Its file is out of reach, or was replaced by a newer page's. */
export const filesNotLoaded =
  "The part of this page that handles files could not be loaded. Check your connection and try again; if that does not help, reload the page.";

export interface FilesShown extends FilesView {
  /** Whether it is known which files the chat has. */
  readonly known: boolean;
  /** `null`: there is nothing to show yet. */
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

  /** @param load the code that handles files: anew at each try, since it may be out of reach */
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

  /** Which files has it? Asked until there is an answer: a question that was asked without its files would be answered wrongly. */
  async look(leaving: AbortSignal): Promise<void> {
    for (let failures = 1; !this.#shown.known && !leaving.aborted; failures += 1) {
      if (await this.#looked()) return this.#show({ known: true });
      await pause(retryPauseMs(failures, Math.random()), leaving);
    }
  }

  /** Somebody else has written in the chat, who may have brought files. */
  async lookAgain(): Promise<void> {
    if (this.#shown.known && !this.#shown.files.some(({ sent }) => !sent)) await this.#looked();
  }

  /** @param seen whether a model here looks at pictures */
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

  /** A question was refused since its store is there no more: the next one is asked without. */
  gone(): void {
    this.#desk?.gone();
  }

  /** Whether something would be lost with it. */
  get isWanted(): boolean {
    return this.#shown.files.some((file) => !file.sent || isOnItsWay(file));
  }

  stop(): void {
    this.#stopped = true;
    this.#desk?.stop();
  }

  /** Whether it is known now, or never will be. */
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

  /** `null`: the file of that code is out of reach, or was replaced by a newer page's, which is said. */
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

/** What handles files, and what erases them. */
export async function loadDesk(): Promise<typeof import("./desk.ts")> {
  return loadAgain(async () => import("./shown-desk.ts"));
}

const kept = new Map<string, FilesOfChat>();

/** @param who nobody else finds them, whoever signs in on this page */
export function filesOfChat(who: string, conversation: string, token: string): FilesOfChat {
  const key = JSON.stringify([who, conversation]);
  const known = kept.get(key);
  known?.signedIn(token);
  return known ?? new FilesOfChat(conversation, token, loadDesk);
}

/** The chat is looked at. */
export function keepFiles(who: string, conversation: string, files: FilesOfChat): void {
  kept.set(JSON.stringify([who, conversation]), files);
}

/** The chat is not looked at any more. */
export function leaveFiles(who: string, conversation: string): void {
  const key = JSON.stringify([who, conversation]);
  if (kept.get(key)?.isWanted === false) kept.delete(key);
}

/** The chat is gone. */
export function dropFiles(who: string, conversation: string): void {
  const key = JSON.stringify([who, conversation]);
  kept.get(key)?.stop();
  kept.delete(key);
}

/** Who signs out leaves nothing behind that goes on in his name. */
export function dropAllFiles(): void {
  for (const files of kept.values()) files.stop();
  kept.clear();
}
