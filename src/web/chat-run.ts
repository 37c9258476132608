/**
 * Runs one conversation, outside of React: opens and watches what the server keeps of it, asks, stops, and tells the reducer of
 * chat-state.ts what happens. One turn at a time, whoever has asked it.
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

/** Of a chat's files, what a question has to do with them. */
export type FilesOfQuestion = Pick<
  FilesOfChat,
  "storeIds" | "pictures" | "asked" | "refused" | "gone" | "lookAgain"
>;

export interface ChatRunOptions {
  readonly token: string;
  readonly conversation: string;
  readonly files: FilesOfQuestion;
  readonly dispatch: Dispatch;
  /** A turn was saved, or its title made: whoever lists conversations looks again. */
  readonly onSaved: () => void;
  /** The code for what the server keeps (kept-code.ts): as `LateCode.until` has it. */
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
  /** The same, once its code is there; `null`: the chat was left before. */
  #opening: Promise<KeptThread | null> = Promise.resolve(null);
  /** Turns that were asked here: what the watch tells of them is known. */
  #own = new Set<string>();

  constructor(options: ChatRunOptions) {
    this.#options = options;
    this.#keys = sendKeysOf(whoIs(options.token), options.conversation);
  }

  /** It is on screen. Returns how it is left. */
  open(): () => void {
    const { conversation, dispatch } = this.#options;
    const leaving = new AbortController();
    // Nothing is known here of how the turns before ended: they are shown as any other's.
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
    // What came too late to be shown in time is shown when the watch begins: something may have been sent since.
    const shown = isLate && !isNew ? Promise.resolve(false) : opened.begun(isNew);
    void shown.then((isShown) => code.watchTurns(token, conversation, leaving, watching, isShown));
    return opened;
  }

  /** @param instead a message of the user's, to be asked anew: a version beside it; `null`: a new one. `false`: not now. */
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
    // What is answered is what is on screen, whichever branch another tab has chosen since.
    const version = instead === "rest" ? null : instead;
    const behind = version === null ? (this.#thread?.branch ?? undefined) : version.behind;
    const stores = files.storeIds();
    // What is attached is for a message that is still to be typed.
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
      // A turn that was refused has left no trace.
      if (running.responseId === null) {
        if (running.left === true) drafts.giveBack(whoIs(token), conversation, text);
        return;
      }
      this.#own.add(running.responseId);
      void this.#opening.then((kept) => {
        kept?.goesOn();
        // The chat was left, but is to be listed all the same.
        return kept === null ? onSaved() : kept.refreshWhenSaved();
      });
    });
    return true;
  }

  stop(): void {
    const running = this.#turn;
    // Once: a key that is held down asks thirty times a second.
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

  /** A turn of another device, or of this one before a reload: shown as it is written, and stopped from here as well. */
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
 * Tells the chat's files what becomes of a question that is asked with them.
 * @param pictures of a new message; `null`: it is asked anew, with what it had
 */
async function* fromFiles(
  events: AsyncIterable<TurnEvent>,
  pictures: readonly string[] | null,
  files: FilesOfQuestion,
): AsyncGenerator<TurnEvent> {
  /** Taken out of the field, and not answered by a word yet. */
  let taken = false;
  try {
    for await (const event of events) {
      taken = event.type === "started" && pictures !== null;
      if (event.type === "started" && pictures !== null) files.asked(pictures);
      yield event;
    }
  } catch (error) {
    // A turn that only lost its reader goes on: its pictures are in it.
    if (taken && failureOf(error).status !== 0) files.refused();
    if (error instanceof ApiError && areFilesGone(error.failure)) files.gone();
    throw error;
  }
}
