import { type ChatMessage, isTextPart } from "./chat-message.ts";

/**
 * Which requests may not go to a target with `api: "completions"`, where the edge renders the prompt and gets plain
 * text back? Those whose prompt or answer only the engine's own chat parser understands.
 */
export interface ParsedByEngine {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly unknown[] | null | undefined;
  readonly reasoning_effort?: string | null | undefined;
  readonly logprobs?: boolean | null | undefined;
}

/** The field that asks for the engine's parser, or null where plain text will do. */
export function needsEngineParser(request: ParsedByEngine): string | null {
  if (given(request.tools)) return "tools";
  if (typeof request.reasoning_effort === "string" && request.reasoning_effort !== "none")
    return "reasoning_effort";
  // A completion's `logprobs` has another form than a chat's.
  if (request.logprobs === true) return "logprobs";
  for (const message of request.messages) {
    if (message.role === "tool") return "messages";
    if (given(message.tool_calls)) return "messages";
    if (Array.isArray(message.content) && !message.content.every(isTextPart)) return "messages";
  }
  return null;
}

function given(list: readonly unknown[] | null | undefined): boolean {
  return list !== null && list !== undefined && list.length > 0;
}
