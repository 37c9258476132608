/**
 * How does a history with several tool calls in one message reach a template that knows single ones only? Llama 3.1's raises
 * an exception there, so clients that came from another model would be refused. Each call becomes a message of its own with
 * its result behind it, which says the same in the words that the template has.
 */
import type { ChatMessage } from "./chat-message.ts";

/** The same array where no message has more than one call. */
export function withSingleToolCalls(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  if (!messages.some(hasSeveralCalls)) return messages;
  const result: ChatMessage[] = [];
  for (let at = 0; at < messages.length; at += 1) {
    const message = messages[at];
    if (message === undefined) break;
    if (!hasSeveralCalls(message)) {
      result.push(message);
      continue;
    }
    const answers: ChatMessage[] = [];
    for (let next = messages[at + 1]; next?.role === "tool"; next = messages[at + 1]) {
      answers.push(next);
      at += 1;
    }
    for (const [index, call] of (message.tool_calls ?? []).entries()) {
      // What was said with the calls is said once.
      result.push({ ...message, content: index === 0 ? message.content : null, tool_calls: [call] });
      const own = answers.findIndex((answer) => answer.tool_call_id === idOf(call));
      if (own !== -1) result.push(...answers.splice(own, 1));
    }
    result.push(...answers);
  }
  return result;
}

function hasSeveralCalls(message: ChatMessage): boolean {
  return Array.isArray(message.tool_calls) && message.tool_calls.length > 1;
}

function idOf(call: unknown): unknown {
  return typeof call === "object" && call !== null ? (call as { readonly id?: unknown }).id : undefined;
}
