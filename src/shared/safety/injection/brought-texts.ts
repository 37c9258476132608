/**
 * Which texts does a message contain, and how are they replaced? Each text part is one. In JSON each string is one, so that it stays JSON
 * and escapes are read as their characters.
 */
import { type ChatMessage, isTextPart } from "../../prompt/chat-message.ts";
import { isJson } from "../message-texts.ts";

const stringLiteral = /"(?:[^"\\]|\\.)*"/gs;

export function broughtTexts({ content }: ChatMessage): string[] {
  if (typeof content === "string") return textsIn(content);
  return (content ?? []).flatMap((part) => (isTextPart(part) ? textsIn(part.text) : []));
}

/** The message with its texts replaced: as many as it has, in their order. */
export function withTexts<M extends ChatMessage>(message: M, texts: readonly string[]): M {
  const left = texts[Symbol.iterator]();
  const next = (): string => {
    const { value, done } = left.next();
    if (done === true) throw new Error("a message has fewer texts than it brought");
    return value;
  };
  const { content } = message;
  if (typeof content === "string") return { ...message, content: replaced(content, next) };
  if (content === null || content === undefined) return message;
  return {
    ...message,
    content: content.map((part) => (isTextPart(part) ? { ...part, text: replaced(part.text, next) } : part)),
  };
}

function textsIn(text: string): string[] {
  if (!isJson(text)) return [text];
  return Array.from(text.matchAll(stringLiteral), ([literal]) => JSON.parse(literal) as string);
}

function replaced(text: string, next: () => string): string {
  if (!isJson(text)) return next();
  return text.replace(stringLiteral, (literal) => {
    const other = next();
    return other === JSON.parse(literal) ? literal : JSON.stringify(other);
  });
}
