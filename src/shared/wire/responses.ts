/**
 * What do the answers of the OpenAI routes look like? As schemas, for the documentation and for tests; nothing on the hot
 * path parses its own answers. Loose where engines add fields of their own.
 */
import * as z from "zod";
import { receiptMember } from "./receipt-responses.ts";

const unixSeconds = z.int().min(0).meta({ description: "Seconds since 1970." });

export const usageSchema = z.looseObject({
  prompt_tokens: z.int().min(0),
  completion_tokens: z.int().min(0),
  total_tokens: z.int().min(0),
  prompt_tokens_details: z
    .looseObject({
      cached_tokens: z.int().min(0).optional().meta({ description: "Found in the engine's prefix cache." }),
    })
    .nullish(),
  completion_tokens_details: z.looseObject({ reasoning_tokens: z.int().min(0).optional() }).nullish(),
});

const tokenLogprob = z.looseObject({
  token: z.string(),
  logprob: z.number(),
  bytes: z.array(z.int()).nullable(),
  top_logprobs: z.array(
    z.looseObject({ token: z.string(), logprob: z.number(), bytes: z.array(z.int()).nullable() }),
  ),
});
const chatLogprobs = z
  .looseObject({ content: z.array(tokenLogprob).nullable(), refusal: z.array(tokenLogprob).nullish() })
  .nullable();

const finishReason = z.enum(["stop", "length", "tool_calls", "content_filter", "function_call"]);

const toolCall = z.looseObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});

export const chatCompletionSchema = z.looseObject({
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
  usage: usageSchema.optional(),
  edgewise: receiptMember.optional(),
});

export const chatCompletionChunkSchema = z.looseObject({
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
  usage: usageSchema.nullish(),
  edgewise: receiptMember.optional(),
});

export const errorSchema = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
});

/** One event of a stream in `stream_format: "text"`. */
export const textStreamEventSchema = z.looseObject({
  text: z.string(),
  done: z.boolean(),
  tokens: z.int().min(0).optional().meta({ description: "Completion tokens billed; in the last event." }),
  finish_reason: finishReason.optional(),
  error: errorSchema.shape.error.optional(),
});

export const completionSchema = z.looseObject({
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
});

export const embeddingListSchema = z.looseObject({
  object: z.literal("list"),
  model: z.string(),
  data: z.array(
    z.looseObject({
      object: z.literal("embedding"),
      index: z.int().min(0),
      embedding: z.union([z.array(z.number()), z.string().meta({ description: "base64 of 32-bit floats" })]),
    }),
  ),
  usage: z.looseObject({ prompt_tokens: z.int().min(0), total_tokens: z.int().min(0) }),
});

export const modelSchema = z.looseObject({
  id: z.string(),
  object: z.literal("model"),
  created: unixSeconds.meta({
    description:
      "Since when it is in the fleet (an alias: its first model), in seconds since 1970. 0: its document does not say.",
  }),
  owned_by: z.string(),
  context_window: z.int().optional().meta({ description: "Tokens of prompt and answer together." }),
  capabilities: z.array(z.string()).optional(),
});

export const modelListSchema = z.strictObject({ object: z.literal("list"), data: z.array(modelSchema) });

const usedTally = z.looseObject({
  requests: z.int().min(0),
  tokens: z.int().min(0),
  cost_usd: z.number().min(0),
});

const limitUnit = z.enum(["requests", "tokens", "concurrent_requests", "usd"]);

const scopeUsage = z.looseObject({
  limits: z.array(
    z.looseObject({
      name: z.string().meta({ description: "Such as requests_per_hour." }),
      of: z.literal("key").optional().meta({ description: "It is the API key's own limit." }),
      unit: limitUnit,
      limit: z.number().min(0),
      used: z
        .number()
        .min(0)
        .meta({ description: "Of the window: what was set aside and is not settled yet counts." }),
      remaining: z.number().min(0),
      reset_ms: z.number().min(0).meta({ description: "Until it is whole again." }),
    }),
  ),
  used: usedTally.meta({ description: "Settled since `since_ms`, exactly." }),
  reserved: usedTally.meta({ description: "Set aside for what is not settled yet." }),
  unsettled: usedTally.meta({ description: "Set aside and never settled: stays charged as estimated." }),
  unaccounted: usedTally.meta({ description: "The most that a crash may have made us forget." }),
  models: z
    .array(usedTally.extend({ model: z.string() }))
    .meta({ description: "By model, in the calendar month of the tenant's time zone." }),
});

