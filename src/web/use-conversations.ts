/** The user's conversations, for the page: their list as it is, and what is done with them. */
import { useCallback, useEffect, useMemo, useState } from "react";
import { chatAsMarkdown, download, fileNameOf } from "./chat-as-markdown.ts";
import { ConversationBook, noChats, type ListedChats } from "./conversation-book.ts";
import { filesOfDeleted } from "./files/files-of-deleted.ts";

/** A page that is looked at again and again asks no more often than this, in milliseconds. */
const restMs = 30_000;

export interface Conversations extends ListedChats {
  readonly refresh: () => void;
  readonly showMore: () => void;
  readonly rename: (id: string, title: string) => void;
  /** Hands its text to the browser, as a file. */
  readonly download: (id: string, title: string) => Promise<void>;
  /** Resolves `true` when it is gone. */
  readonly remove: (id: string) => Promise<boolean>;
}

/** @param saves how often something was saved: it is looked again then */
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
    // Other tabs and devices begin, name and delete chats, too.
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
