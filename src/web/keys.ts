/** What does a key mean where a message is typed? */

type Key = Pick<
  KeyboardEvent,
  "key" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey" | "isComposing" | "keyCode"
>;

/**
 * Whether it belongs to an input method (Japanese, Chinese, …), where Enter and Escape choose and cancel candidates. Safari ends the
 * composition before the event of the key that ended it, which only its code identifies.
 */
export function composes({ isComposing, keyCode }: Pick<Key, "isComposing" | "keyCode">): boolean {
  return isComposing || keyCode === 229;
}

/** @param touch no Shift can be held, so Enter makes a new line, and the button sends */
export function sends(key: Key, touch: boolean): boolean {
  if (key.key !== "Enter" || composes(key)) return false;
  return key.ctrlKey || key.metaKey || (!key.shiftKey && !key.altKey && !touch);
}

/** A phone or a tablet, with a keyboard on the screen. */
export function isTouch(): boolean {
  return matchMedia("(hover: none) and (pointer: coarse)").matches;
}
