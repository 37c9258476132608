/** The `/v1/batches` part of the route table (routes.ts), and what its answers look like. */
import * as z from "zod";
import { batchEndpoints } from "../contracts/batch.ts";
import { batchCreationSchema } from "./batch-request.ts";
import { pages } from "./knowledge-route-parts.ts";
import { everyBody, everyCall, type PublicRoute } from "./public-route.ts";
import { unixSeconds } from "./responses.ts";

const count = z.lazy(() => z.int().min(0));
const time = z.lazy(() => unixSeconds.optional());

const batchSchema = z.lazy(() =>
  z.looseObject({
    id: z.string(),
    object: z.literal("batch"),
    endpoint: z.enum(batchEndpoints),
    model: z.string().optional().meta({ description: "Absent until the file has been read." }),
    errors: z
      .looseObject({
        object: z.literal("list"),
        data: z.array(
          z.looseObject({
            code: z.string(),
            message: z.string(),
            param: z.string().nullable(),
            line: z.int().nullable(),
          }),
        ),
      })
      .optional(),
    input_file_id: z.string(),
    completion_window: z.literal("24h"),
    status: z.enum([
      "validating",
      "failed",
      "in_progress",
      "finalizing",
      "completed",
      "expired",
      "cancelling",
      "cancelled",
    ]),
    output_file_id: z.string().optional(),
    error_file_id: z.string().optional(),
    created_at: unixSeconds,
    in_progress_at: time,
    expires_at: unixSeconds,
    finalizing_at: time,
    completed_at: time,
    failed_at: time,
    expired_at: time,
    cancelling_at: time,
    cancelled_at: time,
    request_counts: z.looseObject({ total: count, completed: count, failed: count }),
    usage: z.looseObject({
      input_tokens: count,
      input_tokens_details: z.looseObject({ cached_tokens: count }),
      output_tokens: count,
      output_tokens_details: z.looseObject({ reasoning_tokens: count }),
      total_tokens: count,
    }),
    metadata: z.record(z.string(), z.string()).nullable(),
  }),
);

export const batchSchemas = {
  BatchCreation: batchCreationSchema,
  Batch: batchSchema,
  BatchList: z.lazy(() =>
    z.looseObject({
      object: z.literal("list"),
      data: z.array(batchSchema),
      first_id: z.string(),
      last_id: z.string(),
      has_more: z.boolean(),
    }),
  ),
};

const batchId = { id: "The batch's id." };

export const batchRoutes: readonly PublicRoute[] = [
  {
    method: "POST",
    path: "/v1/batches",
    tag: "Batches",
    summary: "Have many requests answered when there is room",
    description:
      "The requests lie in a file of the purpose `batch`, of one model, each with a `custom_id` of its own. They are answered within 24 hours, " +
      "where others leave room, and count and cost as any request does. What was answered lies in `output_file_id`, what was refused or never " +
      "begun in `error_file_id`, in the order in which it ended (`/v1/files/{id}/content`). " +
      "With an `Idempotency-Key`, a repeated call within 24 hours makes no other: it is answered with the batch as it is now.",
    scopes: [],
    headers: ["Idempotency-Key"],
    request: {
      schema: "BatchCreation",
      example: {
        input_file_id: "file-…",
        endpoint: "/v1/chat/completions",
        completion_window: "24h",
      },
    },
    success: { description: "The batch, whose file is being read", content: { "application/json": "Batch" } },
    errors: [...everyBody, 409, 422],
  },
  {
    method: "GET",
    path: "/v1/batches",
    tag: "Batches",
    summary: "List your batches",
    scopes: [],
    queryParameters: pages,
    success: { description: "A page of them", content: { "application/json": "BatchList" } },
    errors: [400, ...everyCall],
  },
  {
    method: "GET",
    path: "/v1/batches/{id}",
    tag: "Batches",
    summary: "Look at a batch",
    description: "For 30 days after its end. Its files stay.",
    scopes: [],
    pathParameters: batchId,
    success: { description: "The batch", content: { "application/json": "Batch" } },
    errors: [404, ...everyCall],
  },
  {
    method: "POST",
    path: "/v1/batches/{id}/cancel",
    tag: "Batches",
    summary: "Cancel a batch",
    description:
      "Requests that are under way end, and count; no other begins. What was answered lies in its files.",
    scopes: [],
    pathParameters: batchId,
    success: { description: "The batch", content: { "application/json": "Batch" } },
    errors: [404, 409, ...everyCall],
  },
];
