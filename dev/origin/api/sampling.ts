import * as z from "zod";
import { ok, type Result } from "../../../src/shared/contracts/result.ts";
import { vocabularySize } from "../engine/tokenizer.ts";
import { badRequest, invalid, type EngineRefusal } from "../engine/refusal.ts";

/**
 * Which sampling parameters does the engine accept? The fields that both generation routes share, with the bounds and
 * messages of vLLM's `SamplingParams._verify_args`.
 */
const number = z.number().nullish();
const integer = z.int().nullish();
/** vLLM's `seed` is a `torch.long`; JSON represents such numbers exactly only up to 2^53. */
const long = z
  .number()
  .min(-(2 ** 63))
  .max(2 ** 63)
  .refine((value) => Number.isInteger(value), "Input should be a valid integer")
  .nullish();
const flag = z.boolean().nullish();

export const samplingFields = {
  model: z.string(),
  stream: flag,
  stream_options: z.looseObject({ include_usage: flag, continuous_usage_stats: flag }).nullish(),
  n: integer,
  max_tokens: integer,
  min_tokens: integer,
  temperature: number,
  top_p: number,
  top_k: integer,
  min_p: number,
  presence_penalty: number,
  frequency_penalty: number,
  repetition_penalty: number,
  seed: long,
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  stop_token_ids: z.array(z.int()).nullish(),
  include_stop_str_in_output: flag,
  ignore_eos: flag,
  skip_special_tokens: flag,
  add_special_tokens: flag,
  cache_salt: z.string().min(1).max(1024).nullish(),
  priority: integer,
  logit_bias: z.record(z.string(), z.number()).nullish(),
  bad_words: z.array(z.string()).nullish(),
  user: z.string().nullish(),
  request_id: z.string().nullish(),
  response_format: z
    .looseObject({
      type: z.enum(["text", "json_object", "json_schema", "structural_tag"]),
      json_schema: z
        .looseObject({
          name: z.string(),
          description: z.string().nullish(),
          schema: z.record(z.string(), z.unknown()).nullish(),
          strict: flag,
        })
        .nullish(),
    })
    .nullish(),
  structured_outputs: z
    .looseObject({
      json: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
      choice: z.array(z.string()).min(1).nullish(),
      regex: z.string().nullish(),
      grammar: z.string().nullish(),
    })
    .nullish(),
  truncate_prompt_tokens: integer,
  kv_transfer_params: z.record(z.string(), z.unknown()).nullish(),
} as const;

const samplingSchema = z.looseObject(samplingFields);
export type SamplingRequest = z.infer<typeof samplingSchema>;

/** The parameters as the generation uses them, defaults filled in. */
export interface Sampling {
  readonly n: number;
  readonly minTokens: number;
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  readonly includeStop: boolean;
  readonly ignoreEos: boolean;
  /** Chooses the wording; 0 for greedy sampling, or without a seed. */
  readonly variant: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
  readonly salt: string;
  readonly priority: number;
}

/** vLLM's default for `--max-logprobs`. */
export const maxLogprobs = 20;

export function readSampling(request: SamplingRequest): Result<Sampling, EngineRefusal> {
  if (request.stream_options && request.stream !== true)
    return invalid("Stream options can only be defined when `stream=True`.", "stream_options");
  const refused = outOfBounds(request);
  if (refused !== undefined) return badRequest(refused.message, refused.param);
  const stop = typeof request.stop === "string" ? [request.stop] : (request.stop ?? []);
  if (stop.includes("")) return badRequest("stop cannot contain an empty string.");
  const n = request.n ?? 1;
  const temperature = request.temperature ?? 1;
  if (temperature < 1e-5 && n > 1) return badRequest(`n must be 1 when using greedy sampling, got ${n}.`);
  const stream = request.stream === true;
  const includeUsage = stream && request.stream_options?.include_usage === true;
  return ok({
    n,
    minTokens: request.min_tokens ?? 0,
    stop,
    stopTokenIds: request.stop_token_ids ?? [],
    includeStop: request.include_stop_str_in_output === true,
    ignoreEos: request.ignore_eos === true,
    variant: temperature < 1e-5 ? 0 : Math.abs(request.seed ?? 0) % 2 ** 32,
    stream,
    includeUsage,
    // Like vLLM's should_include_usage: without include_usage it has no effect.
    continuousUsage: includeUsage && request.stream_options?.continuous_usage_stats === true,
    salt: request.cache_salt ?? "",
    priority: request.priority ?? 0,
  });
}

