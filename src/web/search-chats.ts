/** Which chats are meant by what was typed over their list? By their names; those that are not listed yet are fetched for it. */
import { useEffect, useRef } from "react";
import type { ListedConversation } from "./conversations-api.ts";
import type { Conversations } from "./use-conversations.ts";

/** With fewer chats one sees them all. */
const fewChats = 8;
/** So many are found, and then the rest is fetched as it is asked for. */
const enough = 10;
/** Chats that are looked through by themselves, and how often it is asked for them. */
const mostFetched = 600;
const mostFetches = 40;

export function isSearchable({ entries, hasMore }: Pick<Conversations, "entries" | "hasMore">): boolean {
  return hasMore || entries.length >= fewChats;
}

/** Every word of the search stands in the name, in any order, whatever its capitals and accents. */
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
  // Each answer has others behind it: the next is asked for when it is there.
  useEffect(() => {
    // One that brings nothing new is asked for no more often than that.
    if (!isLooking || fetches.current >= mostFetches) return;
    fetches.current += 1;
    showMore();
  }, [isLooking, entries, showMore]);
  return { entries: found, isLooking };
}
