/** Runs one conversation: what the reducer of chat-state.ts shows is driven from here. */
import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import { areFilesGone, notLoaded, unreachable } from "./advice.ts";
import { ApiError, streamTurn, type TurnEvent } from "./api.ts";
import { emptyChat, reduceChat, type ChatMessage, type ChatState, type Dispatch } from "./chat-state.ts";
import { whoIs } from "./credential.ts";
import { drafts } from "./drafts.ts";
import { failureOf } from "./failure-notice.ts";
import type { FilesOfChat } from "./files/files-of-chat.ts";
import { beginConversation, isUnused } from "./keep.ts";
import { keptCode } from "./kept-code.ts";
import type { KeptThread } from "./kept-thread.ts";
import { runTurn, type RunningTurn, stopOnServer } from "./run-turn.ts";
import { SendKeys } from "./send-keys.ts";
import { judgeSend } from "./send-rules.ts";
import { keepInHistory } from "./use-open-chat.ts";
import type { WatchedTurn } from "./watch-turns.ts";

export interface Chat {
  readonly state: ChatState;
  readonly setDraft: (text: string) => void;
  /** Sends `text`, or the draft. */
  readonly send: (text?: string) => void;
  /** What was refused, as it was asked. */
  readonly tryAgain: () => void;
  /** Asks a message of the user's anew, with another text or the same: a version beside it. `false`: not now. */
  readonly askAnew: (message: ChatMessage, text: string) => boolean;
  readonly showVersion: (branch: string) => void;
  readonly showEarlier: () => void;
  readonly stop: () => void;
  readonly dismiss: () => void;
}

