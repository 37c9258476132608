/** Which fields steer the choice of tokens and the stream, in chat and in plain completions alike? With their bounds. */
import * as z from "zod";
import { lazyShape } from "./lazy-shape.ts";
import { requestLimits } from "./request-limits.ts";
import { int64, logitBiasSchema, stopSchema, streamOptionsSchema, text, tokenId } from "./schema-parts.ts";
import { responseFormatSchema, structuredOutputsSchema } from "./tools.ts";

export const modelName = z.lazy(() => z.string().min(1).max(requestLimits.idCharacters));

export const samplingShape = lazyShape({
  temperature: () => z.number().min(0).max(2),
  top_p: () => z.number().min(0).max(1),
  frequency_penalty: () => z.number().min(-2).max(2),
  presence_penalty: () => z.number().min(-2).max(2),
  seed: () => int64,
  stop: () => stopSchema,
  logit_bias: () => logitBiasSchema,
  n: () => z.int().min(1).max(requestLimits.answers),
  max_tokens: () => z.int().min(1).max(requestLimits.maxTokens),
  response_format: () => responseFormatSchema,
  stream: () => z.boolean(),
  stream_options: () => streamOptionsSchema,
  user: () => z.string().max(1024),

  top_k: () => z.int().min(-1).max(1_000_000),
  min_p: () => z.number().min(0).max(1),
  repetition_penalty: () => z.number().gt(0).max(2),
  length_penalty: () => z.number().min(-10).max(10),
  min_tokens: () => z.int().min(0).max(requestLimits.maxTokens),
  ignore_eos: () => z.boolean(),
  stop_token_ids: () => z.array(tokenId).max(requestLimits.tokenIds),
  allowed_token_ids: () => z.array(tokenId).min(1).max(requestLimits.tokenIds),
  bad_words: () => z.array(text(requestLimits.stopCharacters).min(1)).max(requestLimits.badWords),
  include_stop_str_in_output: () => z.boolean(),
  skip_special_tokens: () => z.boolean(),
  spaces_between_special_tokens: () => z.boolean(),
  return_tokens_as_token_ids: () => z.boolean(),
  structured_outputs: () => structuredOutputsSchema,
});
