/** What do the answers of `/v1/files/*`, `/v1/uploads/*` and `/v1/vector_stores/*` look like? As schemas, for the documentation and for tests. */
import * as z from "zod";
import { filePurposes, uploadPurposes } from "../contracts/library.ts";
import { lackingParts } from "./lacking-parts.ts";
import { unixSeconds } from "./responses.ts";

const visibility = z.lazy(() =>
  z
    .enum(["user", "tenant"])
    .meta({ description: "Ours: whether it is yours alone or all users of the tenant may read it." }),
);

const page = {
  object: z.literal("list"),
  first_id: z.string(),
  last_id: z.string(),
  has_more: z.boolean(),
};

export const fileSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("file"),
    bytes: z.int().min(0),
    created_at: unixSeconds,
    expires_at: unixSeconds.optional(),
    filename: z.string(),
    purpose: z.enum(filePurposes),
    status: z.literal("processed"),
    visibility,
  }),
);
export const fileListSchema = z.lazy(() => z.looseObject({ ...page, data: z.array(fileSchema) }));

export const fileUploadSchema = z.lazy(() =>
  z.strictObject({
    file: z.string().meta({ format: "binary", description: "The file, with its name." }),
    purpose: z.enum(uploadPurposes),
    expires_after: z
      .strictObject({ anchor: z.literal("created_at"), seconds: z.int().min(3600).max(2_592_000) })
      .optional()
      .meta({ description: "As the fields `expires_after[anchor]` and `expires_after[seconds]`." }),
  }),
);

export const uploadSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("upload"),
    bytes: z.int().min(1).meta({ description: "As announced." }),
    created_at: unixSeconds,
    expires_at: unixSeconds,
    filename: z.string(),
    purpose: z.enum(filePurposes),
    status: z.enum(["pending", "completed", "cancelled", "expired"]),
    file: fileSchema.nullable().meta({ description: "Of a completed one, until it is deleted." }),
    visibility,
  }),
);

export const uploadPartSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("upload.part"),
    created_at: unixSeconds,
    upload_id: z.string(),
  }),
);

const counts = z.lazy(() =>
  z.looseObject({
    in_progress: z.int().min(0),
    completed: z.int().min(0),
    failed: z.int().min(0),
    cancelled: z.int().min(0),
    total: z.int().min(0),
  }),
);

export const vectorStoreSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("vector_store"),
    created_at: unixSeconds,
    name: z.string(),
    description: z.string(),
    usage_bytes: z.int().min(0),
    file_counts: counts,
    status: z.enum(["expired", "in_progress", "completed"]),
    expires_after: z.looseObject({ anchor: z.literal("last_active_at"), days: z.int() }).optional(),
    expires_at: unixSeconds.nullable(),
    last_active_at: unixSeconds,
    metadata: z.record(z.string(), z.string()),
    visibility,
  }),
);
export const vectorStoreListSchema = z.lazy(() =>
  z.looseObject({ ...page, data: z.array(vectorStoreSchema) }),
);

const attributes = z.lazy(() => z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])));

export const vectorStoreFileSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("vector_store.file"),
    usage_bytes: z.int().min(0),
    created_at: unixSeconds,
    vector_store_id: z.string(),
    status: z.enum(["in_progress", "completed", "cancelled", "failed"]),
    last_error: z
      .looseObject({
        code: z.enum(["server_error", "unsupported_file", "invalid_file"]),
        message: z.string(),
      })
      .nullable(),
    attributes,
    chunking_strategy: z.looseObject({
      type: z.literal("static"),
      static: z.looseObject({ max_chunk_size_tokens: z.int(), chunk_overlap_tokens: z.int() }),
    }),
  }),
);
export const vectorStoreFileListSchema = z.lazy(() =>
  z.looseObject({ ...page, data: z.array(vectorStoreFileSchema) }),
);

export const vectorStoreBatchSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("vector_store.files_batch"),
    created_at: unixSeconds,
    vector_store_id: z.string(),
    status: z.enum(["in_progress", "completed", "cancelled", "failed"]),
    file_counts: counts,
  }),
);

const textPart = z.lazy(() => z.looseObject({ type: z.literal("text"), text: z.string() }));
const onePage = { has_more: z.literal(false), next_page: z.null() };

export const vectorStoreContentSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("vector_store.file_content.page"),
    data: z.array(textPart),
    ...onePage,
  }),
);

export const vectorStoreResultsSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("vector_store.search_results.page"),
    search_query: z.array(z.string()),
    data: z.array(
      z.looseObject({
        file_id: z.string(),
        filename: z.string(),
        score: z.number().min(0).max(1),
        attributes,
        content: z.array(textPart),
      }),
    ),
    ...onePage,
    lacking: lackingParts.optional(),
  }),
);
