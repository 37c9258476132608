/** What stays of the messages on screen when they are loaded again: their places, and details that the server does not store. Pure. */
import { type ChatMessage, keyOf } from "./chat-state.ts";
import { keepPlaces } from "./keep-places.ts";
import { withQuotes } from "./kept-sources.ts";
import type { Source } from "./sources.tsx";

export function keepShown(
  messages: readonly ChatMessage[],
  before: readonly ChatMessage[],
): readonly ChatMessage[] {
  return keepEndings(keepPlaces(messages, before), before);
}

/**
 * The server only stores that an answer is incomplete, not how it ended here, and neither its reasoning nor its model. For the same answer
 * these stay visible.
 * @param messages each with its former place (keep-places.ts)
 */
function keepEndings(
  messages: readonly ChatMessage[],
  before: readonly ChatMessage[],
): readonly ChatMessage[] {
  // It does not store the cited passages, either.
  const cited = new Map(
    before.flatMap(({ text, sources }) => (sources === undefined ? [] : [[text, sources]])),
  );
  const known = cited.size === 0 ? messages : messages.map((message) => withSources(message, cited));
  const there = new Map(before.map((message) => [keyOf(message), message]));
  return known.map((message) => {
    const same = there.get(keyOf(message));
    if (message.role !== "assistant" || same?.text !== message.text) return message;
    const status = same.status === "done" ? message.status : same.status;
    return { ...message, status, reasoning: same.reasoning, model: same.model };
  });
}

function withSources(message: ChatMessage, cited: ReadonlyMap<string, readonly Source[]>): ChatMessage {
  const seen = message.role === "assistant" ? cited.get(message.text) : undefined;
  return seen === undefined ? message : { ...message, sources: withQuotes(message.sources, seen) };
}
