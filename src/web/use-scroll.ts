/** Where is the reader in the conversation, and how is that place kept when it changes? */
import { useEffect, useLayoutEffect, useRef, type RefObject } from "react";
import { keyOf, type ChatMessage } from "./chat-state.ts";

/** Distance from the end in CSS pixels at which whoever scrolls down counts as at the end. */
const nearPx = 80;
/** Less than this is no distance: scroll positions are rounded, and differ from the end's by a fraction of a pixel. */
const roundingPx = 2;

/**
 * Follows the answer as it grows, unless the reader has scrolled up; their own message brings them back down. A growing notice or
 * field must not hide its end, either. Earlier messages are added above without moving the reader.
 * @param messages those on the page @param hasEnd whether they include the conversation's last one: else there is no end to follow
 * @returns whether the reader stays at the end, and so is there again in the frame in which the conversation has grown
 */
export function useScroll(
  scroller: RefObject<HTMLElement | null>,
  messages: readonly ChatMessage[],
  hasEnd: boolean,
): RefObject<boolean> {
  const sticks = useRef(true);
  const follows = useRef(hasEnd);
  /** Distance from the end of the conversation to the upper edge of the view. */
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
      // This event comes a frame later, when the answer may have grown: only scrolling up counts as leaving the end.
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
    // At the upper edge no browser keeps the place itself, and Safari never does.
    if (messages.some((message) => keyOf(message) === before))
      element.scrollTop = element.scrollHeight - fromEnd.current;
  }, [scroller, messages]);

  useEffect(() => {
    const element = scroller.current;
    if (element === null || asked === undefined) return;
    sticks.current = true;
    element.scrollTop = element.scrollHeight;
  }, [scroller, asked]);

  return sticks;
}

/** The answer to a question asked on this page. Another device's turn must not move the reader. */
export function askedHere(messages: readonly ChatMessage[]): string | undefined {
  return messages.findLast(({ status, watched }) => status === "waiting" && watched !== true)?.id;
}

/**
 * Any step up leaves the end: a finger or a touchpad goes up by a few pixels a frame, and would be taken back by each new line.
 * @param beforePx the scroll position of the last check
 */
export function staysAtEnd(
  stayed: boolean,
  beforePx: number,
  now: Pick<Element, "scrollHeight" | "scrollTop" | "clientHeight">,
): boolean {
  const leftPx = now.scrollHeight - now.scrollTop - now.clientHeight;
  if (leftPx < roundingPx) return true;
  if (now.scrollTop < beforePx) return false;
  return stayed || (now.scrollTop > beforePx && leftPx < nearPx);
}
