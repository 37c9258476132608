/**
 * Runs one conversation, outside React: loads and watches its saved messages, asks, stops, and tells the reducer of chat-state.ts
 * what happens. One turn at a time, on whichever device it was asked.
 */
import { areFilesGone, notLoaded, unreachable } from "./advice.ts";
import { ApiError, streamTurn, type TurnEvent } from "./api.ts";
import type { ChatMessage, Dispatch, Rest } from "./chat-state.ts";
import { whoIs } from "./credential.ts";
import { drafts } from "./drafts.ts";
import { failureOf } from "./failure-notice.ts";
import type { FilesOfChat } from "./files/files-of-chat.ts";
import { beginConversation, isUnused } from "./keep.ts";
import type { KeptThread } from "./kept-thread.ts";
import { runTurn, type RunningTurn, stopOnServer } from "./run-turn.ts";
import { type SendKeys, sendKeysOf } from "./send-keys.ts";
import { judgeSend } from "./send-rules.ts";
import { keepInHistory } from "./use-open-chat.ts";
import type { WatchedTurn } from "./watch-turns.ts";

/** The part of a chat's files that a question needs. */
export type FilesOfQuestion = Pick<
  FilesOfChat,
  "storeIds" | "pictures" | "asked" | "refused" | "gone" | "lookAgain"
>;

export interface ChatRunOptions {
  readonly token: string;
  readonly conversation: string;
  readonly files: FilesOfQuestion;
  readonly dispatch: Dispatch;
  /** A turn was saved, or its title made, so the list of conversations must be read again. */
  readonly onSaved: () => void;
  /** Loads the code for saved chats (kept-code.ts), as `LateCode.until`. */
  readonly keptCode: (
    leaving: AbortSignal,
    lost: () => void,
  ) => Promise<Pick<typeof import("./kept-chats.ts"), "KeptThread" | "watchTurns"> | null>;
}

export class ChatRun {
  readonly #options: ChatRunOptions;
  readonly #keys: SendKeys;
  #turn: RunningTurn | null = null;
  #sentAtMs: readonly number[] = [];
  #thread: KeptThread | null = null;
  /** The same, once its code is loaded; `null`: the chat was left before. */
  #opening: Promise<KeptThread | null> = Promise.resolve(null);
  /** Turns asked here: the watch's events about them are already known. */
  #own = new Set<string>();

  constructor(options: ChatRunOptions) {
    this.#options = options;
    this.#keys = sendKeysOf(whoIs(options.token), options.conversation);
  }

  /** The chat is on screen. Returns the function that leaves it. */
  open(): () => void {
    const { conversation, dispatch } = this.#options;
    const leaving = new AbortController();
    // How earlier turns ended is not known here: they are shown like those of other devices.
    this.#own = new Set();
    this.#thread = null;
    const leave = (): void => this.#turn?.abort.abort();
    window.addEventListener("pagehide", leave);
    dispatch({ type: "cleared" });
    const isNew = isUnused(conversation);
    if (!isNew) dispatch({ type: "restore-started" });
    this.#opening = this.#openKept(leaving.signal, isNew);
    return () => {
      leaving.abort();
      window.removeEventListener("pagehide", leave);
      if (this.#turn?.responseId === null) this.#turn.left = true;
      else leave();
      this.#turn = null;
    };
  }

  async #openKept(leaving: AbortSignal, isNew: boolean): Promise<KeptThread | null> {
    const { token, conversation, dispatch, files, onSaved, keptCode } = this.#options;
    let isLate = false;
    const code = await keptCode(leaving, () => {
      isLate = true;
      if (isNew) return;
      dispatch({ type: "restored", messages: [], hasEarlier: false });
      dispatch({ type: "noticed", notice: notLoaded(unreachable, Date.now()) });
    });
    if (code === null) return null;
    const show: Dispatch = (event) => {
      if (event.type === "refreshed" || event.type === "restored")
        this.#keys.shown(event.messages.findLast(({ role }) => role === "user")?.text);
      dispatch(event);
    };
    const opened = new code.KeptThread(token, conversation, leaving, show, onSaved);
    this.#thread = opened;
    const watching = {
      isOwn: (responseId: string) => this.#turn !== null || this.#own.has(responseId),
      turn: async (watched: WatchedTurn) => {
        this.#keys.shown(watched.text);
        opened.goesOn();
        await this.#follow(watched);
        opened.goesOn();
        void files.lookAgain();
      },
      begun: () => opened.lookAgain(),
      saved: (what: "turn" | "anything") => opened.refresh(what === "turn"),
      deleted: () => opened.deleted(),
      refused: (error: unknown) => opened.refused(error),
    };
    // If the items came too late, they are shown when the watch begins: a message may have been sent since.
    const shown = isLate && !isNew ? Promise.resolve(false) : opened.begun(isNew);
    void shown.then((isShown) => code.watchTurns(token, conversation, leaving, watching, isShown));
    return opened;
  }

