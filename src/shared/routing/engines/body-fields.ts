/** What of a composed body is vLLM's own, and what becomes of its `structured_outputs` elsewhere? */
import { err, ok, type Result } from "../../contracts/result.ts";

/** Fields of a body that OpenAI's API does not know. A test holds the list against the tables of public fields. */
export const vllmFields: ReadonlySet<string> = new Set([
  "top_k",
  "min_p",
  "repetition_penalty",
  "min_tokens",
  "ignore_eos",
  "stop_token_ids",
  "allowed_token_ids",
  "bad_words",
  "include_stop_str_in_output",
  "skip_special_tokens",
  "spaces_between_special_tokens",
  "return_tokens_as_token_ids",
  "include_reasoning",
  "thinking_token_budget",
  "structured_outputs",
  "chat_template_kwargs",
  "add_special_tokens",
  "add_generation_prompt",
  "continue_final_message",
  "cache_salt",
]);

/** The same body without some of its fields. */
export function without(
  body: Readonly<Record<string, unknown>>,
  isDropped: (field: string) => boolean,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([field]) => !isDropped(field)));
}

/** `stream_options` as an engine has them that knows usage in the last chunk, or not at all. */
export function streamOptions(
  options: unknown,
  features: { readonly stream_usage: boolean; readonly continuous_usage: boolean },
): unknown {
  if (options === undefined || !features.stream_usage) return undefined;
  return features.continuous_usage ? options : { include_usage: true };
}

/** OpenAI's `response_format` in place of vLLM's `structured_outputs`; the error: it knows no such grammar. */
export function asResponseFormat(structured: unknown): Result<Record<string, unknown>, string> {
  const wanted = (structured ?? {}) as Readonly<Record<string, unknown>>;
  if (wanted["json_object"] === true) return ok({ type: "json_object" });
  const schema = wanted["json"];
  if (schema === undefined) return err(`structured_outputs of ${Object.keys(wanted).join(", ")}`);
  return ok({
    type: "json_schema",
    json_schema: { name: "answer", schema: typeof schema === "string" ? JSON.parse(schema) : schema },
  });
}
