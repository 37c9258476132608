/**
 * What may an alias be? The schema of `aliases.<name>` in the fleet file: which model answers, chosen how, and which other
 * one gets a copy. docs/models.md explains each strategy; src/shared/routing/fleet/alias-route.ts carries them out.
 */
import * as z from "zod";
import { tierSchema } from "../../limits/tier.ts";

/** Ids of models, clusters, replicas and aliases. */
export const fleetIdSchema = z.lazy(() =>
  z
    .string()
    .regex(
      /^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,127}$/,
      "1 to 128 letters, digits and . _ : / -, the first a letter or digit",
    ),
);

const models = z.lazy(() => z.array(fleetIdSchema).min(1).max(8));
/** After the chosen model, in this order, when it is down. */
const fallback = z.lazy(() => z.array(fleetIdSchema).max(8).default([]));

const shadowSchema = z.lazy(() =>
  z.strictObject({
    /** The model that gets a copy of the request; its answer is thrown away. */
    model: fleetIdSchema,
    /** Of the alias's requests, 0 to 1. */
    share: z.number().min(0).max(1),
    /** Copies that an isolate has running at once; beyond, a request has none. */
    max_at_once: z.int().min(1).max(16).default(4),
  }),
);

const armSchema = z.lazy(() =>
  z.strictObject({
    /** In metrics and in the log; the users of an arm stay with its place in the list, not with its name. */
    name: z
      .string()
      .regex(
        /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,31}$/,
        "1 to 32 letters, digits and . _ -, the first a letter or digit",
      ),
    model: fleetIdSchema,
    /** Relative to the sum of all arms' weights. 0: none but those who fall back. */
    weight: z.number().min(0).max(1_000_000),
  }),
);

const escalateSchema = z.lazy(() =>
  z.strictObject({
    /** Prompts estimated longer than this go to the strong model. */
    prompt_tokens_over: z.int().min(1).max(10_000_000).default(6000),
    /** So do requests for more answer than this. */
    max_tokens_over: z.int().min(1).max(1_000_000).default(4096),
    /** And those that offer tools. */
    tools: z.boolean().default(true),
    /** And those that want JSON or a grammar. */
    structured_output: z.boolean().default(false),
    /** And all of these tiers. */
    tiers: z.array(tierSchema).max(8).default([]),
  }),
);
export type Escalation = z.infer<typeof escalateSchema>;

export const aliasSchema = z.lazy(() =>
  z.discriminatedUnion("strategy", [
    z.strictObject({
      strategy: z.literal("fixed"),
      model: fleetIdSchema,
      shadow: shadowSchema.optional(),
    }),
    z.strictObject({
      strategy: z.literal("shadow"),
      model: fleetIdSchema,
      shadow: shadowSchema,
    }),
    z.strictObject({
      strategy: z.literal("weighted"),
      arms: z.array(armSchema).min(2).max(8),
      /** Another name is another draw: the same users are dealt out anew. */
      experiment: z.string().max(64).default(""),
      fallback,
      shadow: shadowSchema.optional(),
    }),
    z.strictObject({
      strategy: z.literal("cost"),
      cheap: fleetIdSchema,
      strong: fleetIdSchema,
      /** Requests at least this difficult go to the strong model: docs/difficulty.md. */
      threshold: z.number().min(0).max(1).default(0.5),
      escalate: escalateSchema.prefault({}),
      fallback,
      shadow: shadowSchema.optional(),
    }),
    z.strictObject({
      strategy: z.literal("fallback").optional(),
      models,
      shadow: shadowSchema.optional(),
    }),
  ]),
);
export type Alias = z.infer<typeof aliasSchema>;

interface NamedModel {
  readonly id: string;
  /** Where the entry names it. */
  readonly path: (string | number)[];
}

/** Every model that an alias names. */
export function modelsOfAlias(alias: Alias): readonly NamedModel[] {
  const answering = answeringModels(alias);
  return alias.shadow === undefined
    ? answering
    : [...answering, { id: alias.shadow.model, path: ["shadow", "model"] }];
}

/** Those that may answer, in their order. */
export function answeringModels(alias: Alias): readonly NamedModel[] {
  switch (alias.strategy) {
    case "fixed":
    case "shadow":
      return [{ id: alias.model, path: ["model"] }];
    case "weighted":
      return [
        ...alias.arms.map(({ model }, at) => ({ id: model, path: ["arms", at, "model"] })),
        ...alias.fallback.map((id, at) => ({ id, path: ["fallback", at] })),
      ];
    case "cost":
      return [
        { id: alias.cheap, path: ["cheap"] },
        { id: alias.strong, path: ["strong"] },
        ...alias.fallback.map((id, at) => ({ id, path: ["fallback", at] })),
      ];
    case "fallback":
    case undefined:
      return alias.models.map((id, at) => ({ id, path: ["models", at] }));
  }
}
