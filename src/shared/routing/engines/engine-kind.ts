/** Which engines are there, and what does each understand unless its model record says otherwise? Data only. */
import * as z from "zod";

export const engineKindSchema = z.enum(["vllm", "tensorrt-llm", "openai", "workers-ai"]);
export type EngineKind = z.infer<typeof engineKindSchema>;

/** What an engine understands beyond the OpenAI API. */
export interface EngineFeatures {
  /** `stream_options.include_usage`. */
  readonly stream_usage: boolean;
  /** `continuous_usage_stats`: exact counts also when a stream is cut. */
  readonly continuous_usage: boolean;
  /** `/tokenize`. */
  readonly tokenize: boolean;
  /** A metrics page in the engine's own names. */
  readonly metrics: boolean;
  /** `cache_salt`: one tenant's prefix cache tells another nothing. */
  readonly cache_salt: boolean;
  /** `continue_final_message`: another replica can go on with a broken answer. */
  readonly continuation: boolean;
  /** vLLM's sampling fields (`top_k`, `min_p`, …); elsewhere they are left out of the body. */
  readonly sampling_fields: boolean;
  /** The length of an answer is called `max_completion_tokens`, and `max_tokens` is refused. */
  readonly max_completion_tokens: boolean;
  /** `n` over 1: several choices. Servers that only know one choice mostly ignore the field. */
  readonly choices: boolean;
}

const nothing: EngineFeatures = {
  stream_usage: false,
  continuous_usage: false,
  tokenize: false,
  metrics: false,
  cache_salt: false,
  continuation: false,
  sampling_fields: false,
  max_completion_tokens: false,
  choices: false,
};

/**
 * vLLM 0.6 and later; trtllm-serve 1.0 and later (its request schema forbids unknown fields:
 * tensorrt_llm/serve/openai_protocol.py); the published OpenAI API; Workers AI's binding.
 */
export const engineDefaults: Readonly<Record<EngineKind, EngineFeatures>> = {
  vllm: {
    stream_usage: true,
    continuous_usage: true,
    tokenize: true,
    metrics: true,
    cache_salt: true,
    continuation: true,
    sampling_fields: true,
    max_completion_tokens: false,
    choices: true,
  },
  "tensorrt-llm": {
    ...nothing,
    stream_usage: true,
    continuous_usage: true,
    metrics: true,
    cache_salt: true,
    sampling_fields: true,
    choices: true,
  },
  openai: { ...nothing, stream_usage: true, choices: true },
  "workers-ai": nothing,
};
