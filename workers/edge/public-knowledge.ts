/** Files, vector stores and what is in them, as clients see them: OpenAI's form, and our fields beside. */
import {
  fileStatuses,
  type BatchView,
  type FileCounts,
  type FileStatus,
  type StoreFileView,
  type StoreView,
} from "../../src/shared/contracts/knowledge-base.ts";
import type { IdPage, LibraryFile } from "../../src/shared/contracts/library.ts";
import type { UploadView } from "../../src/shared/contracts/parted-upload.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import type { Refusal } from "../../src/shared/contracts/refusal.ts";
import { err, ok, type Result } from "../../src/shared/contracts/result.ts";
import { shownAttributes } from "../../src/shared/retrieval/passage.ts";
import type { FoundPassages } from "../../src/shared/retrieval/ports.ts";
import { invalidValue } from "../../src/shared/wire/zod-refusal.ts";
import type { EdgeContext } from "./handle.ts";

const daySeconds = 86_400;

export function publicFile(file: LibraryFile, owner: Owner): Record<string, unknown> {
  return {
    id: file.id,
    object: "file",
    bytes: file.bytes,
    created_at: seconds(file.createdMs),
    ...(file.expiresMs === null ? {} : { expires_at: seconds(file.expiresMs) }),
    filename: file.filename,
    purpose: file.purpose,
    // OpenAI's, deprecated. Clients wait for it.
    status: "processed",
    visibility: visibilityOf(owner),
  };
}

export function publicUpload(upload: UploadView, owner: Owner): Record<string, unknown> {
  return {
    id: upload.id,
    object: "upload",
    bytes: upload.bytes,
    created_at: seconds(upload.createdMs),
    expires_at: seconds(upload.expiresMs),
    filename: upload.filename,
    purpose: upload.purpose,
    status: upload.state,
    file: upload.file === null ? null : publicFile(upload.file, owner),
    visibility: visibilityOf(owner),
  };
}

export function publicUploadPart({
  partId,
  uploadId,
  createdMs,
}: {
  readonly partId: string;
  readonly uploadId: string;
  readonly createdMs: number;
}): Record<string, unknown> {
  return { id: partId, object: "upload.part", created_at: seconds(createdMs), upload_id: uploadId };
}

/** @param param the field that brings, or announces, what there is no room for */
export function fullOf(
  param: string,
  { limit, most }: { readonly limit: "files" | "parts" | "bytes"; readonly most: number },
): Refusal {
  const messages = {
    files: `There are ${most} files already, the most that this tenant allows. Delete some first.`,
    parts: `There are ${most} parts already, the most that an upload may have. Send larger ones.`,
    bytes: `With this file there would be more than ${most} bytes, the most that this tenant allows. Delete some first.`,
  };
  return { kind: "value-invalid", param, message: messages[limit] };
}

export function publicStore(store: StoreView, owner: Owner): Record<string, unknown> {
  const { expiresAfterDays: days, expiredMs, lastActiveMs } = store;
  const expiry =
    days === null
      ? { expires_at: null }
      : {
          expires_after: { anchor: "last_active_at", days },
          expires_at: seconds(expiredMs ?? lastActiveMs) + (expiredMs === null ? days * daySeconds : 0),
        };
  return {
    id: store.id,
    object: "vector_store",
    created_at: seconds(store.createdMs),
    name: store.name,
    description: store.description,
    usage_bytes: store.usageBytes,
    file_counts: publicCounts(store.counts),
    status: expiredMs === null ? (store.counts.in_progress > 0 ? "in_progress" : "completed") : "expired",
    ...expiry,
    last_active_at: seconds(lastActiveMs),
    metadata: store.metadata,
    visibility: visibilityOf(owner),
  };
}

export function publicStoreFile(file: StoreFileView, storeId: string): Record<string, unknown> {
  return {
    id: file.fileId,
    object: "vector_store.file",
    usage_bytes: file.usageBytes,
    created_at: seconds(file.createdMs),
    vector_store_id: storeId,
    status: file.status,
    last_error: file.lastError,
    attributes: file.attributes,
    chunking_strategy: {
      type: "static",
      static: {
        max_chunk_size_tokens: file.chunking.maxTokens,
        chunk_overlap_tokens: file.chunking.overlapTokens,
      },
    },
  };
}

export function publicBatch(batch: BatchView, storeId: string): Record<string, unknown> {
  return {
    id: batch.id,
    object: "vector_store.files_batch",
    created_at: seconds(batch.createdMs),
    vector_store_id: storeId,
    status: batchStatus(batch),
    file_counts: publicCounts(batch.counts),
  };
}

function batchStatus({ cancelledMs, counts }: BatchView): FileStatus {
  if (counts.in_progress > 0) return "in_progress";
  if (cancelledMs !== null) return "cancelled";
  return counts.failed > 0 && counts.completed === 0 ? "failed" : "completed";
}

export function publicResults(
  queries: readonly string[],
  { passages, lacking }: Pick<FoundPassages, "passages" | "lacking">,
): Record<string, unknown> {
  return {
    object: "vector_store.search_results.page",
    search_query: queries,
    data: passages.map((passage) => ({
      file_id: passage.fileId,
      filename: passage.filename,
      score: passage.score,
      attributes: shownAttributes(passage),
      content: [{ type: "text", text: passage.text }],
    })),
    has_more: false,
    next_page: null,
    ...(lacking === undefined ? {} : { lacking }),
  };
}

/** `limit`, `order`, `after` and `before`, as OpenAI has them. */
export function idPageOf(c: EdgeContext, most: number, usual: number): Result<IdPage, Refusal> {
  const limit = c.req.query("limit") ?? String(usual);
  const order = c.req.query("order") ?? "desc";
  if (!/^\d{1,5}$/.test(limit) || Number(limit) < 1 || Number(limit) > most)
    return err(invalidValue("limit", `must be a whole number from 1 to ${most}`));
  if (order !== "asc" && order !== "desc") return err(invalidValue("order", "must be 'asc' or 'desc'"));
  const after = c.req.query("after") ?? null;
  const before = c.req.query("before") ?? null;
  return ok({ after, before, limit: Number(limit), order });
}

/** `?filter=`: files in that state alone. */
export function statusOf(c: EdgeContext): Result<FileStatus | null, Refusal> {
  const filter = c.req.query("filter");
  if (filter === undefined) return ok(null);
  const status = fileStatuses.find((each) => each === filter);
  return status === undefined
    ? err(invalidValue("filter", `must be one of ${fileStatuses.map((each) => `'${each}'`).join(", ")}`))
    : ok(status);
}

function publicCounts(counts: FileCounts): Record<string, number> {
  return { ...counts, total: counts.in_progress + counts.completed + counts.failed + counts.cancelled };
}

function visibilityOf({ user }: Owner): "user" | "tenant" {
  return user === "" ? "tenant" : "user";
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
