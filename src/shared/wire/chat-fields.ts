/**
 * Every field that a client may know from OpenAI or vLLM, and what happens to it here. The parser, the body for the
 * engine, the OpenAPI document and docs/api-fields.md are all made from these two tables, so that they can't disagree.
 */
import * as z from "zod";
import { messagesSchema } from "./chat-messages.ts";
import type { RefusedField } from "./field-reader.ts";
import { joinShapes, lazyShape } from "./lazy-shape.ts";
import { requestLimits } from "./request-limits.ts";
import { retrievalSchema } from "./retrieval-fields.ts";
import { modelName, samplingShape } from "./sampling-shape.ts";
import { conversationName, metadataSchema, opaqueId, orAbsent, withoutEffect } from "./schema-parts.ts";
import { toolChoiceSchema, toolSchema } from "./tools.ts";

/** Schemas of the accepted fields. For each of them null means absent, as with OpenAI. */
export const chatShape = joinShapes(
  lazyShape({
    model: () => modelName,
    messages: () => messagesSchema,
  }),
  samplingShape,
  lazyShape({
    logprobs: () => z.boolean(),
    top_logprobs: () => z.int().min(0).max(requestLimits.topLogprobs),
    max_completion_tokens: () => z.int().min(1).max(requestLimits.maxTokens),
    reasoning_effort: () => z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
    tools: () => z.array(toolSchema).max(requestLimits.tools),
    tool_choice: () => toolChoiceSchema,
    parallel_tool_calls: () => z.boolean(),

    metadata: () => metadataSchema,
    modalities: () =>
      z
        .array(z.enum(["text", "audio"]))
        .min(1)
        .max(2)
        .refine((all) => !all.includes("audio"), {
          message: "can't hold 'audio': answers are text",
          params: { unsupported: true },
        }),
    prediction: () => withoutEffect(z.looseObject({ type: z.literal("content") })),
    prompt_cache_key: () => z.string().max(1024),
    prompt_cache_retention: () => z.enum(["in_memory", "in-memory", "24h"]),
    prompt_cache_options: () => withoutEffect(z.looseObject({})),
    safety_identifier: () => z.string().max(512),
    service_tier: () => z.enum(["auto", "default", "flex", "scale", "priority", "fast"]),
    store: () => z.boolean(),
    verbosity: () => z.enum(["low", "medium", "high"]),

    include_reasoning: () => z.boolean(),
    thinking_token_budget: () => z.int().min(0).max(requestLimits.maxTokens),
    chat_template_kwargs: () =>
      z.strictObject({
        enable_thinking: orAbsent(z.boolean()),
        thinking: orAbsent(z.boolean()),
      }),

    conversation_id: () => conversationName,
    parent_item_id: () => opaqueId,
    retrieval: () => retrievalSchema,
    stream_format: () => z.enum(["openai", "text"]),
  }),
);

export type ChatField = keyof typeof chatShape;

export interface FieldRule {
  readonly origin: "OpenAI" | "vLLM" | "Edgewise";
  /**
   * `passed`: sent to the engine unchanged. `converted`: sent in the engine's form (normalise-chat.ts). `used`: used
   * here. `none`: accepted and checked, without effect.
   */
  readonly effect: "passed" | "converted" | "used" | "none";
  readonly note: string;
}

function rule(origin: FieldRule["origin"], effect: FieldRule["effect"], note: string): FieldRule {
  return { origin, effect, note };
}

