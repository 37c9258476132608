/** The way back down, for who has scrolled up: an answer goes on being written where he does not see it. */
import { useEffect, useState, type ReactNode, type RefObject } from "react";
import { Icon } from "./icon.tsx";

/** A component of its own: only it is rendered anew while somebody scrolls. */
export function ToLatest({ scroller }: { readonly scroller: RefObject<HTMLElement | null> }): ReactNode {
  const [isFar, setFar] = useState(false);
  useEffect(() => {
    const element = scroller.current;
    const content = element?.firstElementChild;
    if (element === null || content === null || content === undefined) return;
    let frame = 0;
    const look = (): void => {
      frame = 0;
      setFar(isFarFromEnd(element));
    };
    // Whoever stays at the end is brought there within this frame, behind what is asked of it first (use-scroll.ts), and is not far from it.
    const lookSoon = (): void => {
      if (frame !== 0) return;
      frame = requestAnimationFrame(() => {
        frame = requestAnimationFrame(look);
      });
    };
    const resized = new ResizeObserver(lookSoon);
    element.addEventListener("scroll", lookSoon, { passive: true });
    for (const one of [element, content]) resized.observe(one);
    return () => {
      element.removeEventListener("scroll", lookSoon);
      resized.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [scroller]);
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
        // The button that was pressed is gone.
        element.focus({ preventScroll: true });
      }}
    >
      <Icon d={"M12 5v14M6 13l6 6 6-6"} />
    </button>
  );
}

/** By more than half of what is seen at once. */
export function isFarFromEnd({
  scrollHeight,
  scrollTop,
  clientHeight,
}: Pick<Element, "scrollHeight" | "scrollTop" | "clientHeight">): boolean {
  return scrollHeight - scrollTop - clientHeight > clientHeight / 2;
}
