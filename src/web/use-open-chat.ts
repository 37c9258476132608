/** Which chat is open? The browser's Back and Forward go from one to the other, and a reload brings it back. */
import { useCallback, useEffect, useState } from "react";
import { isUnused, keepConversation, keptConversation, newConversation } from "./keep.ts";

/** What the browser's history holds of a chat: its name, or `null` for a new one, of which the server knows nothing. */
interface Entry {
  readonly chat: string | null;
}

function entryOf(chat: string): Entry {
  return { chat: isUnused(chat) ? null : chat };
}

/** Something is said in it: Back and Forward lead to it from now on, and no more to a new one. */
export function keepInHistory(chat: string): void {
  history.replaceState(entryOf(chat), "");
}

export interface OpenChat {
  readonly chat: string;
  readonly open: (chat: string) => void;
  readonly startNew: () => void;
  /** The one that is open is gone: nothing leads back to it. */
  readonly replace: () => void;
}

export function useOpenChat(): OpenChat {
  const [chat, setChat] = useState(keptConversation);

  useEffect(() => {
    keepInHistory(keptConversation());
    const go = ({ state }: PopStateEvent): void => {
      // Somebody wrote a # behind the address: no chat is meant.
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
    // Asked for again and again it is one step back.
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
