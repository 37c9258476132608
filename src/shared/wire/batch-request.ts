/** Is this body a request for a batch (`POST /v1/batches`), and what does it ask for? */
import * as z from "zod";
import { batchEndpoints, type BatchEndpoint } from "../contracts/batch.ts";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { parseJson } from "./parse-json.ts";
import { metadataSchema, opaqueId } from "./schema-parts.ts";
import { refusalOfIssues } from "./zod-refusal.ts";

export const batchCreationSchema = z.lazy(() =>
  z.strictObject({
    input_file_id: opaqueId.meta({
      description: "A file of the purpose `batch`: JSON Lines, each `{custom_id, method, url, body}`.",
    }),
    endpoint: z.enum(batchEndpoints),
    completion_window: z.literal("24h"),
    metadata: metadataSchema.nullish(),
    output_expires_after: z
      .strictObject({ anchor: z.literal("created_at"), seconds: z.int().min(3600).max(2_592_000) })
      .nullish()
      .meta({ description: "Of the files that it makes, from their making. Absent: they stay." }),
  }),
);

export interface BatchCreation {
  readonly inputFileId: string;
  readonly endpoint: BatchEndpoint;
  readonly metadata: Readonly<Record<string, string>> | null;
  readonly outputExpiresAfterMs: number | null;
}

/** The length of `24h`, the only window. */
export const completionWindowMs = 86_400_000;

export function parseBatchCreation(body: string): Result<BatchCreation, Refusal> {
  const json = parseJson(body);
  if (!json.ok) return json;
  const parsed = batchCreationSchema.safeParse(json.value);
  if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, [], json.value));
  const { input_file_id: inputFileId, endpoint, metadata, output_expires_after: expiry } = parsed.data;
  return ok({
    inputFileId,
    endpoint,
    metadata: metadata ?? null,
    outputExpiresAfterMs: expiry === null || expiry === undefined ? null : expiry.seconds * 1000,
  });
}
