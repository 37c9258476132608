/** What do the answers of `/v1/conversations/*` look like? As schemas, for the documentation and for tests. */
import * as z from "zod";
import { unixSeconds } from "./responses.ts";

export const conversationSchema = z.lazy(() =>
  z.looseObject({
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
  }),
);
const page = () => ({
  object: z.literal("list"),
  first_id: z.string(),
  last_id: z.string(),
  has_more: z.boolean(),
});
export const conversationListSchema = z.lazy(() =>
  z.looseObject({ ...page(), data: z.array(conversationSchema) }),
);
export const conversationBranchListSchema = z.lazy(() =>
  z.looseObject({
    ...page(),
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
  }),
);
const conversationDeletionSchema = z.lazy(() =>
  z.looseObject({
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
      .meta({ description: "Turns, and large items, whose own storage had not confirmed its erasure yet." }),
    recoverable_until: unixSeconds.meta({
      description: "Until then the platform could bring storage back (point-in-time recovery).",
    }),
    note: z.string(),
  }),
);
export const conversationDeletionListSchema = z.lazy(() =>
  z.looseObject({
    ...page(),
    data: z.array(conversationDeletionSchema),
  }),
);
export const conversationItemSchema = z.lazy(() => z.looseObject({ id: z.string(), type: z.string() }));
export const conversationExportSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("conversation.export"),
    exported_at: unixSeconds,
    conversation: conversationSchema,
    branches: conversationBranchListSchema.unwrap().shape.data,
    items: z.array(
      conversationItemSchema.unwrap().extend({
        created_at: unixSeconds,
        branch: z.string(),
        position: z.int().min(1),
      }),
    ),
  }),
);
export const conversationItemListSchema = z.lazy(() =>
  z.looseObject({ ...page(), data: z.array(conversationItemSchema) }),
);
