import * as z from "zod";

/** A tenant's `cache.semantic`: may an answer be used again for a question that was worded differently? */
export const semanticPolicySchema = z.lazy(() =>
  z
    .strictObject({
      mode: z.enum(["off", "on"]).default("off"),
      /** The least cosine of two questions. Null: the lexical embedder's own, which is measured (docs/semantic-cache.md). */
      threshold: z.number().min(0.5).max(1).nullable().default(null),
      /** A model of the fleet whose vectors know meanings. Null: words are compared, in process. */
      embedder: z
        .strictObject({ model: z.string().min(1).max(128) })
        .nullable()
        .default(null),
      /** Of one user, or of the tenant where answers are shared; the oldest gives way. */
      max_entries: z.int().min(10).max(2000).default(500),
    })
    .superRefine(({ threshold, embedder }, context) => {
      if (embedder !== null && threshold === null)
        context.addIssue({
          code: "custom",
          path: ["threshold"],
          message: "must be set with an embedder: what is near enough differs from model to model",
        });
    }),
);

/**
 * For the lexical embedder, chosen on the tuning half of `npm run eval:cache`. It compares canonical words, so that what the guards
 * let pass lies near 1 anyway; it is the guards that decide.
 */
export const lexicalThreshold = 0.95;