  /** @param instead a message of the user to ask again, as another version; `null`: a new message. Returns `false`: not possible now. */
  ask(given: string, instead: ChatMessage | Rest | null, model: string): boolean {
    const { token, conversation, dispatch, files, onSaved } = this.#options;
    if (this.#turn !== null) return false;
    const verdict = judgeSend(given, this.#sentAtMs, Date.now());
    if (!verdict.send) {
      dispatch({
        type: "noticed",
        notice: { kind: "error", title: "Not sent", advice: verdict.why, retry: false },
      });
      return false;
    }
    this.#sentAtMs = [...this.#sentAtMs.slice(-20), Date.now()];
    const running: RunningTurn = { abort: new AbortController(), responseId: null, stopAsked: false };
    this.#turn = running;
    beginConversation(conversation);
    keepInHistory(conversation);
    const { text } = verdict;
    // The message follows what is on screen, even if another tab has chosen another branch since.
    const version = instead === "rest" ? null : instead;
    const behind = version === null ? (this.#thread?.branch ?? undefined) : version.behind;
    const stores = files.storeIds();
    // Attached pictures belong to the next typed message.
    const pictures = instead === null ? files.pictures() : (version?.pictures ?? []);
    const chosen = JSON.stringify([conversation, model, text, version?.behind, stores, pictures]);
    const asked = {
      token,
      conversation,
      model,
      text,
      pictures,
      stores,
      ...this.#keys.sendingOf(text, chosen, behind),
    };
    this.#thread?.goesOn();
    const events = fromFiles(
      streamTurn(asked, running.abort.signal),
      instead === null ? pictures : null,
      files,
    );
    const sent = {
      text,
      ...(pictures.length === 0 ? {} : { pictures }),
      ...(version === null ? {} : { insteadOf: version.id }),
      asksRest: instead === "rest",
    };
    void runTurn(events, sent, token, running, dispatch).finally(() => {
      if (this.#turn === running) this.#turn = null;
      if (running.unanswered === true) void this.#opening.then((kept) => kept?.mayBeSaid());
      else this.#keys.answered();
      // A refused turn leaves no trace.
      if (running.responseId === null) {
        if (running.left === true) drafts.giveBack(whoIs(token), conversation, text);
        return;
      }
      this.#own.add(running.responseId);
      void this.#opening.then((kept) => {
        kept?.goesOn();
        // The chat was left, but should still be listed.
        return kept === null ? onSaved() : kept.refreshWhenSaved();
      });
    });
    return true;
  }

  stop(): void {
    const running = this.#turn;
    // Only once: a held key repeats thirty times a second.
    if (running === null || running.stopAsked) return;
    running.stopAsked = true;
    this.#options.dispatch({ type: "stop-asked" });
    stopOnServer(this.#options.token, running, this.#options.dispatch);
  }

  showVersion(branch: string): void {
    if (this.#turn === null) void this.#thread?.choose(branch);
  }

  showEarlier(): void {
    void this.#thread?.loadEarlier();
  }

  /** Shows a turn of another device, or of this one before a reload, as it is written. It can be stopped from here, too. */
  async #follow(watched: WatchedTurn): Promise<void> {
    const running: RunningTurn = {
      abort: new AbortController(),
      responseId: watched.responseId,
      stopAsked: false,
    };
    this.#turn = running;
    try {
      const sent = { text: watched.text, watched: true };
      await runTurn(watched.events, sent, "", running, this.#options.dispatch);
    } finally {
      if (this.#turn === running) this.#turn = null;
    }
  }
}

/**
 * Tells the chat's files what happens to a question that is asked with them.
 * @param pictures of a new message; `null`: an earlier message with its own pictures
 */
async function* fromFiles(
  events: AsyncIterable<TurnEvent>,
  pictures: readonly string[] | null,
  files: FilesOfQuestion,
): AsyncGenerator<TurnEvent> {
  /** Accepted and removed from the field, but without any answer yet. */
  let taken = false;
  try {
    for await (const event of events) {
      taken = event.type === "started" && pictures !== null;
      if (event.type === "started" && pictures !== null) files.asked(pictures);
      yield event;
    }
  } catch (error) {
    // After a lost connection the turn continues, with its pictures.
    if (taken && failureOf(error).status !== 0) files.refused();
    if (error instanceof ApiError && areFilesGone(error.failure)) files.gone();
    throw error;
  }
}
