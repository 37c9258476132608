/**
 * What do the fields of a checked request mean to an engine? OpenAI allows several forms for the same thing and some values
 * that engines refuse; after this there is one form, so that later stages need not know the others.
 */
import type { ChatRequest, SentChatRequest } from "./chat-request.ts";
import type { ResponseFormat } from "./tools.ts";

/** Engines require a `top_p` over 0. This value keeps only the likeliest token, as 0 asks for. */
const smallestTopP = 0.000_001;

/** Below this vLLM samples greedily or raises the temperature to it. */
const leastTemperature = 0.01;

interface Sampling {
  temperature?: number;
  n?: number;
  top_k?: number;
  top_p?: number;
  response_format?: ResponseFormat;
}

/** Shared by chat and plain completions. Changes the request in place. */
export function normaliseSampling(request: Sampling): void {
  if (request.top_p === 0) request.top_p = smallestTopP;
  // Engines refuse several greedy answers; with `top_k` 1 each of them is the greedy one.
  if (request.temperature !== undefined && request.temperature < leastTemperature && (request.n ?? 1) > 1) {
    request.temperature = leastTemperature;
    request.top_k = 1;
  }
  const format = request.response_format;
  if (format?.type === "text") delete request.response_format;
  // OpenAI allows the schema to be absent, which means any JSON object.
  else if (format?.type === "json_schema" && format.json_schema.schema === undefined)
    request.response_format = { type: "json_object" };
}

export function normaliseChat(sent: SentChatRequest): ChatRequest {
  const request: { -readonly [Field in keyof SentChatRequest]: SentChatRequest[Field] } = sent;
  normaliseSampling(request);
  if (request.tools === undefined || request.tools.length === 0) {
    delete request.tools;
    delete request.tool_choice;
    delete request.parallel_tool_calls;
    // `tool_choice` is gone by now: values that need tools were refused.
    return request as ChatRequest;
  }
  const choice = request.tool_choice;
  if (typeof choice === "object" && choice.type === "allowed_tools") {
    const allowed = new Set(choice.allowed_tools.tools.map((tool) => tool.function.name));
    request.tools = request.tools.filter((tool) => allowed.has(tool.function.name));
    request.tool_choice = choice.allowed_tools.mode;
  }
  // The forms of tool_choice that engines don't know were replaced above.
  return request as ChatRequest;
}
