/**
 * Which tool calls of a conversation's history can an engine take? Those that were answered. A call that an answer broke off
 * in, that its client never answered, or whose answer is not there any more would make every later turn fail: engines read
 * its arguments as JSON, and templates refuse a call without its result. It stays in the conversation, as it was said. Pure.
 */
import type { ChatMessage } from "../../wire/chat-messages.ts";

type AssistantMessage = Extract<ChatMessage, { role: "assistant" }>;
type Call = NonNullable<AssistantMessage["tool_calls"]>[number];

export interface TakeableHistory {
  readonly messages: readonly ChatMessage[];
  /** The first of the new messages that answers no call; `null`: each does. */
  readonly unasked: number | null;
}

/** @param next the turn's own messages, whose first may answer the calls that the history ends with */
export function takeableHistory(
  history: readonly ChatMessage[],
  next: readonly ChatMessage[],
): TakeableHistory {
  const open = new Map<string, Call>();
  /** Of an engine that gives its calls no ids: a response has made some up, and the conversation knows none of them. */
  const unnamed: Call[] = [];
  /** By which id. */
  const answered = new Map<Call, string>();
  const results = new Set<ChatMessage>();
  const read = (message: ChatMessage): boolean => {
    if (message.role === "assistant")
      for (const call of message.tool_calls ?? []) {
        if (call.id === "") unnamed.push(call);
        else open.set(call.id, call);
      }
    if (message.role !== "tool") return true;
    const call = open.get(message.tool_call_id) ?? unnamed.shift();
    if (call === undefined) return false;
    open.delete(message.tool_call_id);
    answered.set(call, message.tool_call_id);
    results.add(message);
    return true;
  };
  history.forEach(read);
  const unasked = next.findIndex((message) => !read(message));
  return {
    messages: history.flatMap((message): ChatMessage[] => {
      if (message.role === "tool") return results.has(message) ? [message] : [];
      return message.role === "assistant" && message.tool_calls !== undefined
        ? withAnswered(message, answered)
        : [message];
    }),
    unasked: unasked === -1 ? null : unasked,
  };
}

function withAnswered(message: AssistantMessage, answered: ReadonlyMap<Call, string>): AssistantMessage[] {
  const { tool_calls: calls = [], ...said } = message;
  const kept = calls.flatMap((call) => {
    const id = answered.get(call);
    return id === undefined ? [] : [readable(id === call.id ? call : { ...call, id })];
  });
  if (kept.length > 0) return [{ ...said, tool_calls: kept }];
  return said.content === null ? [] : [said];
}

/** A model may write what is no JSON; its client has then answered so. No engine reads it back. */
function readable(call: Call): Call {
  const { name, arguments: given } = call.function;
  return isObject(given) ? call : { ...call, function: { name, arguments: "{}" } };
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
