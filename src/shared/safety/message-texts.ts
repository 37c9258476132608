import { type ChatMessage, type ContentPart, isTextPart } from "../prompt/chat-message.ts";

/**
 * Which texts of a chat does a screen read, and how are they replaced? Every message's content, text part by text part,
 * and every string in the arguments of tool calls. What doesn't change stays the same object.
 */
export function mapTexts<M extends ChatMessage>(
  messages: readonly M[],
  replace: (text: string) => string,
): readonly M[] {
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

function mapMessage<M extends ChatMessage>(message: M, replace: (text: string) => string): M {
  const { content } = message;
  let mapped = message;
  if (typeof content === "string") {
    const text = replace(content);
    if (text !== content) mapped = { ...mapped, content: text };
  } else if (Array.isArray(content)) {
    const parts = content as readonly ContentPart[];
    const texts = parts.map((part) => (isTextPart(part) ? replace(part.text) : null));
    if (parts.some((part, index) => isTextPart(part) && texts[index] !== part.text))
      mapped = {
        ...mapped,
        content: parts.map((part, index) =>
          isTextPart(part) ? { ...part, text: texts[index] ?? "" } : part,
        ),
      };
  }
  if (message.tool_calls === undefined || message.tool_calls === null) return mapped;
  const calls = message.tool_calls.map((call) => mapCall(call, replace));
  return calls.every((call, index) => call === message.tool_calls?.[index])
    ? mapped
    : { ...mapped, tool_calls: calls };
}

function mapCall(call: unknown, replace: (text: string) => string): unknown {
  const called = (call as { function?: { arguments?: unknown } }).function;
  if (called === undefined || typeof called.arguments !== "string") return call;
  const before = called.arguments;
  let value: unknown;
  try {
    value = JSON.parse(before);
  } catch {
    // Not JSON: read as the text it is.
    const text = replace(before);
    return text === before ? call : { ...(call as object), function: { ...called, arguments: text } };
  }
  const mapped = mapValue(value, replace);
  return mapped === value
    ? call
    : { ...(call as object), function: { ...called, arguments: JSON.stringify(mapped) } };
}

function mapValue(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === "string") return replace(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => mapValue(item, replace));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  const before = Object.entries(value);
  const after = before.map(([key, item]) => [key, mapValue(item, replace)] as const);
  return after.every(([, item], index) => item === before[index]?.[1]) ? value : Object.fromEntries(after);
}
