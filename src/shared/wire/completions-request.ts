/** Is this body a request for a plain completion (`POST /v1/completions`), and which part of it does the engine get? */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { refusedChatFields, refusedFieldsOfResponses } from "./chat-fields.ts";
import { type FieldTable, parseFields, type RefusedField } from "./field-reader.ts";
import { joinShapes, lazyShape, makersOf } from "./lazy-shape.ts";
import { normaliseSampling } from "./normalise-chat.ts";
import { requestLimits } from "./request-limits.ts";
import { modelName, samplingShape } from "./sampling-shape.ts";
import { nullish, text } from "./schema-parts.ts";
import { invalidValue } from "./zod-refusal.ts";

/** The default of OpenAI and vLLM for `max_tokens`. */
export const defaultCompletionTokens = 16;

const completionShape = joinShapes(
  lazyShape({
    model: () => modelName,
    /**
     * Only text: token ids differ between models, and can't be screened.
     */
    prompt: () =>
      z
        .union([text(), z.array(text()).min(1).max(requestLimits.prompts)])
        .meta({ description: "Text, or up to 16 texts. Token ids are not taken." }),
  }),
  samplingShape,
  lazyShape({
    best_of: () =>
      z
        .int()
        .min(0)
        .max(20)
        .refine((value) => value <= 1, { message: "is not supported: use n", params: { unsupported: true } }),
    echo: () => z.boolean(),
    logprobs: () => z.int().min(0).max(5),
    add_special_tokens: () => z.boolean(),
  }),
);

type CompletionField = keyof typeof completionShape;

export type CompletionRequest = {
  readonly model: string;
  readonly prompt: string | readonly string[];
} & {
  readonly [Field in Exclude<CompletionField, "model" | "prompt">]?: z.output<
    (typeof completionShape)[Field]
  >;
};

/** Accepted and checked, but the engine does not get them, or only in another form. */
const kept: ReadonlySet<string> = new Set([
  "model",
  "stream",
  "stream_options",
  "user",
  "best_of",
  "length_penalty",
  "max_tokens",
] satisfies CompletionField[]);

/** The same as one schema, for the documentation. */
export const completionRequestSchema = z.lazy(() => {
  const { model, prompt, ...optional } = completionShape;
  return z.strictObject({ model, prompt, ...nullish(optional) });
});

const ownRefusals: Readonly<Record<string, RefusedField>> = {
  messages: { origin: "OpenAI", message: "belongs to /v1/chat/completions: send prompt" },
  input: { origin: "OpenAI", message: "belongs to /v1/responses: send prompt" },
  system: { origin: "Anthropic", message: "belongs to Anthropic's API: put it in front of prompt" },
  suffix: { origin: "OpenAI", message: "is not supported: no engine here fills in the middle" },
  prompt_embeds: { origin: "vLLM", message: "is not taken from clients: engines load it as Python objects" },
};

const table: FieldTable = {
  schemas: makersOf(completionShape),
  refused: new Map(
    [
      ...Object.entries(refusedChatFields).filter(
        ([field]) => !Object.hasOwn(refusedFieldsOfResponses, field),
      ),
      ...Object.entries(ownRefusals),
    ].filter(([field]) => !Object.hasOwn(completionShape, field)),
  ),
  required: ["model", "prompt"],
};

/** How every field is treated, for the tests that compare it with OpenAI's description. */
export const completionFields = { taken: [...table.schemas.keys()], refused: [...table.refused.keys()] };

/** Notes for docs/api-fields.md on the fields that chat lacks or treats differently. */
export const ownCompletionNotes: ReadonlyMap<string, string> = new Map([
  ["prompt", "Text, or up to 16 texts. Token ids are not taken: they mean something else to every model."],
  ["n", "1 to 16, times the number of prompts."],
  ["max_tokens", "16 where absent, as OpenAI has it; over the model's longest answer, that one is meant."],
  ["best_of", "Only 0 or 1: use n."],
  ["temperature", "0 to 2. With n over 1, which engines refuse at 0, it goes on as top_k 1."],
  ["echo", "The prompt in front of the answer."],
  ["logprobs", "0 to 5."],
  ["add_special_tokens", "Whether the engine puts its start token in front (vLLM); true where absent."],
  ...Object.entries(ownRefusals).map(([field, { message }]) => [field, `It ${message}.`] as const),
]);

/** Refusals: `json-invalid`, `value-invalid`, `parameter-unknown`, `parameter-unsupported`. */
export function parseCompletionRequest(body: string): Result<CompletionRequest, Refusal> {
  const read = parseFields(body, table);
  if (!read.ok) return read;
  // Each field was checked by its own schema, which TypeScript can't follow through a map.
  const request = read.value as unknown as CompletionRequest;
  const fault = completionFault(request);
  if (fault !== null) return err(fault);
  normaliseSampling(read.value);
  return ok(request);
}

/** How many answers the request asks for: `n` for every prompt. */
export function answersOf(request: CompletionRequest): number {
  return (request.n ?? 1) * (typeof request.prompt === "string" ? 1 : request.prompt.length);
}

function completionFault(request: CompletionRequest): Refusal | null {
  if (request.stream_options !== undefined && request.stream !== true)
    return invalidValue("stream_options", "is only allowed when 'stream' is true");
  if (answersOf(request) > requestLimits.answers)
    return invalidValue("n", `times the number of prompts must be at most ${requestLimits.answers}`);
  const most = request.max_tokens ?? defaultCompletionTokens;
  if (request.min_tokens !== undefined && request.min_tokens > most)
    return invalidValue("min_tokens", `must be at most max_tokens (${most})`);
  if (
    request.structured_outputs !== undefined &&
    request.response_format !== undefined &&
    request.response_format.type !== "text"
  )
    return invalidValue("structured_outputs", "can't stand beside 'response_format': send one of them");
  return null;
}

export interface EngineCompletionOptions {
  /** The model's name on the engine. */
  readonly servedName: string;
  /** Whether the *engine* is to stream, whatever the client asked for. */
  readonly stream: boolean;
  /** Usage in the stream's last chunk. Only if the engine supports it. */
  readonly streamUsage: boolean;
  /** Usage on every chunk (vLLM): exact on abort. Needs `streamUsage`. */
  readonly continuousUsage: boolean;
  /** Separates tenants' prefix caches (vLLM). Null: the engine does not support it. */
  readonly cacheSalt: string | null;
  /** The most tokens of each answer. */
  readonly maxTokens: number;
}

/** The JSON body for an engine's `/v1/completions`. */
export function buildEngineCompletionBody(
  request: CompletionRequest,
  options: EngineCompletionOptions,
): string {
  const body: Record<string, unknown> = { model: options.servedName };
  for (const field in request) if (!kept.has(field)) body[field] = request[field as keyof CompletionRequest];
  body["max_tokens"] = options.maxTokens;
  // The model's longest answer may be shorter than the client's minimum: engines refuse that contradiction.
  if (request.min_tokens !== undefined) body["min_tokens"] = Math.min(request.min_tokens, options.maxTokens);
  if (options.stream) {
    body["stream"] = true;
    if (options.streamUsage)
      body["stream_options"] = options.continuousUsage
        ? { include_usage: true, continuous_usage_stats: true }
        : { include_usage: true };
  }
  if (options.cacheSalt !== null) body["cache_salt"] = options.cacheSalt;
  return JSON.stringify(body);
}
