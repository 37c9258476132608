/**
 * Which fields of a chat request change the answer? Every field of the public schema stands here once; a test fails when
 * one is missing. `answer`: part of the exact cache's key. `delivery`: says how the answer travels, who asks, or has no
 * effect here, so that two requests that differ in it alone share an entry. A field that is not here (it can only be a
 * new one) counts as `answer`: forgetting it costs hits, never a wrong answer.
 */
export const keyFields: Readonly<Record<string, "answer" | "delivery">> = {
  messages: "answer",
  temperature: "answer",
  top_p: "answer",
  frequency_penalty: "answer",
  presence_penalty: "answer",
  seed: "answer",
  stop: "answer",
  logit_bias: "answer",
  logprobs: "answer",
  top_logprobs: "answer",
  n: "answer",
  max_tokens: "answer",
  max_completion_tokens: "answer",
  reasoning_effort: "answer",
  response_format: "answer",
  tools: "answer",
  tool_choice: "answer",
  parallel_tool_calls: "answer",
  retrieval: "answer",
  conversation_id: "answer",
  parent_item_id: "answer",
  top_k: "answer",
  min_p: "answer",
  repetition_penalty: "answer",
  min_tokens: "answer",
  ignore_eos: "answer",
  stop_token_ids: "answer",
  allowed_token_ids: "answer",
  bad_words: "answer",
  include_stop_str_in_output: "answer",
  skip_special_tokens: "answer",
  spaces_between_special_tokens: "answer",
  return_tokens_as_token_ids: "answer",
  include_reasoning: "answer",
  thinking_token_budget: "answer",
  structured_outputs: "answer",
  chat_template_kwargs: "answer",

  // The alias and the model that it meant are parts of the key of their own.
  model: "delivery",
  stream: "delivery",
  stream_options: "delivery",
  stream_format: "delivery",
  // The user is known from the credential and part of the key.
  user: "delivery",
  safety_identifier: "delivery",
  metadata: "delivery",
  store: "delivery",
  // Without effect here.
  length_penalty: "delivery",
  modalities: "delivery",
  prediction: "delivery",
  prompt_cache_key: "delivery",
  prompt_cache_options: "delivery",
  prompt_cache_retention: "delivery",
  service_tier: "delivery",
  verbosity: "delivery",
};

/**
 * Fields whose objects a model reads in the order in which they were written: a JSON schema's properties are printed
 * into the prompt and fix the order of a structured answer. Everywhere else the order of keys means nothing.
 */
export const orderedFields: ReadonlySet<string> = new Set(["tools", "response_format", "structured_outputs"]);

/**
 * Values with which a field says what its absence says, whatever the engine: some clients send them always. Not those of the
 * sampling, whose defaults are each model's own.
 */
export const sayNothing: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["n", 1],
  ["logprobs", false],
  ["retrieval", false],
]);

/** A field's older name, and the name under which it stands in a key. */
export const olderNames: ReadonlyMap<string, string> = new Map([["max_tokens", "max_completion_tokens"]]);