/** `GET /v1/usage`: ours, since OpenAI has none for this. */
export const usageReportSchema = z.looseObject({
  object: z.literal("usage"),
  tier: z.string(),
  time_zone: z.string().meta({ description: "Whose days and months count." }),
  user: scopeUsage,
  org: scopeUsage,
});

const limitTable = z.array(
  z.looseObject({
    name: z.string(),
    unit: limitUnit,
    limit: z.number(),
    refill: z.string(),
    largest_loan: z
      .number()
      .meta({ description: "What one isolate may be lent at a time; 0: nothing is lent." }),
    most_left_unused_by_loans: z
      .number()
      .meta({ description: "However many isolates there are, loans leave at most so much unused." }),
    most_in_one_region: z
      .number()
      .optional()
      .meta({ description: "Of an org's limits: so much of that lies in one region's stock at most." }),
  }),
);

/** `GET /admin/limits`. */
export const limitsReportSchema = z.looseObject({
  object: z.literal("limits"),
  tenant: z.string(),
  time_zone: z.string(),
  tiers: z.record(z.string(), z.strictObject({ user: limitTable, org: limitTable })),
  loan_seconds: z.number(),
  when_exhausted: z.enum(["stop", "finish"]),
  when_unreachable: z.looseObject({ policy: z.enum(["closed", "open"]) }),
  bucket: scopeUsage
    .extend({
      scope: z.enum(["user", "org"]),
      id: z.string(),
      tier: z.string(),
      lent: usedTally.meta({ description: "On loan to isolates now." }),
      open_reservations: z.int().min(0),
    })
    .optional(),
});

export const healthSchema = z.looseObject({ status: z.literal("ok") });
export const readinessSchema = z.looseObject({
  status: z.enum(["ready", "unavailable"]),
  part: z.string().optional().meta({ description: "What is not ready." }),
});

/** A durable turn that was stopped: ours, since OpenAI's chat completions can't be. */
export const cancellationSchema = z.looseObject({
  id: z.string(),
  object: z.literal("chat.completion.cancellation"),
  status: z.enum(["completed", "incomplete", "failed", "cancelled"]),
  cancelled: z.boolean().meta({ description: "Whether it ended by being stopped, now or before." }),
});
export const deletionSchema = z.looseObject({ id: z.string(), object: z.string(), deleted: z.literal(true) });
export const conversationSchema = z.looseObject({
  id: z.string(),
  object: z.literal("conversation"),
  /** Seconds since 1970. */
  created_at: z.int(),
  metadata: z.record(z.string(), z.string()),
  title: z.string().nullable().meta({ description: "Ours: made from the first turn, until you give one." }),
  active_branch: z
    .string()
    .optional()
    .meta({ description: "Ours: the branch that turns go on. Not in lists." }),
});
const page = {
  object: z.literal("list"),
  first_id: z.string(),
  last_id: z.string(),
  has_more: z.boolean(),
};
export const conversationListSchema = z.looseObject({ ...page, data: z.array(conversationSchema) });
export const conversationBranchListSchema = z.looseObject({
  ...page,
  data: z.array(
    z.looseObject({
      id: z.string(),
      object: z.literal("conversation.branch"),
      created_at: unixSeconds,
      parent_branch: z.string().nullable(),
      parent_item_id: z
        .string()
        .nullable()
        .meta({ description: "The last item that it shares with its parent; null: none." }),
      last_item_id: z.string().nullable(),
      active: z.boolean(),
    }),
  ),
});
export const conversationDeletionSchema = z.looseObject({
  id: z.string(),
  object: z.literal("conversation.deletion"),
  conversation_id: z
    .string()
    .nullable()
    .meta({ description: "Null where it was a name of your own: such a name is content, and gone." }),
  deleted_at: unixSeconds,
  items: z.int().min(0),
  turns: z.int().min(0),
  turns_pending: z
    .int()
    .min(0)
    .meta({ description: "Turns whose own storage had not confirmed its erasure yet." }),
  recoverable_until: unixSeconds.meta({
    description: "Until then the platform could bring storage back (point-in-time recovery).",
  }),
  note: z.string(),
});
export const conversationDeletionListSchema = z.looseObject({
  ...page,
  data: z.array(conversationDeletionSchema),
});
export const conversationItemSchema = z.looseObject({ id: z.string(), type: z.string() });
export const conversationExportSchema = z.looseObject({
  object: z.literal("conversation.export"),
  exported_at: unixSeconds,
  conversation: conversationSchema,
  branches: conversationBranchListSchema.shape.data,
  items: z.array(
    conversationItemSchema.extend({ created_at: unixSeconds, branch: z.string(), position: z.int().min(1) }),
  ),
});
export const conversationItemListSchema = z.looseObject({ ...page, data: z.array(conversationItemSchema) });
