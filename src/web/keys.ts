/** What does a key mean where a message is typed? */

type Key = Pick<
  KeyboardEvent,
  "key" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey" | "isComposing" | "keyCode"
>;

/**
 * Whether it belongs to an input method (Japanese, Chinese, …), whose Enter and Escape choose and leave candidates. Safari says
 * that the composition is over before it tells of the key that ended it, which is known by its code alone.
 */
export function composes({ isComposing, keyCode }: Pick<Key, "isComposing" | "keyCode">): boolean {
  return isComposing || keyCode === 229;
}

/** @param touch there is no Shift to hold for a new line: Enter is one, and the button sends */
export function sends(key: Key, touch: boolean): boolean {
  if (key.key !== "Enter" || composes(key)) return false;
  return key.ctrlKey || key.metaKey || (!key.shiftKey && !key.altKey && !touch);
}

/** A phone or a tablet: what is typed is typed on the screen. */
export function isTouch(): boolean {
  return matchMedia("(hover: none) and (pointer: coarse)").matches;
}
