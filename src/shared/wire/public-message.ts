/** What does a message of a stored chat completion look like to its owner? As OpenAI's: the text, or the parts that were sent. */
import type { ChatMessage } from "./chat-messages.ts";

/** @param numbered JSON: an array of `[number, message]` */
export function publicMessages(completionId: string, numbered: string): Record<string, unknown>[] {
  const messages = JSON.parse(numbered) as readonly (readonly [number, ChatMessage])[];
  return messages.map(([number, message]) => publicMessage(`${completionId}-${number}`, message));
}

function publicMessage(id: string, { role, content, name, ...more }: ChatMessage): Record<string, unknown> {
  const isText = content === null || typeof content === "string";
  return {
    id,
    role,
    content: isText ? content : null,
    // A refusal that was sent went on as text.
    refusal: null,
    name: name ?? null,
    ...more,
    content_parts: isText ? null : content,
  };
}
