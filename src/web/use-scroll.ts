/** Where is the reader in the conversation, and where is he to stay when it changes? */
import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";
import { keyOf, type ChatMessage } from "./chat-state.ts";

/** From the end, in CSS pixels: nearer than this he is at the end. */
const nearPx = 80;

/**
 * Follows the answer as it grows, unless the reader has scrolled up to read; a message of their own brings them back down. What
 * grows beside it (the notice, the field) must not hide its end either. Earlier messages come in above what he reads.
 * @param messages those that are on the page @param hasEnd whether the last of them is the conversation's: else there is no end to follow
 */
export function useScroll(
  scroller: RefObject<HTMLElement | null>,
  messages: readonly ChatMessage[],
  hasEnd: boolean,
): void {
  const sticks = useRef(true);
  const follows = useRef(hasEnd);
  /** From the end of the conversation to the upper edge of what is seen of it. */
  const fromEnd = useRef(0);
  const first = useRef<string | null>(null);
  const asked = askedHere(messages);

  useEffect(() => {
    const element = scroller.current;
    const content = element?.firstElementChild;
    if (element === null || content === null || content === undefined) return;
    let top = element.scrollTop;
    const watch = (): void => {
      fromEnd.current = element.scrollHeight - element.scrollTop;
      // Told a frame later, when the answer may have grown by more: only who went up has left its end.
      sticks.current = follows.current && staysAtEnd(sticks.current, top, element);
      top = element.scrollTop;
    };
    const follow = new ResizeObserver(() => {
      if (sticks.current) element.scrollTop = element.scrollHeight;
      top = element.scrollTop;
      fromEnd.current = element.scrollHeight - element.scrollTop;
    });
    element.addEventListener("scroll", watch, { passive: true });
    for (const one of [element, content]) follow.observe(one);
    return () => {
      element.removeEventListener("scroll", watch);
      follow.disconnect();
    };
  }, [scroller]);

  useLayoutEffect(() => {
    follows.current = hasEnd;
    if (!hasEnd) sticks.current = false;
  }, [hasEnd]);

  useLayoutEffect(() => {
    const element = scroller.current;
    const before = first.current;
    first.current = messages[0] === undefined ? null : keyOf(messages[0]);
    if (element === null || before === null || before === first.current) return;
    // At its upper edge no browser keeps the place by itself, and Safari nowhere.
    if (messages.some((message) => keyOf(message) === before))
      element.scrollTop = element.scrollHeight - fromEnd.current;
  }, [scroller, messages]);

  useEffect(() => {
    const element = scroller.current;
    if (element === null || asked === undefined) return;
    sticks.current = true;
    element.scrollTop = element.scrollHeight;
  }, [scroller, asked]);
}

/** The answer that is waited for on this page: whoever reads what was said before is not taken away from it by another device. */
export function askedHere(messages: readonly ChatMessage[]): string | undefined {
  return messages.findLast(({ status, watched }) => status === "waiting" && watched !== true)?.id;
}

/** @param beforePx where it was scrolled to when it was looked at last */
export function staysAtEnd(
  stayed: boolean,
  beforePx: number,
  now: Pick<Element, "scrollHeight" | "scrollTop" | "clientHeight">,
): boolean {
  if (now.scrollHeight - now.scrollTop - now.clientHeight < nearPx) return true;
  return stayed && now.scrollTop >= beforePx;
}
