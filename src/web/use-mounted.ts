/**
 * Which of a conversation's messages are on the page? Not thousands at once, each with its Markdown, but a part that follows the reader up and
 * down (more-messages.tsx).
 */
import { useEffect, useState } from "react";
import { keyOf, type ChatMessage } from "./chat-state.ts";

export const mostMounted = 200;

/** The key of the last message on the page; `null`: the conversation's last. */
export type Last = string | null;

export interface Places {
  readonly from: number;
  /** Exclusive. */
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

/** @param asked the id of the answer to a question asked on this page, which must be visible */
export function useMounted(messages: readonly ChatMessage[], asked: string | undefined): Mounted {
  const [last, moveTo] = useState<Last>(null);
  useEffect(() => {
    if (asked !== undefined) moveTo(null);
  }, [asked]);
  return { ...placesOf(messages, last), moveTo };
}
