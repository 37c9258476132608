/**
 * Which parts of a chat request does the engine get? Its own name for the model, the client's fields that it may set, and
 * what the edge adds. Nothing else.
 */
import { chatFieldRules } from "./chat-fields.ts";
import type { ChatRequest } from "./chat-request.ts";

export interface EngineChatOptions {
  /** The model's name on the engine. */
  readonly servedName: string;
  /** Whether the *engine* is to stream, whatever the client asked for. */
  readonly stream: boolean;
  /** Usage in the stream's last chunk. Only where the engine knows it. */
  readonly streamUsage?: boolean | undefined;
  /** Usage on every chunk (vLLM): exact on abort. Implies `streamUsage`. */
  readonly continuousUsage?: boolean | undefined;
  /** Separates tenants' prefix caches (vLLM). */
  readonly cacheSalt?: string | undefined;
  /** Replaces the request's messages: with history, system prompt and passages, trimmed. */
  readonly messages?: readonly object[];
  /** The most tokens of each answer. Absent: the request's own value, or none. */
  readonly maxTokens?: number | undefined;
}

/** An allow-list: other fields never reach the engine, whatever the public schema accepts. */
const copied: ReadonlySet<string> = new Set(
  Object.entries(chatFieldRules)
    .filter(([, rule]) => rule.effect === "passed" || rule.effect === "converted")
    .map(([field]) => field),
);

/** The body for `/v1/chat/completions` of an engine, as a new object. src/shared/prompt/compose.ts completes and serialises it. */
export function engineChatBody(request: ChatRequest, options: EngineChatOptions): Record<string, unknown> {
  const body: Record<string, unknown> = {
    model: options.servedName,
    messages: options.messages ?? request.messages,
  };
  for (const field in request) if (copied.has(field)) body[field] = request[field as keyof ChatRequest];
  const maxTokens = options.maxTokens ?? request.max_completion_tokens ?? request.max_tokens;
  if (maxTokens !== undefined) {
    body["max_tokens"] = maxTokens;
    // The window or a limit may allow less than the client's minimum: engines refuse that contradiction.
    if (request.min_tokens !== undefined) body["min_tokens"] = Math.min(request.min_tokens, maxTokens);
  }
  if (options.stream) {
    body["stream"] = true;
    if (options.continuousUsage === true)
      body["stream_options"] = { include_usage: true, continuous_usage_stats: true };
    else if (options.streamUsage === true) body["stream_options"] = { include_usage: true };
  }
  if (options.cacheSalt !== undefined) body["cache_salt"] = options.cacheSalt;
  return body;
}
