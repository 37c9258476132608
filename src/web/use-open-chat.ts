/** Which chat is open? The browser's Back and Forward switch between chats, and a reload keeps the chat. */
import { useCallback, useEffect, useState } from "react";
import { isUnused, keepConversation, keptConversation, newConversation } from "./keep.ts";

/** A chat in the browser's history: its name, or `null` for a new one that the server does not know. */
interface Entry {
  readonly chat: string | null;
}

function entryOf(chat: string): Entry {
  return { chat: isUnused(chat) ? null : chat };
}

/** The chat has a first message: from now on Back and Forward lead to it instead of to a new chat. */
export function keepInHistory(chat: string): void {
  history.replaceState(entryOf(chat), "");
}

export interface OpenChat {
  readonly chat: string;
  readonly open: (chat: string) => void;
  readonly startNew: () => void;
  /** The open chat was deleted: nothing leads back to it. */
  readonly replace: () => void;
}

export function useOpenChat(): OpenChat {
  const [chat, setChat] = useState(keptConversation);

  useEffect(() => {
    keepInHistory(keptConversation());
    const go = ({ state }: PopStateEvent): void => {
      // The user added a # to the address, which means no chat.
      if (state === null) return;
      const id = chatIn(state) ?? newConversation();
      if (!isUnused(id)) keepConversation(id);
      setChat(id);
    };
    window.addEventListener("popstate", go);
    return () => window.removeEventListener("popstate", go);
  }, []);

  const open = useCallback((id: string) => {
    keepConversation(id);
    history.pushState(entryOf(id), "");
    setChat(id);
  }, []);
  const startNew = useCallback(() => {
    const id = newConversation();
    // Repeated requests make only one step in the history.
    if (chatIn(history.state) !== null) history.pushState(entryOf(id), "");
    setChat(id);
  }, []);
  const replace = useCallback(() => {
    const id = newConversation();
    keepInHistory(id);
    setChat(id);
  }, []);
  return { chat, open, startNew, replace };
}

function chatIn(state: unknown): string | null {
  const kept = typeof state === "object" && state !== null && "chat" in state ? state.chat : null;
  return typeof kept === "string" ? kept : null;
}
