/** A button back to the end for a reader who has scrolled up and does not see the growing answer. */
import { useEffect, useState, type ReactNode, type RefObject } from "react";
import { Icon } from "./icon.tsx";

/** A separate component, so that only it is rendered during scrolling. */
export function ToLatest({
  scroller,
  sticks,
}: {
  readonly scroller: RefObject<HTMLElement | null>;
  /** Whether the reader stays at the end (use-scroll.ts). */
  readonly sticks: RefObject<boolean>;
}): ReactNode {
  const [isFar, setFar] = useState(false);
  useEffect(() => {
    const element = scroller.current;
    const content = element?.firstElementChild;
    if (element === null || content === null || content === undefined) return;
    let frame = 0;
    const look = (): void => {
      frame = 0;
      setFar(isFarFromEnd(sticks.current, element));
    };
    const lookSoon = (): void => {
      if (frame === 0) frame = requestAnimationFrame(look);
    };
    const resized = new ResizeObserver(lookSoon);
    element.addEventListener("scroll", lookSoon, { passive: true });
    for (const one of [element, content]) resized.observe(one);
    return () => {
      element.removeEventListener("scroll", lookSoon);
      resized.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [scroller, sticks]);
  if (!isFar) return null;
  return (
    <button
      type="button"
      className="to-latest round"
      aria-label="Go to the end of the conversation"
      title="Go to the end"
      onClick={() => {
        const element = scroller.current;
        if (element === null) return;
        element.scrollTop = element.scrollHeight;
        // The pressed button is gone.
        element.focus({ preventScroll: true });
      }}
    >
      <Icon d={"M12 5v14M6 13l6 6 6-6"} />
    </button>
  );
}

/**
 * Whether the end is more than half a view away.
 * @param stays the reader stays at the end: what has just come is below only until it is laid out
 */
export function isFarFromEnd(
  stays: boolean,
  { scrollHeight, scrollTop, clientHeight }: Pick<Element, "scrollHeight" | "scrollTop" | "clientHeight">,
): boolean {
  return !stays && scrollHeight - scrollTop - clientHeight > clientHeight / 2;
}
