import { useLayoutEffect, type RefObject } from "react";

/** A field that is as high as what is typed in it. */
export function useGrowingHeight(field: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const element = field.current;
    const frame = element?.form;
    if (element === null || frame === null || frame === undefined) return;
    // To be measured it is made low for a moment. What stands around it must not follow: it would lose where it was scrolled to.
    frame.style.minHeight = `${frame.offsetHeight}px`;
    element.style.height = "auto";
    // Its border belongs to its height, and not to what scrolls in it.
    element.style.height = `${element.scrollHeight + element.offsetHeight - element.clientHeight}px`;
    frame.style.minHeight = "";
  }, [field, text]);
}
