/** The chat on screen: its state (chat-state.ts) and its actions (done by chat-run.ts). */
import { useCallback, useEffect, useMemo, useReducer, useState } from "react";
import { ChatRun } from "./chat-run.ts";
import { emptyChat, reduceChat, type ChatMessage, type ChatState } from "./chat-state.ts";
import { whoIs } from "./credential.ts";
import { drafts } from "./drafts.ts";
import type { FilesOfChat } from "./files/files-of-chat.ts";
import { keptCode } from "./kept-code.ts";

export interface Chat {
  readonly state: ChatState;
  readonly setDraft: (text: string) => void;
  /** Sends `text`, or the draft. */
  readonly send: (text?: string) => void;
  /** Repeats the refused question unchanged. */
  readonly tryAgain: () => void;
  /** Asks a message of the user again, with the same or another text, as another version. Returns `false`: not possible now. */
  readonly askAnew: (message: ChatMessage, text: string) => boolean;
  /** Asks for the rest of an answer that ended early. */
  readonly goOn: () => void;
  readonly showVersion: (branch: string) => void;
  readonly showEarlier: () => void;
  readonly stop: () => void;
  readonly dismiss: () => void;
}

/** Worded like a user's message: the model sees its own answer before it. */
const restAsked = "Go on exactly where you stopped.";

/** @param onSaved called when a turn was saved or its title made, so that the list is read again */
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
  const run = useMemo(
    () =>
      new ChatRun({
        token,
        conversation,
        files,
        dispatch,
        onSaved,
        keptCode: (leaving, lost) => keptCode.until(leaving, lost),
      }),
    [token, conversation, files, onSaved],
  );
  /** How often the browser has restored the page from its back/forward cache. */
  const [returns, setReturns] = useState(0);
  useEffect(() => {
    const comeBack = ({ persisted }: PageTransitionEvent): void => {
      if (persisted) setReturns((before) => before + 1);
    };
    window.addEventListener("pageshow", comeBack);
    return () => window.removeEventListener("pageshow", comeBack);
  }, []);
  useEffect(() => run.open(), [run, returns]);

  const stop = useCallback(() => run.stop(), [run]);
  const askAnew = useCallback(
    (message: ChatMessage, text: string) => run.ask(text, message, model),
    [run, model],
  );
  const goOn = useCallback(() => void run.ask(restAsked, "rest", model), [run, model]);
  const showVersion = useCallback((branch: string) => run.showVersion(branch), [run]);

  return {
    state,
    setDraft: (text) => dispatch({ type: "draft-changed", text }),
    send: (text) => run.ask(text ?? state.draft, null, model),
    tryAgain: () => run.ask(state.unsent?.text ?? state.draft, state.unsent?.insteadOf ?? null, model),
    askAnew,
    goOn,
    showVersion,
    showEarlier: () => run.showEarlier(),
    stop,
    dismiss: () => dispatch({ type: "noticed", notice: null }),
  };
}
