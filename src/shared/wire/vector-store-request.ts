/** Is this body a request about vector stores (`/v1/vector_stores/*`), and what does it contain? */
import * as z from "zod";
import type { Refusal } from "../contracts/refusal.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { attributeFilterSchema, filterBounds } from "../retrieval/attribute-filter.ts";
import type { Attributes } from "../retrieval/passage.ts";
import type { PassageSearch } from "../retrieval/ports.ts";
import { parseJson } from "./parse-json.ts";
import { metadataSchema, opaqueId, text } from "./schema-parts.ts";
import { invalidValue, refusalOfIssues } from "./zod-refusal.ts";

/** OpenAI's bounds, where it has them. */
const bounds = {
  nameCharacters: 256,
  descriptionCharacters: 1024,
  filesOfCreation: 500,
  filesOfBatch: 2000,
  attributes: 16,
  /** Each is embedded and searched separately. */
  queries: 10,
  queryCharacters: 4096,
  results: 50,
} as const;

const attributesSchema = z.lazy(() =>
  z
    .record(
      z.string().min(1).max(filterBounds.keyCharacters),
      z.union([text(filterBounds.valueCharacters), z.number(), z.boolean()]),
    )
    .refine((pairs) => Object.keys(pairs).length <= bounds.attributes, {
      message: `may have at most ${bounds.attributes} pairs`,
    }),
);

const chunkingSchema = z.lazy(() =>
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("auto") }),
    z.strictObject({
      type: z.literal("static"),
      static: z
        .strictObject({
          max_chunk_size_tokens: z.int().min(100).max(4096),
          chunk_overlap_tokens: z.int().min(0).max(2048),
        })
        .refine(({ max_chunk_size_tokens: max, chunk_overlap_tokens: overlap }) => overlap <= max / 2, {
          path: ["chunk_overlap_tokens"],
          message: "may be at most half of max_chunk_size_tokens",
        }),
    }),
  ]),
);

const expirySchema = z.lazy(() =>
  z.strictObject({
    anchor: z.literal("last_active_at"),
    days: z.int().min(1).max(365),
  }),
);

export const vectorStoreCreationSchema = z.lazy(() =>
  z.strictObject({
    name: text(bounds.nameCharacters).nullish(),
    description: text(bounds.descriptionCharacters).nullish(),
    file_ids: z.array(opaqueId).max(bounds.filesOfCreation).nullish(),
    chunking_strategy: chunkingSchema.nullish(),
    expires_after: expirySchema.nullish(),
    metadata: metadataSchema.nullish(),
    visibility: z
      .enum(["user", "tenant"])
      .nullish()
      .meta({ description: "Ours: `tenant` (scope `tenant:admin`): all users of the tenant may search it." }),
  }),
);

export const vectorStoreUpdateSchema = z.lazy(() =>
  z.strictObject({
    name: text(bounds.nameCharacters).nullish(),
    expires_after: expirySchema.nullable().optional(),
    metadata: metadataSchema.nullish(),
  }),
);

const fileAttachment = () => ({
  file_id: opaqueId,
  attributes: attributesSchema.nullish(),
  chunking_strategy: chunkingSchema.nullish(),
});
export const vectorStoreFileCreationSchema = z.lazy(() => z.strictObject(fileAttachment()));

export const vectorStoreFileUpdateSchema = z.lazy(() =>
  z.strictObject({ attributes: attributesSchema.nullable() }),
);

export const vectorStoreBatchCreationSchema = z.lazy(() =>
  z
    .strictObject({
      file_ids: z.array(opaqueId).min(1).max(bounds.filesOfBatch).nullish(),
      files: z.array(vectorStoreFileCreationSchema).min(1).max(bounds.filesOfBatch).nullish(),
      attributes: attributesSchema.nullish(),
      chunking_strategy: chunkingSchema.nullish(),
    })
    .refine(({ file_ids: ids, files }) => (ids ?? null) !== null || (files ?? null) !== null, {
      path: ["file_ids"],
      message: "is required, unless files is sent",
    })
    .refine(({ file_ids: ids, files }) => (ids ?? null) === null || (files ?? null) === null, {
      path: ["files"],
      message: "can't be sent together with file_ids",
    }),
);

const query = z.lazy(() =>
  text(bounds.queryCharacters).refine((value) => value.trim() !== "", "must hold a word"),
);

export const vectorStoreSearchSchema = z.lazy(() =>
  z.strictObject({
    query: z.union([query, z.array(query).min(1).max(bounds.queries)]),
    filters: attributeFilterSchema.nullish(),
    max_num_results: z.int().min(1).max(bounds.results).nullish(),
    ranking_options: z
      .strictObject({
        ranker: z.enum(["none", "auto", "default-2024-11-15"]).nullish(),
        score_threshold: z.number().min(0).max(1).nullish(),
      })
      .nullish(),
    rewrite_query: z
      .boolean()
      .nullish()
      .meta({ description: "Without effect: queries are taken as they are." }),
  }),
);

