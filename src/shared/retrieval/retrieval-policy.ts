/** What may a tenant's users keep to be searched, and how is it searched? The tenant's block `retrieval` (docs/configuration.md). */
import * as z from "zod";
import { mostIndexedPassages, outsideBounds } from "./outside-bounds.ts";

const fleetModelSchema = z.lazy(() => z.strictObject({ model: z.string().min(1).max(128) }));

export const retrievalPolicySchema = z.lazy(() =>
  z.strictObject({
    /** Bytes of one file. */
    max_file_bytes: z.int().min(1024).max(536_870_912).default(33_554_432),
    /** Files of one user; of the tenant as a whole, those that are everybody's. */
    max_files: z.int().min(1).max(10_000).default(1000),
    /** Bytes of all of them together. */
    max_total_bytes: z.int().min(1024).max(5_368_709_120).default(1_073_741_824),
    max_vector_stores: z.int().min(1).max(10_000).default(100),
    /** Passages of one vector store: they are searched one by one. */
    max_passages_per_store: z.int().min(1).max(outsideBounds.compared).default(20_000),
    /** The same where the platform has an index of vectors, in which those of a large store then lie as well. Absent: none of this tenant's do. */
    max_indexed_passages_per_store: z
      .int()
      .min(outsideBounds.compared + 1)
      .max(mostIndexedPassages)
      .nullable()
      .default(null),
    /** A model of the fleet that makes the vectors. Absent: made in process, from words alone. */
    embedder: fleetModelSchema.nullable().default(null),
    /** A model of the fleet that ranks what was found. Absent: ranked in process, by words. */
    reranker: fleetModelSchema.nullable().default(null),
    /** Searched for every chat that says nothing of `retrieval`. Stores of the whole tenant. */
    default_vector_store_ids: z.array(z.string().min(1).max(256)).max(4).default([]),
    /** Milliseconds that a turn waits for passages before it is answered without. */
    budget_ms: z.int().min(20).max(5000).default(200),
    /** Passages of a turn that names no number. */
    max_results: z.int().min(1).max(50).default(8),
  }),
);
