/**
 * Which fields of a client's request are copied to an engine, and on which way? An allow-list: what is not here never
 * gets there, whatever the public schema accepts. `chat`: only to `/v1/chat/completions`; `both`: to `/v1/completions`
 * as well. Messages, tools, stops, lengths and streaming are composed, not copied (compose.ts).
 */
export const engineFields: ReadonlyMap<string, "chat" | "both"> = new Map([
  ["frequency_penalty", "both"],
  ["logit_bias", "both"],
  ["n", "both"],
  ["presence_penalty", "both"],
  ["response_format", "both"],
  ["seed", "both"],
  ["temperature", "both"],
  ["top_p", "both"],
  // vLLM's sampling fields.
  ["allowed_token_ids", "both"],
  ["bad_words", "both"],
  ["ignore_eos", "both"],
  ["include_stop_str_in_output", "both"],
  ["min_p", "both"],
  ["min_tokens", "both"],
  ["repetition_penalty", "both"],
  ["skip_special_tokens", "both"],
  ["spaces_between_special_tokens", "both"],
  ["stop_token_ids", "both"],
  ["structured_outputs", "both"],
  ["top_k", "both"],
  // Read by the engine's chat parser.
  ["chat_template_kwargs", "chat"],
  ["include_reasoning", "chat"],
  ["logprobs", "chat"],
  ["parallel_tool_calls", "chat"],
  ["reasoning_effort", "chat"],
  ["return_tokens_as_token_ids", "chat"],
  ["thinking_token_budget", "chat"],
  ["tool_choice", "chat"],
  ["top_logprobs", "chat"],
]);