export const chatFieldRules: Readonly<Record<ChatField, FieldRule>> = {
  model: rule(
    "OpenAI",
    "used",
    "A model or an alias of GET /v1/models; the engine gets its own name for it.",
  ),
  messages: rule("OpenAI", "used", "`developer` goes on as `system`."),
  temperature: rule(
    "OpenAI",
    "converted",
    "0 to 2. 0 makes the answer cacheable. With n over 1, which engines refuse at 0, it goes on as top_k 1.",
  ),
  top_p: rule(
    "OpenAI",
    "converted",
    "0 to 1. Engines refuse 0, so it goes on as 0.000001: the most likely token alone.",
  ),
  frequency_penalty: rule("OpenAI", "passed", "-2 to 2."),
  presence_penalty: rule("OpenAI", "passed", "-2 to 2."),
  seed: rule("OpenAI", "passed", "64 bits. Above 2^53 the last digits are rounded, always in the same way."),
  stop: rule("OpenAI", "passed", "A string or up to four."),
  logit_bias: rule("OpenAI", "passed", "Token ids of the model, -100 to 100, up to 1,024."),
  logprobs: rule("OpenAI", "passed", ""),
  top_logprobs: rule("OpenAI", "passed", "0 to 20; needs logprobs: true."),
  n: rule("OpenAI", "passed", "1 to 16; 1 with a conversation. Tokens of all answers are metered."),
  max_tokens: rule("OpenAI", "used", "The older name of max_completion_tokens; both only if equal."),
  max_completion_tokens: rule(
    "OpenAI",
    "used",
    "Goes on as max_tokens; over the model's longest answer, that one is meant. Absent: what the window and the limits leave.",
  ),
  reasoning_effort: rule(
    "OpenAI",
    "passed",
    "Only reasoning models heed it. Where the engine knows fewer words, the nearest.",
  ),
  response_format: rule(
    "OpenAI",
    "converted",
    "`json_schema` without a schema goes on as `json_object`; `text` is the default.",
  ),
  tools: rule("OpenAI", "converted", "Functions, up to 128. An empty list counts as none."),
  tool_choice: rule("OpenAI", "converted", "`allowed_tools` goes on as the shorter list of tools."),
  parallel_tool_calls: rule("OpenAI", "converted", "Goes on where there are tools."),
  stream: rule("OpenAI", "used", ""),
  stream_options: rule(
    "OpenAI",
    "used",
    "`include_usage`; only with stream: true. `include_obfuscation` has no effect.",
  ),
  metadata: rule(
    "OpenAI",
    "used",
    "Up to 16 pairs. With store: true kept with the answer, and what `GET /v1/chat/completions` can be narrowed by; else only checked.",
  ),
  modalities: rule("OpenAI", "none", '`["text"]`, the default; `audio` is refused.'),
  prediction: rule("OpenAI", "none", "A hint for speed; the answer is the same without it."),
  prompt_cache_key: rule("OpenAI", "none", "Prefix caching needs no key here."),
  prompt_cache_retention: rule("OpenAI", "none", "The engine decides how long a prefix stays."),
  prompt_cache_options: rule("OpenAI", "none", "The engine decides how long a prefix stays."),
  safety_identifier: rule("OpenAI", "none", "The user is known by the credential."),
  service_tier: rule("OpenAI", "none", "The tier is the credential's."),
  store: rule(
    "OpenAI",
    "used",
    "true: the answer runs on without its client, can be had again by its id (`GET /v1/chat/completions/{id}`, its messages with it), and is in the list of its user (`GET /v1/chat/completions`), for as long as the tenant keeps answers.",
  ),
  user: rule("OpenAI", "none", "The user is known by the credential."),
  verbosity: rule("OpenAI", "none", "No open model has such a setting; say it in the prompt."),

  top_k: rule("vLLM", "passed", "-1 or 0: all; else 1 to 1,000,000."),
  min_p: rule("vLLM", "passed", "0 to 1."),
  repetition_penalty: rule("vLLM", "passed", "Over 0, up to 2."),
  length_penalty: rule("vLLM", "none", "It belongs to beam search, which is not offered."),
  min_tokens: rule("vLLM", "passed", "At most max_tokens."),
  ignore_eos: rule("vLLM", "passed", "The answer then runs to max_tokens, and is metered so."),
  stop_token_ids: rule("vLLM", "passed", "Up to 1,024."),
  allowed_token_ids: rule("vLLM", "passed", "Up to 1,024."),
  bad_words: rule("vLLM", "passed", "Up to 128."),
  include_stop_str_in_output: rule("vLLM", "passed", ""),
  skip_special_tokens: rule("vLLM", "passed", ""),
  spaces_between_special_tokens: rule("vLLM", "passed", ""),
  return_tokens_as_token_ids: rule("vLLM", "passed", "With logprobs."),
  include_reasoning: rule("vLLM", "passed", ""),
  thinking_token_budget: rule("vLLM", "passed", "Only reasoning models heed it."),
  structured_outputs: rule(
    "vLLM",
    "passed",
    "One of json, json_object, regex, choice, grammar; not beside response_format.",
  ),
  chat_template_kwargs: rule(
    "vLLM",
    "passed",
    "Only `enable_thinking` and `thinking`: others can change the prompt's frame.",
  ),

  conversation_id: rule(
    "Edgewise",
    "used",
    "Your name for a conversation, made on first use; or an id of ours (conv_…).",
  ),
  parent_item_id: rule(
    "Edgewise",
    "used",
    "With conversation_id: the item that this turn follows (`root`: none), to edit or to ask again; or a branch (`br_…`): its end. After any item but the last one it begins a branch, of which there are 1,000 at most; nothing is overwritten. The turn's branch then is the active one. Absent: the end of the branch that is active when the turn begins.",
  ),
  retrieval: rule(
    "Edgewise",
    "used",
    "`{vector_store_ids, max_num_results, filters, ranking_options}`: what these files say about the question goes into the prompt, and the answer carries `citations` ([grounding.md](grounding.md)). `false`: nothing, also of the tenant's default stores.",
  ),
  stream_format: rule("Edgewise", "used", '"openai" (default) or "text"; "text" needs stream: true.'),
};

