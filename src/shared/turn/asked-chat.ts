/** A chat request (`POST /v1/chat/completions`) as the stages of a turn read it. */
import { type ChatMessage, type ContentPart, flattenContent } from "../prompt/chat-message.ts";
import { composePrompt } from "../prompt/compose.ts";
import { estimatePromptTokens, usualOverhead } from "../prompt/token-estimate.ts";
import type { Question } from "../routing/models/difficulty.ts";
import type { Capability } from "../routing/fleet/fleet-config.ts";
import type { ChatRequest } from "../wire/chat-request.ts";
import type { Asked } from "./asked.ts";

export function askedChat(request: ChatRequest): Asked {
  const capabilities = neededFor(request);
  return {
    model: request.model,
    capabilities,
    stream: request.stream === true,
    format: request.stream_format === "text" ? "text" : "openai-chat",
    shape: "chat",
    includeUsage: request.stream_options?.include_usage === true,
    contentIsJson: capabilities.includes("structured-output"),
    namesTool: typeof request.tool_choice === "object",
    choices: request.n ?? 1,
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? null,
    cacheable: request,
    estimatePromptTokens: () => estimatePromptTokens(request, usualOverhead),
    question: () => questionOf(request),
    compose: (terms) => composePrompt({ request, ...terms }),
  };
}

/** Of a stored conversation only what was sent now: its history is loaded later. */
function questionOf({ messages }: ChatRequest): Question {
  const at = messages.findLastIndex(({ role }) => role === "user");
  const last = messages[at];
  const { content } = last ?? {};
  const hasMedia = Array.isArray(content) && content.some(({ type }) => type !== "text");
  return { text: flattenContent(content), earlierMessages: Math.max(0, at), hasMedia };
}

const chatOnly: readonly Capability[] = ["chat"];

function neededFor(request: ChatRequest): readonly Capability[] {
  const needs: Capability[] = [];
  if (request.tools !== undefined && request.tools.length > 0) needs.push("tools");
  const format = request.response_format;
  if ((format !== undefined && format.type !== "text") || request.structured_outputs !== undefined)
    needs.push("structured-output");
  needs.push(...neededToRead(request.messages));
  return needs.length === 0 ? chatOnly : ["chat", ...needs];
}

/** What a model must be able to do to take these in. */
export function neededToRead(messages: readonly Pick<ChatMessage, "content">[]): readonly Capability[] {
  const needs: Capability[] = [];
  for (const { content } of messages) {
    if (!Array.isArray(content)) continue;
    for (const { type } of content as readonly ContentPart[]) {
      if (type === "image_url" && !needs.includes("vision")) needs.push("vision");
      if (type === "input_audio" && !needs.includes("audio")) needs.push("audio");
    }
  }
  return needs;
}
