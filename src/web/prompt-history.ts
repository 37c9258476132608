/** Which of the user's messages does an arrow key bring into the field? As in a shell: the last one first, and back to an empty field. */
import type { KeyboardEvent } from "react";
import { composes } from "./keys.ts";

/**
 * The text that a key brings into the field; `null`: the key means something else.
 * @param place remembers which message of `asked` the field shows
 */
export function recall(
  { key, nativeEvent, currentTarget }: KeyboardEvent<HTMLTextAreaElement>,
  place: { current: number | null },
  asked: readonly string[],
): string | null {
  if ((key !== "ArrowUp" && key !== "ArrowDown") || isChord(nativeEvent) || composes(nativeEvent))
    return null;
  if (!isAtEdge(currentTarget, key)) return null;
  const next = recalled(asked, place.current, currentTarget.value, key);
  if (next === null) return null;
  place.current = next.at;
  return next.text;
}

/** With a modifier an arrow key selects, or moves by words and pages. */
function isChord({ shiftKey, altKey, ctrlKey, metaKey }: globalThis.KeyboardEvent): boolean {
  return shiftKey || altKey || ctrlKey || metaKey;
}

/**
 * @param asked the questions of this chat, oldest first @param at the one in the field; `null`: none
 * @returns the next one and its text; `null`: the key moves the cursor
 */
export function recalled(
  asked: readonly string[],
  at: number | null,
  draft: string,
  key: "ArrowUp" | "ArrowDown",
): { readonly at: number | null; readonly text: string } | null {
  // A changed message counts as a draft.
  const held = at !== null && asked[at] === draft ? at : null;
  if (held === null && draft !== "") return null;
  if (key === "ArrowUp") {
    const next = (held ?? asked.length) - 1;
    const text = asked[next];
    return text === undefined ? null : { at: next, text };
  }
  if (held === null) return null;
  const text = asked[held + 1];
  return text === undefined ? { at: null, text: "" } : { at: held + 1, text };
}

/** Whether the cursor has no further line in that direction. */
export function isAtEdge(
  {
    value,
    selectionStart,
    selectionEnd,
  }: Pick<HTMLTextAreaElement, "value" | "selectionStart" | "selectionEnd">,
  key: "ArrowUp" | "ArrowDown",
): boolean {
  if (selectionStart !== selectionEnd) return false;
  return key === "ArrowUp"
    ? !value.slice(0, selectionStart).includes("\n")
    : !value.slice(selectionEnd).includes("\n");
}
