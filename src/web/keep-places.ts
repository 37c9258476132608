/**
 * Which message on screen corresponds to one from the server, which has another id, or is another version of it? With the same key an
 * element stays on the page with its focus, its selection and its scroll position.
 */
import { type ChatMessage, keyOf } from "./chat-state.ts";

/** @returns each with the `key` of the message that it replaces; keys are unique */
export function keepPlaces(
  messages: readonly ChatMessage[],
  before: readonly ChatMessage[],
): readonly ChatMessage[] {
  const ids = new Set(messages.map(({ id }) => id));
  const sameId = new Map(before.map((message) => [message.id, message]));
  // Another version of a message follows the same item.
  const sameBehind = new Map(
    before.flatMap((message) =>
      message.behind === undefined || ids.has(message.id) ? [] : [[message.behind, message] as const],
    ),
  );
  // A message written on this page has no item on the server yet: it is recognised by its text, from the end.
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
