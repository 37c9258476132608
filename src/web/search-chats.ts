/** Searches chats by name. Those that are not listed yet are fetched for it. */
import { useEffect, useRef } from "react";
import type { ListedConversation } from "./conversations-api.ts";
import type { Conversations } from "./use-conversations.ts";

/** With fewer chats no search is needed. */
const fewChats = 8;
/** After this many matches the rest is only fetched on request. */
const enough = 10;
/** The most chats fetched automatically, and the most requests for them. */
const mostFetched = 600;
const mostFetches = 40;

export function isSearchable({ entries, hasMore }: Pick<Conversations, "entries" | "hasMore">): boolean {
  return hasMore || entries.length >= fewChats;
}

/** Chats whose name contains every word of the search, in any order, ignoring case and accents. */
export function chatsNamed(
  entries: readonly ListedConversation[],
  search: string,
): readonly ListedConversation[] {
  const words = plain(search)
    .split(/\s+/u)
    .filter((word) => word !== "");
  if (words.length === 0) return entries;
  return entries.filter(({ title }) => {
    const name = plain(title ?? "");
    return words.every((word) => name.includes(word));
  });
}

function plain(text: string): string {
  return text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
}

export interface FoundChats {
  readonly entries: readonly ListedConversation[];
  /** More are being fetched. */
  readonly isLooking: boolean;
}

export function useFoundChats(conversations: Conversations, search: string): FoundChats {
  const { entries, hasMore, problem, showMore } = conversations;
  const found = chatsNamed(entries, search);
  const isLooking =
    search.trim() !== "" &&
    hasMore &&
    problem === null &&
    found.length < enough &&
    entries.length < mostFetched;
  const fetches = useRef(0);
  useEffect(() => {
    fetches.current = 0;
  }, [search]);
  // Each answer may have more after it: request the next when one is there.
  useEffect(() => {
    // Bounds the requests, even if they bring nothing new.
    if (!isLooking || fetches.current >= mostFetches) return;
    fetches.current += 1;
    showMore();
  }, [isLooking, entries, showMore]);
  return { entries: found, isLooking };
}
