/** The user's conversations for the page: their list and its actions. */
import { useCallback, useEffect, useMemo, useState } from "react";
import { chatAsMarkdown, download, fileNameOf } from "./chat-as-markdown.ts";
import { ConversationBook, noChats, type ListedChats } from "./conversation-book.ts";
import { filesOfDeleted } from "./files/files-of-deleted.ts";

/** The shortest time between reads when the page becomes visible again and again, in milliseconds. */
const restMs = 30_000;

export interface Conversations extends ListedChats {
  readonly refresh: () => void;
  readonly showMore: () => void;
  readonly rename: (id: string, title: string) => void;
  /** Gives its text to the browser as a file. */
  readonly download: (id: string, title: string) => Promise<void>;
  /** Resolves with `true` when it is deleted. */
  readonly remove: (id: string) => Promise<boolean>;
}

/** @param saves counts saves; the list is read again after each */
export function useConversations(token: string, saves: number): Conversations {
  const [chats, setChats] = useState(noChats);
  const book = useMemo(
    () => new ConversationBook(token, setChats, async (id) => filesOfDeleted(token, id)),
    [token],
  );
  const refresh = useCallback(() => void book.refresh(), [book]);
  const showMore = useCallback(() => void book.showMore(), [book]);
  useEffect(refresh, [refresh, saves]);
  useEffect(() => {
    let lookedMs = performance.now();
    const look = (): void => {
      if (document.hidden || performance.now() - lookedMs < restMs) return;
      lookedMs = performance.now();
      void book.refresh();
    };
    // Other tabs and devices create, rename and delete chats, too.
    document.addEventListener("visibilitychange", look);
    window.addEventListener("online", refresh);
    return () => {
      document.removeEventListener("visibilitychange", look);
      window.removeEventListener("online", refresh);
    };
  }, [book, refresh]);
  return {
    ...chats,
    refresh,
    showMore,
    rename: (id, title) => void book.rename(id, title),
    download: async (id, title) => {
      const items = await book.chat(id);
      if (items !== null) download(fileNameOf(title), chatAsMarkdown(title, items));
    },
    remove: async (id) => book.remove(id),
  };
}
