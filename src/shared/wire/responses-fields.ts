/**
 * Every field that a client may know from OpenAI's Responses API, and what happens to it here. The parser, the OpenAPI
 * document and docs/api-fields.md are made from these two tables.
 */
import * as z from "zod";
import type { FieldRule } from "./chat-fields.ts";
import type { RefusedField } from "./field-reader.ts";
import { lazyShape } from "./lazy-shape.ts";
import { requestLimits } from "./request-limits.ts";
import { sentItemSchema } from "./responses-items.ts";
import { responseTextSchema, responseToolChoiceSchema, responseToolSchema } from "./responses-tools.ts";
import { modelName, samplingShape } from "./sampling-shape.ts";
import { conversationName, metadataSchema, opaqueId, text, withoutEffect } from "./schema-parts.ts";

/** Events repeat a request's instructions and tools; this is how much of them fits into a journal's event. UTF-16 units of JSON, all together. */
export const maxEchoedUnits = 150_000;

/** Schemas of the accepted fields. For each of them null means absent. */
export const responseShape = lazyShape({
  model: () => modelName,
  input: () =>
    z.union([text(), z.array(sentItemSchema).min(1).max(requestLimits.messages)]).meta({
      description:
        "Text, or items: messages, function_call, function_call_output, reasoning, mcp_call, web_search_call, file_search_call.",
    }),
  instructions: () => text(maxEchoedUnits),

  previous_response_id: () => opaqueId,
  conversation: () => z.union([conversationName, z.strictObject({ id: conversationName })]),
  store: () => z.boolean(),
  background: () => z.boolean(),
  stream: () => z.boolean(),
  stream_options: () => z.strictObject({ include_obfuscation: z.boolean().nullish() }),
  truncation: () => z.enum(["auto", "disabled"]),

  max_output_tokens: () => z.int().min(1).max(requestLimits.maxTokens),
  temperature: () => samplingShape.temperature,
  top_p: () => samplingShape.top_p,
  top_logprobs: () => z.int().min(0).max(requestLimits.topLogprobs),
  text: () => responseTextSchema,
  reasoning: () =>
    z.strictObject({
      effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]).nullish(),
      summary: z.enum(["auto", "concise", "detailed"]).nullish(),
      generate_summary: z.enum(["auto", "concise", "detailed"]).nullish(),
      mode: z.string().max(64).nullish(),
      context: z.enum(["auto", "current_turn", "all_turns"]).nullish(),
    }),
  tools: () => z.array(responseToolSchema).max(requestLimits.tools),
  tool_choice: () => responseToolChoiceSchema,
  parallel_tool_calls: () => z.boolean(),
  max_tool_calls: () => z.int().min(1),
  include: () =>
    z.array(
      z.enum([
        "message.output_text.logprobs",
        "reasoning.encrypted_content",
        "message.input_image.image_url",
        "file_search_call.results",
        "web_search_call.results",
        "web_search_call.action.sources",
        "computer_call_output.output.image_url",
        "code_interpreter_call.outputs",
      ]),
    ),

  metadata: () => metadataSchema,
  user: () => samplingShape.user,
  safety_identifier: () => z.string().max(512),
  prompt_cache_key: () => z.string().max(1024),
  prompt_cache_retention: () => z.enum(["in_memory", "in-memory", "24h"]),
  prompt_cache_options: () => withoutEffect(z.looseObject({})),
  service_tier: () => z.string().max(64),
  client_metadata: () => withoutEffect(z.looseObject({})),

  frequency_penalty: () => samplingShape.frequency_penalty,
  presence_penalty: () => samplingShape.presence_penalty,
  seed: () => samplingShape.seed,
  stop: () => samplingShape.stop,
  top_k: () => samplingShape.top_k,
  min_p: () => samplingShape.min_p,
  repetition_penalty: () => samplingShape.repetition_penalty,
});

export type ResponseField = keyof typeof responseShape;

function rule(effect: FieldRule["effect"], note: string, origin: FieldRule["origin"] = "OpenAI"): FieldRule {
  return { origin, effect, note };
}