interface OutOfBounds {
  readonly message: string;
  readonly param: string | null;
}

function outOfBounds(request: SamplingRequest): OutOfBounds | undefined {
  const { n, temperature, top_p, top_k, min_p, max_tokens, min_tokens } = request;
  const { presence_penalty, frequency_penalty, repetition_penalty } = request;
  const say = (message: string, param: string | null = null) => ({ message, param });
  if (typeof n === "number" && n < 1) return say(`n must be at least 1, got ${n}.`, "n");
  if (typeof n === "number" && n > 128) return say(`n must be at most 128, got ${n}.`, "n");
  if (outside(presence_penalty, -2, 2))
    return say(`presence_penalty must be in [-2, 2], got ${presence_penalty}.`);
  if (outside(frequency_penalty, -2, 2))
    return say(`frequency_penalty must be in [-2, 2], got ${frequency_penalty}.`);
  if (typeof repetition_penalty === "number" && repetition_penalty <= 0)
    return say(`repetition_penalty must be greater than zero, got ${repetition_penalty}.`);
  if (typeof temperature === "number" && temperature < 0)
    return say(`temperature must be non-negative, got ${temperature}.`, "temperature");
  if (typeof temperature === "number" && temperature > 2)
    return say(`temperature must be in [0, 2], got ${temperature}.`, "temperature");
  if (typeof top_p === "number" && !(top_p > 0 && top_p <= 1))
    return say(`top_p must be in (0, 1], got ${top_p}.`, "top_p");
  if (typeof top_k === "number" && top_k < -1)
    return say(`top_k must be 0 (disable), or at least 1, got ${top_k}.`);
  if (outside(min_p, 0, 1)) return say(`min_p must be in [0, 1], got ${min_p}.`);
  if (typeof min_tokens === "number" && min_tokens < 0)
    return say(`min_tokens must be greater than or equal to 0, got ${min_tokens}.`);
  if (typeof max_tokens === "number" && typeof min_tokens === "number" && min_tokens > max_tokens)
    return say(`min_tokens must be less than or equal to max_tokens=${max_tokens}, got ${min_tokens}.`);
  if (request.bad_words?.includes("")) return say("bad_words cannot contain an empty string.");
  const foreign = request.stop_token_ids?.filter((id) => id < 0 || id >= vocabularySize) ?? [];
  if (foreign.length > 0)
    return say(
      `token_id(s) [${foreign.join(", ")}] in stop_token_ids contain out-of-vocab token ids. ` +
        `Vocabulary size: ${vocabularySize}`,
      "stop_token_ids",
    );
  const keys = Object.keys(request.logit_bias ?? {}).filter((key) => !/^\d+$/.test(key));
  if (keys.length > 0)
    return say(
      `logit_bias contains key(s) that cannot be converted to integer token IDs: ${JSON.stringify(keys)}`,
      "logit_bias",
    );
  return undefined;
}

function outside(value: number | null | undefined, least: number, most: number): boolean {
  return typeof value === "number" && !(value >= least && value <= most);
}

/** A zod failure in the shape of FastAPI's message, naming where. */
export function describeIssues(error: z.ZodError): {
  readonly message: string;
  readonly param: string | null;
} {
  const lines = error.issues.map((issue) => {
    const place = ["body", ...issue.path.map(String)].map((part) => `'${part}'`).join(", ");
    return `{'type': '${issue.code}', 'loc': (${place}), 'msg': '${issue.message}'}`;
  });
  const count = error.issues.length;
  return {
    message: `${count} validation error${count === 1 ? "" : "s"}:\n  ${lines.join("\n  ")}`,
    param: error.issues[0]?.path[0]?.toString() ?? null,
  };
}