/** @param onSaved a turn was saved, or its title made: whoever lists conversations looks again */
export function useChat(
  token: string,
  conversation: string,
  model: string,
  files: FilesOfChat,
  onSaved: () => void,
): Chat {
  const who = whoIs(token);
  const [state, dispatch] = useReducer(reduceChat, emptyChat, (empty) => ({
    ...empty,
    draft: drafts.of(who, conversation),
  }));
  useEffect(() => drafts.keep(who, conversation, state.draft), [who, conversation, state.draft]);
  const turn = useRef<RunningTurn | null>(null);
  const sentAtMs = useRef<number[]>([]);
  const thread = useRef<KeptThread | null>(null);
  /** The same, once its code is there; `null`: the chat was left before. */
  const opening = useRef<Promise<KeptThread | null>>(Promise.resolve(null));
  /** Turns that were asked here: what the watch tells of them is known. */
  const own = useRef(new Set<string>());
  const [keys] = useState(() => new SendKeys());
  /** How often the browser has brought the page back as it was left. */
  const [returns, setReturns] = useState(0);

  useEffect(() => {
    const leaving = new AbortController();
    const show: Dispatch = (event) => {
      if (event.type === "refreshed")
        keys.shown(event.messages.findLast(({ role }) => role === "user")?.text);
      dispatch(event);
    };
    // Nothing is known here of how the turns before ended: they are shown as any other's.
    own.current = new Set();
    const leave = (): void => turn.current?.abort.abort();
    const comeBack = ({ persisted }: PageTransitionEvent): void => {
      if (persisted) setReturns((before) => before + 1);
    };
    window.addEventListener("pagehide", leave);
    window.addEventListener("pageshow", comeBack);
    dispatch({ type: "cleared" });
    thread.current = null;
    const isNew = isUnused(conversation);
    if (!isNew) dispatch({ type: "restore-started" });
    let isLate = false;
    const lost = (): void => {
      isLate = true;
      if (isNew) return;
      dispatch({ type: "restored", messages: [], hasEarlier: false });
      dispatch({ type: "noticed", notice: notLoaded(unreachable, Date.now()) });
    };
    opening.current = keptCode.until(leaving.signal, lost).then((code) => {
      if (code === null) return null;
      const opened = new code.KeptThread(token, conversation, leaving.signal, show, onSaved);
      thread.current = opened;
      const watching = {
        isOwn: (responseId: string) => turn.current !== null || own.current.has(responseId),
        turn: async (watched: WatchedTurn) => {
          keys.shown(watched.text);
          opened.goesOn();
          await follow(watched, turn, dispatch);
          opened.goesOn();
          void files.lookAgain();
        },
        saved: (what: "turn" | "anything") => opened.refresh(what === "turn"),
        deleted: () => opened.deleted(),
        refused: (error: unknown) => opened.refused(error),
      };
      // What came too late to be shown in time is shown when the watch begins: something may have been sent since.
      const shown = isLate && !isNew ? Promise.resolve(false) : opened.begun(isNew);
      void shown.then((isShown) => code.watchTurns(token, conversation, leaving.signal, watching, isShown));
      return opened;
    });
    return () => {
      leaving.abort();
      window.removeEventListener("pagehide", leave);
      window.removeEventListener("pageshow", comeBack);
      if (turn.current?.responseId === null) turn.current.left = true;
      else leave();
      turn.current = null;
    };
  }, [token, conversation, files, onSaved, keys, returns]);

  const start = useCallback(
    (given: string, instead: ChatMessage | null): boolean => {
      if (turn.current !== null) return false;
      const verdict = judgeSend(given, sentAtMs.current, Date.now());
      if (!verdict.send) {
        dispatch({
          type: "noticed",
          notice: { kind: "error", title: "Not sent", advice: verdict.why, retry: false },
        });
        return false;
      }
      sentAtMs.current = [...sentAtMs.current.slice(-20), Date.now()];
      const running: RunningTurn = { abort: new AbortController(), responseId: null, stopAsked: false };
      turn.current = running;
      beginConversation(conversation);
      keepInHistory(conversation);
      const { text } = verdict;
      // What is answered is what is on screen, whichever branch another tab has chosen since.
      const behind = instead === null ? (thread.current?.branch ?? undefined) : instead.behind;
      const stores = files.storeIds();
      const pictures = instead === null ? files.pictures() : (instead.pictures ?? []);
      const chosen = JSON.stringify([conversation, model, text, instead?.behind, stores, pictures]);
      const asked = {
        token,
        conversation,
        model,
        text,
        pictures,
        stores,
        ...keys.sendingOf(text, chosen, behind),
      };
      thread.current?.goesOn();
      const events = fromFiles(
        streamTurn(asked, running.abort.signal),
        instead === null ? pictures : null,
        files,
      );
      const sent = {
        text,
        ...(pictures.length === 0 ? {} : { pictures }),
        ...(instead === null ? {} : { insteadOf: instead.id }),
      };
      void runTurn(events, sent, token, running, dispatch).finally(() => {
        if (turn.current === running) turn.current = null;
        if (running.unanswered !== true) keys.answered();
        // A turn that was refused has left no trace.
        if (running.responseId === null) {
          if (running.left === true) drafts.giveBack(who, conversation, text);
          return;
        }
        own.current.add(running.responseId);
        void opening.current.then((kept) => {
          kept?.goesOn();
          // The chat was left, but is to be listed all the same.
          return kept === null ? onSaved() : kept.refreshWhenSaved();
        });
      });
      return true;
    },
    [token, who, conversation, model, files, keys, onSaved],
  );

  const stop = useCallback(() => {
    const running = turn.current;
    // Once: a key that is held down asks thirty times a second.
    if (running === null || running.stopAsked) return;
    running.stopAsked = true;
    dispatch({ type: "stop-asked" });
    stopOnServer(token, running, dispatch);
  }, [token]);

  const askAnew = useCallback((message: ChatMessage, text: string) => start(text, message), [start]);
  const showVersion = useCallback((branch: string) => {
    if (turn.current === null) void thread.current?.choose(branch);
  }, []);

  return {
    state,
    setDraft: (text) => dispatch({ type: "draft-changed", text }),
    send: (text) => start(text ?? state.draft, null),
    tryAgain: () => start(state.unsent?.text ?? state.draft, state.unsent?.insteadOf ?? null),
    askAnew,
    showVersion,
    showEarlier: () => void thread.current?.loadEarlier(),
    stop,
    dismiss: () => dispatch({ type: "noticed", notice: null }),
  };
}

/**
 * Tells the chat's files what becomes of a question that is asked with them.
 * @param pictures of a new message; `null`: it is asked anew, with what it had
 */
async function* fromFiles(
  events: AsyncIterable<TurnEvent>,
  pictures: readonly string[] | null,
  files: FilesOfChat,
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

/** A turn of another device, or of this one before a reload: shown as it is written, and stopped from here as well. */
async function follow(
  watched: WatchedTurn,
  turn: { current: RunningTurn | null },
  dispatch: Dispatch,
): Promise<void> {
  const running: RunningTurn = {
    abort: new AbortController(),
    responseId: watched.responseId,
    stopAsked: false,
  };
  turn.current = running;
  try {
    await runTurn(watched.events, { text: watched.text, watched: true }, "", running, dispatch);
  } finally {
    if (turn.current === running) turn.current = null;
  }
}
