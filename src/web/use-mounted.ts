/**
 * Which of a conversation's messages are on the page? Of thousands not all, each with its Markdown: as many as are read at once, which
 * follow the reader up and down (more-messages.tsx).
 */
import { useEffect, useState } from "react";
import { keyOf, type ChatMessage } from "./chat-state.ts";

export const mostMounted = 200;

/** The last one that is on the page, by its key; `null`: the conversation's. */
export type Last = string | null;

export interface Places {
  readonly from: number;
  /** Behind the last. */
  readonly to: number;
}

export function placesOf(messages: readonly ChatMessage[], last: Last): Places {
  const at = last === null ? -1 : messages.findIndex((message) => keyOf(message) === last);
  const to = at === -1 ? messages.length : at + 1;
  return { from: Math.max(0, to - mostMounted), to };
}

export interface Mounted extends Places {
  readonly moveTo: (last: Last) => void;
}

/** @param asked what is asked on this page, by its answer's id: it is to be seen */
export function useMounted(messages: readonly ChatMessage[], asked: string | undefined): Mounted {
  const [last, moveTo] = useState<Last>(null);
  useEffect(() => {
    if (asked !== undefined) moveTo(null);
  }, [asked]);
  return { ...placesOf(messages, last), moveTo };
}
