/**
 * What does the engine get to read? Its own model name, what the client asked for and may ask for, and what the edge adds.
 * Everything else stays here.
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
  /** Keeps one tenant's prefix cache apart from another's (vLLM). */
  readonly cacheSalt?: string | undefined;
  /** In place of the request's own: with history, system prompt and passages, trimmed. */
  readonly messages?: readonly object[];
  /** Tokens of each answer. Absent: the request's own, or none. */
  readonly maxTokens?: number;
}

const passed: ReadonlySet<string> = new Set(
  Object.entries(chatFieldRules)
    .filter(([, rule]) => rule.effect === "passed")
    .map(([field]) => field),
);

/** What a `top_p` of 0 means (only the likeliest token), in a value that engines take: theirs must be over 0. */
const smallestTopP = 0.000_001;

/** The body for `/v1/chat/completions` of an engine, as a new object. src/shared/prompt/compose.ts completes and serialises it. */
export function engineChatBody(request: ChatRequest, options: EngineChatOptions): Record<string, unknown> {
  const body: Record<string, unknown> = {
    model: options.servedName,
    messages: options.messages ?? request.messages,
  };
  for (const field in request) if (passed.has(field)) body[field] = request[field as keyof ChatRequest];
  if (request.top_p !== undefined) body["top_p"] = request.top_p === 0 ? smallestTopP : request.top_p;
  const maxTokens = options.maxTokens ?? request.max_completion_tokens ?? request.max_tokens;
  if (maxTokens !== undefined) body["max_tokens"] = maxTokens;
  if (request.min_tokens !== undefined)
    body["min_tokens"] = Math.min(request.min_tokens, maxTokens ?? request.min_tokens);
  if (request.response_format !== undefined) addResponseFormat(body, request.response_format);
  if (request.tools !== undefined && request.tools.length > 0) addTools(body, request, request.tools);
  if (options.stream) {
    body["stream"] = true;
    if (options.continuousUsage === true)
      body["stream_options"] = { include_usage: true, continuous_usage_stats: true };
    else if (options.streamUsage === true) body["stream_options"] = { include_usage: true };
  }
  if (options.cacheSalt !== undefined) body["cache_salt"] = options.cacheSalt;
  return body;
}

function addResponseFormat(
  body: Record<string, unknown>,
  format: NonNullable<ChatRequest["response_format"]>,
): void {
  if (format.type === "text") return;
  body["response_format"] =
    format.type === "json_schema" && format.json_schema.schema === undefined
      ? { type: "json_object" }
      : format;
}

function addTools(
  body: Record<string, unknown>,
  request: ChatRequest,
  tools: NonNullable<ChatRequest["tools"]>,
): void {
  const choice = request.tool_choice;
  if (request.parallel_tool_calls !== undefined) body["parallel_tool_calls"] = request.parallel_tool_calls;
  if (typeof choice === "object" && choice.type === "allowed_tools") {
    const allowed = new Set(choice.allowed_tools.tools.map((tool) => tool.function.name));
    body["tools"] = tools.filter((tool) => allowed.has(tool.function.name));
    body["tool_choice"] = choice.allowed_tools.mode;
    return;
  }
  body["tools"] = tools;
  if (choice !== undefined) body["tool_choice"] = choice;
}