export interface Chunking {
  readonly maxTokens: number;
  readonly overlapTokens: number;
}

/** OpenAI's `auto`. */
const autoChunking: Chunking = { maxTokens: 800, overlapTokens: 400 };

export interface WantedFile {
  readonly fileId: string;
  readonly attributes: Attributes;
  readonly chunking: Chunking;
}

export interface VectorStoreCreation {
  readonly name: string;
  readonly description: string;
  readonly files: readonly WantedFile[];
  readonly expiresAfterDays: number | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly forTenant: boolean;
}

export function parseVectorStoreCreation(body: string): Result<VectorStoreCreation, Refusal> {
  const read = parse(vectorStoreCreationSchema, body);
  if (!read.ok) return read;
  const { name, description, metadata, visibility, expires_after: expiry } = read.value;
  const chunking = chunkingOf(read.value.chunking_strategy);
  return ok({
    name: name ?? "",
    description: description ?? "",
    files: [...new Set(read.value.file_ids ?? [])].map((fileId) => ({ fileId, attributes: {}, chunking })),
    expiresAfterDays: expiry?.days ?? null,
    metadata: metadata ?? {},
    forTenant: visibility === "tenant",
  });
}

export interface VectorStoreChange {
  readonly name?: string;
  readonly expiresAfterDays?: number | null;
  readonly metadata?: Readonly<Record<string, string>>;
}

export function parseVectorStoreUpdate(body: string): Result<VectorStoreChange, Refusal> {
  const read = parse(vectorStoreUpdateSchema, body);
  if (!read.ok) return read;
  const { name, metadata, expires_after: expiry } = read.value;
  return ok({
    ...(name === undefined ? {} : { name: name ?? "" }),
    ...(metadata === undefined ? {} : { metadata: metadata ?? {} }),
    ...(expiry === undefined ? {} : { expiresAfterDays: expiry?.days ?? null }),
  });
}

export function parseVectorStoreFile(body: string): Result<WantedFile, Refusal> {
  const read = parse(vectorStoreFileCreationSchema, body);
  return read.ok ? ok(wanted(read.value)) : read;
}

export function parseVectorStoreFileUpdate(body: string): Result<Attributes, Refusal> {
  const read = parse(vectorStoreFileUpdateSchema, body);
  return read.ok ? ok(read.value.attributes ?? {}) : read;
}

export interface VectorStoreBatch {
  readonly files: readonly WantedFile[];
  /** The field with their ids. */
  readonly namedBy: "file_ids" | "files";
}

export function parseVectorStoreBatch(body: string): Result<VectorStoreBatch, Refusal> {
  const read = parse(vectorStoreBatchCreationSchema, body);
  if (!read.ok) return read;
  const { file_ids: ids, files, attributes, chunking_strategy: strategy } = read.value;
  const namedBy = ids === null || ids === undefined ? "files" : "file_ids";
  // If a file is named twice, the last entry counts.
  const byId = new Map(
    (files ?? (ids ?? []).map((id) => ({ file_id: id, attributes, chunking_strategy: strategy }))).map(
      (file) => [file.file_id, wanted(file)],
    ),
  );
  return ok({ files: [...byId.values()], namedBy });
}

export function parseVectorStoreSearch(body: string): Result<PassageSearch, Refusal> {
  const read = parse(vectorStoreSearchSchema, body);
  if (!read.ok) return read;
  const { query: asked, filters, max_num_results: results, ranking_options: ranking } = read.value;
  return ok({
    queries: typeof asked === "string" ? [asked] : asked,
    maxResults: results ?? 10,
    filters: filters ?? null,
    scoreThreshold: ranking?.score_threshold ?? 0,
    rerank: ranking?.ranker !== "none",
  });
}

function wanted(file: z.output<typeof vectorStoreFileCreationSchema>): WantedFile {
  return {
    fileId: file.file_id,
    attributes: file.attributes ?? {},
    chunking: chunkingOf(file.chunking_strategy),
  };
}

function chunkingOf(strategy: z.output<typeof chunkingSchema> | null | undefined): Chunking {
  if (strategy?.type !== "static") return autoChunking;
  const { max_chunk_size_tokens: maxTokens, chunk_overlap_tokens: overlapTokens } = strategy.static;
  return { maxTokens, overlapTokens };
}

function parse<Schema extends z.ZodType>(schema: Schema, body: string): Result<z.output<Schema>, Refusal> {
  const json = parseJson(body);
  if (!json.ok) return json;
  const { value } = json;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return err(invalidValue(null, "must be an object"));
  const parsed = schema.safeParse(value);
  return parsed.success ? ok(parsed.data) : err(refusalOfIssues(parsed.error.issues, [], value));
}
