/** Runs one conversation: what the reducer of chat-state.ts shows is driven from here. */
import { useCallback, useEffect, useReducer, useRef } from "react";
import { streamTurn } from "./api.ts";
import { emptyChat, reduceChat, type ChatMessage, type ChatState, type Dispatch } from "./chat-state.ts";
import { beginConversation } from "./keep.ts";
import { KeptThread } from "./kept-thread.ts";
import { runTurn, type RunningTurn, stopOnServer } from "./run-turn.ts";
import { judgeSend } from "./send-rules.ts";
import { watchTurns, type WatchedTurn } from "./watch-turns.ts";

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
export function useChat(token: string, conversation: string, model: string, onSaved: () => void): Chat {
  const [state, dispatch] = useReducer(reduceChat, emptyChat);
  const turn = useRef<RunningTurn | null>(null);
  const sentAtMs = useRef<number[]>([]);
  const thread = useRef<KeptThread | null>(null);
  /** Turns that were asked here: what the watch tells of them is known. */
  const own = useRef(new Set<string>());

  useEffect(() => {
    const leaving = new AbortController();
    const opened = new KeptThread(token, conversation, leaving.signal, dispatch, onSaved);
    thread.current = opened;
    const leave = (): void => turn.current?.abort.abort();
    window.addEventListener("pagehide", leave);
    dispatch({ type: "cleared" });
    void opened.begun().then(() =>
      watchTurns(token, conversation, leaving.signal, {
        isOwn: (responseId) => turn.current !== null || own.current.has(responseId),
        turn: (watched) => follow(watched, turn, dispatch),
        saved: () => opened.refresh(),
      }),
    );
    return () => {
      leaving.abort();
      window.removeEventListener("pagehide", leave);
      leave();
      turn.current = null;
    };
  }, [token, conversation, onSaved]);

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
      const behind = instead?.behind;
      const asked = { token, conversation, model, text: verdict.text, behind };
      const events = streamTurn(asked, running.abort.signal);
      const sent = { text: verdict.text, ...(instead === null ? {} : { insteadOf: instead.id }) };
      void runTurn(events, sent, token, running, dispatch).finally(() => {
        if (turn.current === running) turn.current = null;
        // A turn that was refused has left no trace.
        if (running.responseId === null) return;
        own.current.add(running.responseId);
        void thread.current?.refreshWhenSaved();
      });
      return true;
    },
    [token, conversation, model],
  );

  const stop = useCallback(() => {
    const running = turn.current;
    if (running === null) return;
    running.stopAsked = true;
    dispatch({ type: "stop-asked" });
    stopOnServer(token, running, dispatch);
  }, [token]);

  return {
    state,
    setDraft: (text) => dispatch({ type: "draft-changed", text }),
    send: (text) => start(text ?? state.draft, null),
    tryAgain: () => start(state.unsent?.text ?? state.draft, state.unsent?.insteadOf ?? null),
    askAnew: (message, text) => start(text, message),
    showVersion: (branch) => {
      if (turn.current === null) void thread.current?.choose(branch);
    },
    showEarlier: () => void thread.current?.loadEarlier(),
    stop,
    dismiss: () => dispatch({ type: "noticed", notice: null }),
  };
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
