/** What does a response look like to its owner, at any moment of its life? OpenAI's `response` object, as JSON text. */
import type { Usage } from "../contracts/usage.ts";
import { costOf, type Price } from "../stream/wire-usage.ts";
import { isFunctionTool, type ResponseTool } from "../wire/responses-tools.ts";
import { conversationOf, type ResponseRequest } from "../wire/responses-request.ts";

/** What is the same in every object of one response. JSON, kept with the turn. */
export interface ResponseIdentity {
  readonly id: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** The request's fields that every object repeats. */
  readonly echo: Readonly<Record<string, unknown>>;
}

export type ResponseStatus = "queued" | "in_progress" | "completed" | "incomplete" | "failed" | "cancelled";

export interface ResponseEnd {
  readonly status: ResponseStatus;
  /** Seconds since 1970; of completed ones alone. */
  readonly completedAt: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly incompleteReason: "max_output_tokens" | "content_filter" | null;
  readonly usage: Usage | null;
  readonly price: Price | undefined;
}

export function echoOf(request: ResponseRequest): Readonly<Record<string, unknown>> {
  const conversation = conversationOf(request);
  const { text, reasoning, tools } = request;
  return {
    background: request.background ?? false,
    conversation: conversation === undefined ? null : { id: conversation },
    frequency_penalty: request.frequency_penalty ?? 0,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    metadata: request.metadata ?? {},
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    presence_penalty: request.presence_penalty ?? 0,
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request.prompt_cache_key ?? null,
    reasoning: { effort: reasoning?.effort ?? null, summary: reasoning?.summary ?? null },
    safety_identifier: request.safety_identifier ?? null,
    service_tier: "default",
    store: request.store ?? true,
    temperature: request.temperature ?? 1,
    text: { format: text?.format ?? { type: "text" }, ...verbosity(text?.verbosity) },
    tool_choice: request.tool_choice ?? "auto",
    tools: (tools ?? []).map(toolEcho),
    top_logprobs: request.top_logprobs ?? 0,
    top_p: request.top_p ?? 1,
    truncation: request.truncation ?? "disabled",
    ...(request.user === undefined ? {} : { user: request.user }),
  };
}

function toolEcho(tool: ResponseTool): object {
  if (tool.type === "file_search") {
    const { type, vector_store_ids, max_num_results, filters, ranking_options: ranking } = tool;
    return {
      type,
      vector_store_ids,
      ...(max_num_results == null ? {} : { max_num_results }),
      filters: filters ?? null,
      ranking_options: {
        ranker: ranking?.ranker ?? "auto",
        score_threshold: ranking?.score_threshold ?? 0,
      },
    };
  }
  if (tool.type === "namespace") {
    const { type, name, description, tools } = tool;
    return { type, name, description: description ?? "", tools: tools.map(toolEcho) };
  }
  if (!isFunctionTool(tool)) return { ...tool };
  const { type, name, description, parameters, strict } = tool;
  return {
    type,
    name,
    description: description ?? null,
    parameters: parameters ?? null,
    // Engines take it as advice at most.
    strict: strict ?? false,
  };
}

function verbosity(value: string | null | undefined): { readonly verbosity?: string } {
  return value === undefined || value === null ? {} : { verbosity: value };
}

/** @param output JSON of the items, as an array */
export function writeResponse(
  { id, createdAt, echo }: ResponseIdentity,
  model: string,
  end: ResponseEnd,
  output: string,
): string {
  const head = JSON.stringify({
    id,
    object: "response",
    created_at: createdAt,
    status: end.status,
    completed_at: end.completedAt,
    error: end.error,
    incomplete_details: end.incompleteReason === null ? null : { reason: end.incompleteReason },
    model,
    ...echo,
    // OpenAI's description knows no null for it, so that it is absent until the end.
    ...(end.usage === null ? {} : { usage: usageOf(end.usage, end.price) }),
  });
  return `${head.slice(0, -1)},"output":${output}}`;
}

/** Of a response that has no end yet, or was cancelled before it had begun. */
export function openEnd(status: "queued" | "in_progress" | "cancelled"): ResponseEnd {
  return {
    status,
    completedAt: null,
    error: null,
    incompleteReason: null,
    usage: null,
    price: undefined,
  };
}

function usageOf(usage: Usage, price: Price | undefined): object {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: 0 },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.promptTokens + usage.completionTokens,
    ...(price === undefined ? {} : { cost: costOf(usage, price) }),
  };
}
