/** Which of one's own messages does an arrow key bring into the field? As in a shell: the last one first, and back to an empty field. */
import type { KeyboardEvent } from "react";
import { composes } from "./keys.ts";

/**
 * The text that a key brings into the field; `null`: it means something else.
 * @param place at which of `asked` the field holds, which is remembered there
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

/** With one of them an arrow selects, or goes by words and pages. */
function isChord({ shiftKey, altKey, ctrlKey, metaKey }: globalThis.KeyboardEvent): boolean {
  return shiftKey || altKey || ctrlKey || metaKey;
}

/**
 * @param asked what was asked in this chat, oldest first @param at which of them the field holds; `null`: none
 * @returns which one is next, and its text; `null`: the key means the cursor
 */
export function recalled(
  asked: readonly string[],
  at: number | null,
  draft: string,
  key: "ArrowUp" | "ArrowDown",
): { readonly at: number | null; readonly text: string } | null {
  // What was changed since is what somebody is writing.
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

/** Whether the cursor has no line to go to in that direction. */
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
