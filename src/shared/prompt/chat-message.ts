/**
 * What the prompt modules need of a chat message, wherever it was parsed: the public schema (src/shared/wire/chat-request.ts), a stored
 * conversation, or a test. Structural, so that neither depends on the other.
 */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** An image, a sound, a file: anything that only the engine can read. */
export interface OtherPart {
  readonly type: string;
}

export type ContentPart = TextPart | OtherPart;

export interface ChatMessage {
  readonly role: string;
  readonly content?: string | readonly ContentPart[] | null | undefined;
  readonly name?: string | undefined;
  /** What a reasoning model thought, under either name; its template decides whether to show it again. */
  readonly reasoning?: string | undefined;
  readonly reasoning_content?: string | undefined;
  readonly tool_calls?: readonly unknown[] | null | undefined;
  readonly tool_call_id?: string | undefined;
}

export function isTextPart(part: ContentPart): part is TextPart {
  return part.type === "text" && typeof (part as TextPart).text === "string";
}

/** Text parts joined by a line feed, as vLLM flattens them for a template that prints `content` as a string. */
export function flattenContent(content: ChatMessage["content"]): string {
  if (typeof content === "string") return content;
  if (content === null || content === undefined) return "";
  const texts: string[] = [];
  for (const part of content) if (isTextPart(part)) texts.push(part.text);
  return texts.join("\n");
}
