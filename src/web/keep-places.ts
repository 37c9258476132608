/**
 * Which message on screen is this one, once the server tells of it under its own id, or shows another version of it? What keeps
 * its key stays on the page as it is: the focus in it, a selection, how far a line of code was scrolled.
 */
import { type ChatMessage, keyOf } from "./chat-state.ts";

/** @returns each with the `key` of the one in whose place it stands; no two have the same */
export function keepPlaces(
  messages: readonly ChatMessage[],
  before: readonly ChatMessage[],
): readonly ChatMessage[] {
  const ids = new Set(messages.map(({ id }) => id));
  const sameId = new Map(before.map((message) => [message.id, message]));
  // Another version of a message comes behind the same one as that did.
  const sameBehind = new Map(
    before.flatMap((message) =>
      message.behind === undefined || ids.has(message.id) ? [] : [[message.behind, message] as const],
    ),
  );
  // What was written on this page has no place of the server's yet: it is told by its words, from the end.
  const sameWords = (message: ChatMessage, fromEnd: number): ChatMessage | undefined => {
    const there = before.at(-fromEnd);
    return there !== undefined &&
      there.behind === undefined &&
      !ids.has(there.id) &&
      there.role === message.role &&
      there.text === message.text
      ? there
      : undefined;
  };
  return messages.map((message, at) => {
    const there =
      sameId.get(message.id) ??
      (message.behind === undefined ? undefined : sameBehind.get(message.behind)) ??
      sameWords(message, messages.length - at);
    return there === undefined ? message : { ...message, key: keyOf(there) };
  });
}
