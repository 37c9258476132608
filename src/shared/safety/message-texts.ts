import { type ChatMessage, type ContentPart, isTextPart } from "../prompt/chat-message.ts";

/**
 * Which texts of a chat does a screen read, and how are they replaced? Every message's content, text part by text part, its speaker's name,
 * its reasoning, and the arguments of tool calls. Arguments and tool results that are JSON are read as JSON; what people wrote is read as it
 * stands. What doesn't change stays the same object.
 */
export type ReplaceText = (text: string, isJson: boolean) => string;

export function mapTexts<M extends ChatMessage>(messages: readonly M[], replace: ReplaceText): readonly M[] {
  let copy: M[] | undefined;
  for (let index = 0; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) continue;
    const mapped = mapMessage(message, replace);
    if (mapped === message) continue;
    copy ??= messages.slice();
    copy[index] = mapped;
  }
  return copy ?? messages;
}

const thoughts = ["reasoning", "reasoning_content"] as const;

function mapMessage<M extends ChatMessage>(message: M, replace: ReplaceText): M {
  const { content } = message;
  const isResult = message.role === "tool" || message.role === "function";
  const replaced = (text: string): string => replace(text, isResult && isJson(text));
  let mapped = message;
  if (typeof content === "string") {
    const text = replaced(content);
    if (text !== content) mapped = { ...mapped, content: text };
  } else if (Array.isArray(content)) {
    const parts = content as readonly ContentPart[];
    const texts = parts.map((part) => (isTextPart(part) ? replaced(part.text) : null));
    if (parts.some((part, index) => isTextPart(part) && texts[index] !== part.text))
      mapped = {
        ...mapped,
        content: parts.map((part, index) =>
          isTextPart(part) ? { ...part, text: texts[index] ?? "" } : part,
        ),
      };
  }
  for (const field of thoughts) {
    const thought = message[field];
    if (typeof thought !== "string") continue;
    const text = replace(thought, false);
    if (text !== thought) mapped = { ...mapped, [field]: text };
  }
  const { name } = message;
  if (name !== undefined) {
    const text = replace(name, false);
    // Names contain no blanks, as every server of OpenAI's API requires.
    if (text !== name) mapped = { ...mapped, name: text.replaceAll(" ", "-") };
  }
  if (message.tool_calls === undefined || message.tool_calls === null) return mapped;
  const calls = message.tool_calls.map((call) => mapCall(call, replace));
  return calls.every((call, index) => call === message.tool_calls?.[index])
    ? mapped
    : { ...mapped, tool_calls: calls };
}

function mapCall(call: unknown, replace: ReplaceText): unknown {
  const called = (call as { function?: { arguments?: unknown } }).function;
  if (called === undefined || typeof called.arguments !== "string") return call;
  const before = called.arguments;
  const text = replace(before, isJson(before));
  return text === before ? call : { ...(call as object), function: { ...called, arguments: text } };
}

/** Whether it parses as an object or an array. */
export function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    // No other parser can read it either, so it is plain text.
    return false;
  }
}
