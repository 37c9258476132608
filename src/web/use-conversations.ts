/** The user's conversations: their list as it is, and what is done with them. */
import { useCallback, useEffect, useRef, useState } from "react";
import {
  deleteConversation,
  listConversations,
  renameConversation,
  type ListedConversation,
} from "./conversations-api.ts";

export interface Conversations {
  readonly entries: readonly ListedConversation[];
  readonly hasMore: boolean;
  /** What went wrong last; `null`: nothing. */
  readonly problem: string | null;
  readonly refresh: () => void;
  readonly showMore: () => void;
  readonly rename: (id: string, title: string) => void;
  /** Resolves `true` when it is gone. */
  readonly remove: (id: string) => Promise<boolean>;
}

export function useConversations(token: string): Conversations {
  const [entries, setEntries] = useState<readonly ListedConversation[]>([]);
  const [hasMore, setHasMore] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const asked = useRef(0);

  const load = useCallback(
    async (behind: string | null) => {
      asked.current += 1;
      const mine = asked.current;
      try {
        const page = await listConversations(token, behind);
        if (mine !== asked.current) return;
        setEntries((before) => (behind === null ? page.entries : [...before, ...page.entries]));
        setHasMore(page.hasMore);
        setProblem(null);
      } catch {
        if (mine === asked.current) setProblem("Your chats could not be loaded.");
      }
    },
    [token],
  );
  const refresh = useCallback(() => void load(null), [load]);
  useEffect(refresh, [refresh]);

  return {
    entries,
    hasMore,
    problem,
    refresh,
    showMore: () => void load(entries.at(-1)?.id ?? null),
    rename: (id, title) => {
      setEntries((before) => before.map((entry) => (entry.id === id ? { ...entry, title } : entry)));
      renameConversation(token, id, title).catch(() => setProblem("The name could not be changed."));
    },
    remove: async (id) => {
      try {
        await deleteConversation(token, id);
        setEntries((before) => before.filter((entry) => entry.id !== id));
        return true;
      } catch {
        setProblem("The chat could not be deleted.");
        return false;
      }
    },
  };
}
