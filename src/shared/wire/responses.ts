/**
 * What do the answers of the OpenAI routes look like? As schemas, for the documentation and for tests; nothing on the hot
 * path parses its own answers. Loose where engines add fields of their own.
 */
import * as z from "zod";
import { lackingParts } from "./lacking-parts.ts";
import { receiptMember } from "./receipt-responses.ts";

export const unixSeconds = z.lazy(() => z.int().min(0).meta({ description: "Seconds since 1970." }));

export const usageSchema = z.lazy(() =>
  z.looseObject({
    prompt_tokens: z.int().min(0),
    completion_tokens: z.int().min(0),
    total_tokens: z.int().min(0),
    prompt_tokens_details: z
      .looseObject({
        cached_tokens: z.int().min(0).optional().meta({ description: "Found in the engine's prefix cache." }),
      })
      .nullish(),
    completion_tokens_details: z.looseObject({ reasoning_tokens: z.int().min(0).optional() }).nullish(),
  }),
);

/** For a turn grounded in files: src/shared/grounding/citations.ts. */
const citationsMember = z.lazy(() =>
  z
    .array(
      z.looseObject({
        index: z.int().min(1).meta({ description: "The number in the text's [1]." }),
        file_id: z.string(),
        filename: z.string(),
        start: z.int().min(0),
        end: z.int().min(0).meta({ description: "Of the passage, in UTF-16 units of the file's text." }),
        score: z.number(),
        text: z.string().meta({ description: "The passage's first 300 characters." }),
        page: z.int().min(1).optional().meta({
          description:
            "The page of a PDF on which it stands (slide, sheet), from 1; absent of files without pages.",
        }),
      }),
    )
    .meta({ description: "The passages that the answer cites; absent where nobody asked for any." }),
);

const retrievalMember = z.lazy(() =>
  z
    .looseObject({
      passages: z.int().min(0).meta({ description: "So many the model was given." }),
      complete: z.literal(false),
      lacking: lackingParts.optional(),
    })
    .meta({
      description: "Not all stores could be searched in time, or with all that looks; absent where all were.",
    }),
);

const tokenLogprob = z.lazy(() =>
  z.looseObject({
    token: z.string(),
    logprob: z.number(),
    bytes: z.array(z.int()).nullable(),
    top_logprobs: z.array(
      z.looseObject({ token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullable() }),
    ),
  }),
);
const chatLogprobs = z.lazy(() =>
  z
    .looseObject({ content: z.array(tokenLogprob).nullable(), refusal: z.array(tokenLogprob).nullish() })
    .nullable(),
);

const finishReason = z.enum(["stop", "length", "tool_calls", "content_filter", "function_call"]);

const toolCall = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    type: z.literal("function"),
    function: z.looseObject({ name: z.string(), arguments: z.string() }),
  }),
);

export const chatCompletionSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("chat.completion"),
    created: unixSeconds,
    model: z.string(),
    choices: z.array(
      z.looseObject({
        index: z.int().min(0),
        message: z.looseObject({
          role: z.literal("assistant"),
          content: z.string().nullable(),
          refusal: z.string().nullable(),
          tool_calls: z.array(toolCall).optional(),
          reasoning: z.string().nullish(),
          reasoning_content: z.string().nullish(),
        }),
        logprobs: chatLogprobs,
        finish_reason: finishReason,
      }),
    ),
    citations: citationsMember.optional(),
    retrieval: retrievalMember.optional(),
    usage: usageSchema.optional(),
    metadata: z
      .record(z.string(), z.string())
      .optional()
      .meta({ description: "Of one with `store: true`: what was sent with it, until it is changed." }),
    edgewise: receiptMember.optional(),
  }),
);

export const chatCompletionChunkSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("chat.completion.chunk"),
    created: unixSeconds,
    model: z.string(),
    choices: z.array(
      z.looseObject({
        index: z.int().min(0),
        delta: z.looseObject({
          role: z.enum(["developer", "system", "user", "assistant", "tool"]).optional(),
          content: z.string().nullish(),
          refusal: z.string().nullish(),
          reasoning: z.string().nullish(),
          reasoning_content: z.string().nullish(),
          tool_calls: z
            .array(
              z.looseObject({
                index: z.int().min(0),
                id: z.string().optional(),
                type: z.literal("function").optional(),
                function: z
                  .looseObject({ name: z.string().optional(), arguments: z.string().optional() })
                  .optional(),
              }),
            )
            .optional(),
        }),
        logprobs: chatLogprobs.optional(),
        finish_reason: finishReason.nullable(),
      }),
    ),
    citations: citationsMember.optional(),
    retrieval: retrievalMember.optional(),
    usage: usageSchema.nullish(),
    edgewise: receiptMember.optional(),
  }),
);

export const errorSchema = z.lazy(() =>
  z.strictObject({
    error: z.strictObject({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  }),
);

/** One event of a stream in `stream_format: "text"`. */
export const textStreamEventSchema = z.lazy(() =>
  z.looseObject({
    text: z.string(),
    done: z.boolean(),
    tokens: z.int().min(0).optional().meta({ description: "Completion tokens billed; in the last event." }),
    finish_reason: finishReason.optional(),
    citations: citationsMember.optional(),
    retrieval: retrievalMember.optional(),
    error: errorSchema.unwrap().shape.error.optional(),
  }),
);

export const completionSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("text_completion"),
    created: unixSeconds,
    model: z.string(),
    choices: z.array(
      z.looseObject({
        index: z.int().min(0),
        text: z.string(),
        logprobs: z.looseObject({}).nullish(),
        finish_reason: z.enum(["stop", "length", "content_filter"]).nullable(),
      }),
    ),
    usage: usageSchema.nullish(),
    edgewise: receiptMember.optional(),
  }),
);

export const embeddingListSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("list"),
    model: z.string(),
    data: z.array(
      z.looseObject({
        object: z.literal("embedding"),
        index: z.int().min(0),
        embedding: z.union([
          z.array(z.number()),
          z.string().meta({ description: "base64 of 32-bit floats" }),
        ]),
      }),
    ),
    usage: z.looseObject({ prompt_tokens: z.int().min(0), total_tokens: z.int().min(0) }),
  }),
);

export const modelSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("model"),
    created: unixSeconds.meta({
      description:
        "Since when it is in the fleet (an alias: its first model), in seconds since 1970. 0: its document does not say.",
    }),
    owned_by: z.string(),
    context_window: z.int().optional().meta({ description: "Tokens of prompt and answer together." }),
    capabilities: z.array(z.string()).optional(),
  }),
);

export const modelListSchema = z.lazy(() =>
  z.strictObject({ object: z.literal("list"), data: z.array(modelSchema) }),
);

export const healthSchema = z.lazy(() => z.looseObject({ status: z.literal("ok") }));
export const readinessSchema = z.lazy(() =>
  z.looseObject({
    status: z.enum(["ready", "unavailable"]),
    part: z.string().optional().meta({ description: "What is not ready." }),
  }),
);

/** A durable turn that was stopped: ours, since OpenAI's chat completions can't be. */
export const cancellationSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("chat.completion.cancellation"),
    status: z.enum(["completed", "incomplete", "failed", "cancelled"]),
    cancelled: z.boolean().meta({ description: "Whether it ended by being stopped, now or before." }),
  }),
);
export const deletionSchema = z.lazy(() =>
  z.looseObject({ id: z.string(), object: z.string(), deleted: z.literal(true) }),
);
