/** What may a request ask of vector stores? One form for a chat's `retrieval` and for the Responses API's tool `file_search`. */
import * as z from "zod";
import { attributeFilterSchema } from "../retrieval/attribute-filter.ts";
import { lazyShape } from "./lazy-shape.ts";
import { opaqueId, withoutEffect } from "./schema-parts.ts";

/** Stores of one turn. They are searched in parallel, and an isolate has six connections in all. */
const mostStores = 4;
/** OpenAI's bound. */
const mostResults = 50;

const storeIds = z.lazy(() => z.array(opaqueId).min(1).max(mostStores));

export const retrievalShape = lazyShape({
  vector_store_ids: () => storeIds,
  max_num_results: () => z.int().min(1).max(mostResults).nullish(),
  filters: () => attributeFilterSchema.nullish(),
  ranking_options: () =>
    z
      .strictObject({
        ranker: z.enum(["none", "auto", "default-2024-11-15", "default_2024_08_21"]).nullish(),
        score_threshold: z.number().min(0).max(1).nullish(),
        hybrid_search: withoutEffect(z.looseObject({}).nullish()),
      })
      .nullish(),
});

const asked = z.lazy(() => z.strictObject(retrievalShape));
export type AskedRetrieval = z.output<typeof asked>;

export const retrievalSchema = z.lazy(() => z.union([z.literal(false), asked]));
