/** What stays of the messages on screen when the server tells of them anew: their places, and what it does not keep. Pure. */
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
 * What the server keeps says only that an answer is incomplete, not how it ended here, and nothing of what was thought before it, nor by
 * which model; where it is the same answer, all of it stays to be seen.
 * @param messages each with the place that it had (keep-places.ts)
 */
function keepEndings(
  messages: readonly ChatMessage[],
  before: readonly ChatMessage[],
): readonly ChatMessage[] {
  // Nor what the files say that an answer cites.
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
