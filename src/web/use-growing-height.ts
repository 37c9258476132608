import { useEffect, useLayoutEffect, type RefObject } from "react";

/** A field that is as high as what is typed in it, also when the window has got narrower or a phone was turned. */
export function useGrowingHeight(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => fit(field.current), [field, text]);
  useEffect(() => {
    const fitAgain = (): void => fit(field.current);
    window.addEventListener("resize", fitAgain);
    return () => window.removeEventListener("resize", fitAgain);
  }, [field]);
}

function fit(element: HTMLTextAreaElement | null): void {
  const frame = element?.form;
  if (element === null || frame === null || frame === undefined) return;
  // To be measured it is made low for a moment. What stands around it must not follow: it would lose where it was scrolled to.
  frame.style.minHeight = `${frame.offsetHeight}px`;
  element.style.height = "auto";
  // Its border belongs to its height, and not to what scrolls in it.
  element.style.height = `${element.scrollHeight + element.offsetHeight - element.clientHeight}px`;
  frame.style.minHeight = "";
}