export const responseFieldRules: Readonly<Record<ResponseField, FieldRule>> = {
  model: rule("used", "A model or an alias of GET /v1/models."),
  input: rule("converted", "Text, or items; see below."),
  instructions: rule(
    "converted",
    "In front of everything else. Not taken over by the next response, as with OpenAI.",
  ),
  previous_response_id: rule(
    "used",
    "Goes on from a stored response of the caller's own, with everything before it: up to 256 responses; where there are more, 400, unless `truncation` is `auto`. Not beside `conversation`, nor from a response of one: send the conversation.",
  ),
  conversation: rule(
    "used",
    "A conversation's id, or `{id}`; also your own name for one, which is then made on first use.",
  ),
  store: rule(
    "used",
    "true, the default: the response can be had by its id for the tenant's `journal.retention_days`. false: it is gone a minute after its end (with an `Idempotency-Key`, a day; on a socket, when its lane has gone on from it, or with the socket).",
  ),
  background: rule("used", "true: answered at once; poll GET /v1/responses/{id}. Needs `store`."),
  stream: rule("used", "Events with `sequence_number`, which is also each event's `id:`."),
  stream_options: rule("none", "`include_obfuscation`: nothing is padded."),
  truncation: rule(
    "used",
    "`disabled`, the default: 400 where the prompt is over the window. `auto`, and every `conversation`: the oldest turns are left out.",
  ),
  max_output_tokens: rule(
    "converted",
    "Goes on as max_tokens. Absent: what the window and the limits leave.",
  ),
  temperature: rule("passed", "0 to 2."),
  top_p: rule("converted", "0 to 1. Engines refuse 0, so it goes on as 0.000001."),
  top_logprobs: rule("passed", "0 to 20; with `message.output_text.logprobs` in `include`."),
  text: rule(
    "converted",
    "`format`: text, json_object, json_schema. `verbosity` has no effect; it is repeated in the response.",
  ),
  reasoning: rule("converted", "`effort`, which only reasoning models heed; the others have no effect."),
  tools: rule(
    "converted",
    "Functions, also in namespaces, `web_search`, and one `file_search`, which is used here and which the engine never sees; up to 128. Other kinds are refused by name.",
  ),
  tool_choice: rule(
    "converted",
    "`allowed_tools` goes on as the shorter list of tools. A search of the web is offered, never chosen.",
  ),
  parallel_tool_calls: rule("converted", "Goes on where there are tools."),
  max_tool_calls: rule(
    "used",
    "The most calls of tools that the service runs itself, where that is less than the tenant's; `file_search` is one call at most.",
  ),
  include: rule(
    "used",
    "`message.output_text.logprobs`, `file_search_call.results`; the others have no effect.",
  ),
  metadata: rule("used", "Up to 16 pairs, kept with the response."),
  user: rule("none", "The user is known by the credential. Repeated in the response."),
  safety_identifier: rule("none", "The user is known by the credential. Repeated in the response."),
  prompt_cache_key: rule("none", "Prefix caching needs no key here. Repeated in the response."),
  prompt_cache_retention: rule("none", "The engine decides how long a prefix stays."),
  prompt_cache_options: rule("none", "The engine decides how long a prefix stays."),
  service_tier: rule(
    "none",
    "The tier is the credential's: the response says `default`, whatever was asked for.",
  ),
  client_metadata: rule("none", "Codex names its installation and its turn in it."),

  frequency_penalty: rule("passed", "-2 to 2.", "vLLM"),
  presence_penalty: rule("passed", "-2 to 2.", "vLLM"),
  seed: rule("passed", "64 bits.", "vLLM"),
  stop: rule("passed", "A string or up to four.", "vLLM"),
  top_k: rule("passed", "-1 or 0: all; else 1 to 1,000,000.", "vLLM"),
  min_p: rule("passed", "0 to 1.", "vLLM"),
  repetition_penalty: rule("passed", "Over 0, up to 2.", "vLLM"),
};

function refused(message: string): RefusedField {
  return { origin: "OpenAI", message };
}

/** Known fields that are not supported here: 400 `unsupported_parameter`. Null is accepted and means absent. */
export const refusedResponseFields: Readonly<Record<string, RefusedField>> = {
  prompt: refused("is not supported: prompt templates are not stored here; send instructions and input"),
  moderation: refused("is not supported: moderation is a policy of the tenant"),
  context_management: refused("is not supported: use conversation, or truncation 'auto'"),
  messages: refused("belongs to /v1/chat/completions: send input"),
  max_tokens: refused("belongs to /v1/chat/completions: send max_output_tokens"),
  max_completion_tokens: refused("belongs to /v1/chat/completions: send max_output_tokens"),
  response_format: refused("belongs to /v1/chat/completions: send text.format"),
  reasoning_effort: refused("belongs to /v1/chat/completions: send reasoning.effort"),
  n: refused("is not supported: a response is one answer"),
};
