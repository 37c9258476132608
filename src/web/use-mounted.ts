/**
 * Which of a conversation's messages are on the page? Of thousands not all, each with its Markdown: as many as are read at once, which
 * follow the reader up and down.
 */
import { useEffect, useState, type RefObject } from "react";
import { flushSync } from "react-dom";
import type { ChatMessage } from "./chat-state.ts";
import { keyOf } from "./keep-places.ts";

export const mostMounted = 200;
/** So many come and go at once. */
const step = 100;

/** The last one that is on the page, by its key; `null`: the conversation's. */
type Last = string | null;

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

/** Further up. Where the first one is there already, there is room for those that are loaded before it. */
export function earlier(messages: readonly ChatMessage[], { from, to }: Places): Last {
  return endingAt(messages, from > 0 ? Math.max(to - step, mostMounted) : Math.min(to, mostMounted - step));
}

export function later(messages: readonly ChatMessage[], { to }: Places): Last {
  return endingAt(messages, to + step);
}

function endingAt(messages: readonly ChatMessage[], to: number): Last {
  const last = messages[to - 1];
  return to >= messages.length || last === undefined ? null : keyOf(last);
}

export interface Mounted extends Places {
  readonly showEarlier: () => void;
  readonly showLater: () => void;
  readonly showLatest: () => void;
}

/** @param asked what is asked on this page, by its answer's id: it is to be seen */
export function useMounted(
  scroller: RefObject<HTMLElement | null>,
  messages: readonly ChatMessage[],
  asked: string | undefined,
): Mounted {
  const [last, setLast] = useState<Last>(null);
  const places = placesOf(messages, last);
  useEffect(() => {
    if (asked !== undefined) setLast(null);
  }, [asked]);

  /** What is read stays where it is, whatever comes and goes above it. */
  const move = (to: Last, end: "first" | "last"): void => {
    const element = scroller.current;
    const all = element?.querySelectorAll("article");
    const stays = all?.[end === "first" ? 0 : all.length - 1];
    const beforePx = stays?.getBoundingClientRect().top ?? 0;
    flushSync(() => setLast(to));
    if (element !== null && stays?.isConnected === true)
      element.scrollTop += stays.getBoundingClientRect().top - beforePx;
  };

  return {
    ...places,
    showEarlier: () => move(earlier(messages, places), "first"),
    showLater: () => move(later(messages, places), "last"),
    showLatest: () => {
      flushSync(() => setLast(null));
      const element = scroller.current;
      if (element !== null) element.scrollTop = element.scrollHeight;
    },
  };
}
