/** What does a message of a stored chat completion look like to its owner? As OpenAI's: the text, or the parts that were sent. */
import type { ChatMessage, UserContentPart } from "./chat-messages.ts";

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
    // A refusal that was sent is stored as text.
    refusal: null,
    name: name ?? null,
    ...more,
    content_parts: isText ? null : content.map(publicPart),
  };
}

/** For a file, names the file: its text was extracted here, and the client did not send it. */
function publicPart(part: UserContentPart): object {
  if (part.type !== "file_text") return part;
  const { filename, file_id: id } = part;
  return { type: "file", file: { filename, ...(id === undefined ? {} : { file_id: id }) } };
}
