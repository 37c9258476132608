import { useEffect, useLayoutEffect, type RefObject } from "react";

/** Makes a field as high as its text, also after the window gets narrower or a phone is turned. */
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
  // It is made low for a moment to measure it. The surroundings must not shrink with it, or they would lose their scroll position.
  frame.style.minHeight = `${frame.offsetHeight}px`;
  element.style.height = "auto";
  // Its border is part of its height, but not of its scroll height.
  element.style.height = `${element.scrollHeight + element.offsetHeight - element.clientHeight}px`;
  frame.style.minHeight = "";
}