function refused(origin: RefusedField["origin"], message: string): RefusedField {
  return { origin, message };
}

const ownFrame = "is not taken from clients: the prompt's frame is the model's own";
const routing = "is not taken from clients: it steers the engine's own routing";
const isolation = "is not taken from clients: it is part of what keeps tenants apart";
const promptBack =
  "is not supported: it would return parts of the prompt that are not yours, such as a system prompt";
const structured = "is not supported: use response_format, or structured_outputs";

function ofResponses(instead: string): RefusedField {
  return refused("OpenAI", `belongs to /v1/responses: send ${instead}`);
}

/** Fields of the Responses API, which some clients send to chat. */
export const refusedFieldsOfResponses: Readonly<Record<string, RefusedField>> = {
  input: ofResponses("messages"),
  instructions: ofResponses("a message of the role 'system'"),
  previous_response_id: ofResponses("the messages before, or conversation_id"),
  conversation: ofResponses("conversation_id"),
  max_output_tokens: ofResponses("max_completion_tokens"),
  reasoning: ofResponses("reasoning_effort"),
  text: ofResponses("response_format, or verbosity"),
};

function ofAnthropic(instead: string): RefusedField {
  return { origin: "Anthropic", message: `belongs to Anthropic's API: ${instead}` };
}

/** Known fields that are not supported here: 400 `unsupported_parameter`. Null is accepted and means absent. */
export const refusedChatFields: Readonly<Record<string, RefusedField>> = {
  ...refusedFieldsOfResponses,
  system: ofAnthropic("send a message of the role 'system'"),
  stop_sequences: ofAnthropic("send stop"),
  prompt: refused("OpenAI", "belongs to /v1/completions: send messages"),
  audio: refused("OpenAI", "is not supported: answers are text"),
  function_call: refused("OpenAI", "is not supported: use tool_choice, which replaced it"),
  functions: refused("OpenAI", "is not supported: use tools, which replaced it"),
  moderation: refused("OpenAI", "is not supported: moderation is a policy of the tenant"),
  web_search_options: refused("OpenAI", "is not supported: there is no web search in chat completions"),

  add_generation_prompt: refused("vLLM", ownFrame),
  add_special_tokens: refused("vLLM", ownFrame),
  chat_template: refused("vLLM", ownFrame),
  continue_final_message: refused("vLLM", ownFrame),
  documents: refused("vLLM", "is not supported: put the text into a message"),
  echo: refused("vLLM", promptBack),
  prompt_logprobs: refused("vLLM", promptBack),
  return_prompt_text: refused("vLLM", promptBack),
  return_token_ids: refused("vLLM", promptBack),
  return_token_offsets: refused("vLLM", promptBack),
  return_mm_kwargs: refused("vLLM", promptBack),
  media_io_kwargs: refused("vLLM", "is not taken from clients: it configures the engine's media readers"),
  mm_processor_kwargs: refused("vLLM", "is not taken from clients: it configures the engine's media readers"),
  truncate_prompt_tokens: refused(
    "vLLM",
    "is not supported: shorten the messages, or use conversation_id, which trims",
  ),
  truncation_side: refused(
    "vLLM",
    "is not supported: shorten the messages, or use conversation_id, which trims",
  ),
  best_of: refused("vLLM", "is not supported: use n"),
  use_beam_search: refused("vLLM", "is not supported: it can't stream, and costs as many slots as beams"),
  guided_choice: refused("vLLM", structured),
  guided_decoding_backend: refused("vLLM", structured),
  guided_grammar: refused("vLLM", structured),
  guided_json: refused("vLLM", structured),
  guided_regex: refused("vLLM", structured),
  guided_whitespace_pattern: refused("vLLM", structured),
  structural_tag: refused("vLLM", structured),
  logits_processors: refused("vLLM", "is not taken from clients: it names code to run in the engine"),
  vllm_xargs: refused("vLLM", "is not taken from clients: it configures the engine's extensions"),
  logprob_token_ids: refused("vLLM", "is not supported: use top_logprobs"),
  repetition_detection: refused("vLLM", "is not supported: use repetition_penalty"),
  stream_interval: refused("vLLM", "is not supported: every token is sent as it comes"),
  watermarking: refused("vLLM", "is not taken from clients"),
  routed_experts_prompt_start: refused("vLLM", routing),
  priority: refused("vLLM", routing),
  request_id: refused("vLLM", "is not taken from clients in the body: send the header x-request-id"),
  session_id: refused("vLLM", routing),
  kv_transfer_params: refused("vLLM", routing),
  ec_transfer_params: refused("vLLM", routing),
  cache_salt: refused("vLLM", isolation),
};
