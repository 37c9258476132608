/**
 * Do the fields of a request fit together? What an engine would refuse later with a vaguer message is refused here with the field's name.
 */
import type { Refusal } from "../contracts/refusal.ts";
import type { ChatMessage } from "./chat-messages.ts";
import type { SentChatRequest } from "./chat-request.ts";
import { requestLimits } from "./request-limits.ts";
import { invalidValue } from "./zod-refusal.ts";

export function crossFieldFault(request: SentChatRequest): Refusal | null {
  return (
    answerFault(request) ??
    streamFault(request) ??
    toolFault(request) ??
    toolSequenceFault(request.messages, request.conversation_id !== undefined) ??
    mediaCountFault(request.messages)
  );
}

function answerFault(request: SentChatRequest): Refusal | null {
  const { max_tokens: older, max_completion_tokens: newer } = request;
  if (older !== undefined && newer !== undefined && older !== newer)
    return invalidValue("max_tokens", "differs from 'max_completion_tokens': send only the latter");
  const most = newer ?? older;
  if (request.min_tokens !== undefined && most !== undefined && request.min_tokens > most)
    return invalidValue("min_tokens", `must be at most max_completion_tokens (${most})`);
  if (request.top_logprobs !== undefined && request.top_logprobs > 0 && request.logprobs !== true)
    return invalidValue("top_logprobs", "needs 'logprobs' to be true");
  if (request.n !== undefined && request.n > 1 && request.conversation_id !== undefined)
    return invalidValue("n", "must be 1 with 'conversation_id': a conversation goes on from one answer");
  if (request.parent_item_id !== undefined && request.conversation_id === undefined)
    return invalidValue("parent_item_id", "is only allowed with 'conversation_id'");
  if (request.structured_outputs !== undefined) {
    if (request.response_format !== undefined && request.response_format.type !== "text")
      return invalidValue("structured_outputs", "can't stand beside 'response_format': send one of them");
    if (request.tool_choice === "required" || typeof request.tool_choice === "object")
      return invalidValue("structured_outputs", "can't be met by an answer that must be a tool call");
  }
  return null;
}

function streamFault(request: SentChatRequest): Refusal | null {
  if (request.stream === true) return null;
  if (request.stream_options !== undefined)
    return invalidValue("stream_options", "is only allowed when 'stream' is true");
  if (request.stream_format === "text")
    return invalidValue("stream_format", "can only be 'text' when 'stream' is true");
  return null;
}

function toolFault(request: SentChatRequest): Refusal | null {
  const choice = request.tool_choice;
  if (choice === undefined || choice === "none" || choice === "auto") return null;
  const names = new Set(request.tools?.map((tool) => tool.function.name));
  if (names.size === 0) return invalidValue("tool_choice", "is only allowed when 'tools' are given");
  if (choice === "required") return null;
  if (choice.type === "function")
    return names.has(choice.function.name)
      ? null
      : invalidValue("tool_choice.function.name", "names no tool of 'tools'");
  for (const [at, tool] of choice.allowed_tools.tools.entries())
    if (!names.has(tool.function.name))
      return invalidValue(`tool_choice.allowed_tools.tools[${at}].function.name`, "names no tool of 'tools'");
  return null;
}

/**
 * Each call must be followed by exactly one tool message, before any other message; and a tool message needs a call. This is
 * OpenAI's rule; templates that don't check it render nonsense. After a stored history tool messages may come first: they
 * answer the calls at its end.
 */
function toolSequenceFault(messages: readonly ChatMessage[], historyInFront: boolean): Refusal | null {
  let open: Set<string> = new Set();
  let caller = -1;
  let mayAnswerHistory = historyInFront;
  for (const [at, message] of messages.entries()) {
    if (message.role === "tool") {
      if (open.delete(message.tool_call_id) || mayAnswerHistory) continue;
      return invalidValue(
        `messages[${at}].tool_call_id`,
        "answers no open call: a tool message must follow the assistant message whose tool_calls hold its id, once",
      );
    }
    // Instructions belong to their turn and come before the history, wherever the turn begins.
    if (message.role !== "system") mayAnswerHistory = false;
    if (open.size > 0) return unanswered(open, caller);
    if (message.role !== "assistant" || message.tool_calls === undefined) continue;
    open = new Set();
    caller = at;
    for (const [callAt, call] of message.tool_calls.entries()) {
      if (open.has(call.id))
        return invalidValue(`messages[${at}].tool_calls[${callAt}].id`, "is used twice in one message");
      open.add(call.id);
    }
  }
  return open.size > 0 ? unanswered(open, caller) : null;
}

function unanswered(open: ReadonlySet<string>, caller: number): Refusal {
  const ids = [...open].slice(0, 4).map((id) => `'${id}'`);
  return invalidValue(
    `messages[${caller}].tool_calls`,
    `must be followed by a tool message for each call; there is none for ${ids.join(", ")}`,
  );
}

function mediaCountFault(messages: readonly ChatMessage[]): Refusal | null {
  let media = 0;
  let files = 0;
  for (const [at, message] of messages.entries()) {
    if (!Array.isArray(message.content)) continue;
    for (const { type } of message.content)
      if (type === "file") files += 1;
      else if (type !== "text") media += 1;
    if (files > requestLimits.fileParts)
      return invalidValue(
        `messages[${at}].content`,
        `brings the request over ${requestLimits.fileParts} files`,
      );
    if (media > requestLimits.mediaParts)
      return invalidValue(
        `messages[${at}].content`,
        `brings the request over ${requestLimits.mediaParts} images and sounds`,
      );
  }
  return null;
}
