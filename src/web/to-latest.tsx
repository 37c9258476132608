/** A button back to the end for a reader who has scrolled up and does not see the growing answer. */
import { useEffect, useState, type ReactNode, type RefObject } from "react";
import { Icon } from "./icon.tsx";

/** A separate component, so that only it is rendered during scrolling. */
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
    // A reader who stays at the end is scrolled there within this frame (use-scroll.ts), so look only afterwards.
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
        // The pressed button is gone.
        element.focus({ preventScroll: true });
      }}
    >
      <Icon d={"M12 5v14M6 13l6 6 6-6"} />
    </button>
  );
}

/** Whether the end is more than half a view away. */
export function isFarFromEnd({
  scrollHeight,
  scrollTop,
  clientHeight,
}: Pick<Element, "scrollHeight" | "scrollTop" | "clientHeight">): boolean {
  return scrollHeight - scrollTop - clientHeight > clientHeight / 2;
}
