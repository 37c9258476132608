import * as z from "zod";

/**
 * The fleet: which clusters serve which models, and what clients may ask for. One document, in KV under `fleet`, or in
 * the variable FLEET as JSON. docs/configuration.md documents it field by field.
 */
const id = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,127}$/);

export const capabilitySchema = z.enum([
  "chat",
  "completions",
  "embeddings",
  "rerank",
  "tools",
  "vision",
  "audio",
  "reasoning",
  "structured-output",
]);
export type Capability = z.infer<typeof capabilitySchema>;

/** One model as one cluster serves it. */
export const modelRecordSchema = z.strictObject({
  /** The platform's name for the model; what aliases point at, and what answers carry as `model`. */
  id,
  /** The model's name on the engine (`--served-model-name`). */
  served_name: z.string().min(1).max(256),
  /** Number format of the weights. Answers of different weights are never mixed or cached together. */
  weights: z
    .enum(["bf16", "fp16", "fp8", "int8", "gptq-int4", "awq-int4", "gguf", "unknown"])
    .default("unknown"),
  /** Tokens of prompt and answer together. */
  context_window: z.int().min(256).max(10_000_000),
  max_output_tokens: z.int().min(1).max(1_000_000).optional(),
  /** `chat`: the engine renders the template; `completions`: the edge renders it and sends the prompt. */
  api: z.enum(["chat", "completions"]).default("chat"),
  template: z.enum(["llama-3.1"]).optional(),
  /** "Today Date" of the template; a day at the finest, since it is part of every prefix and cache key. */
  template_date: z
    .string()
    .regex(/^\d{2} [A-Z][a-z]{2} \d{4}$/)
    .default("26 Jul 2024"),
  knowledge_cutoff: z.string().max(32).optional(),
  capabilities: z.array(capabilitySchema).default(["chat", "completions"]),
  /** US dollars per million tokens. */
  price: z
    .strictObject({ input: z.number().min(0).default(0), output: z.number().min(0).default(0) })
    .default({ input: 0, output: 0 }),
  /** Milliseconds per token of answer, for deciding whether an answer may take long. */
  ms_per_token: z.number().positive().max(10_000).default(25),
  /** What the engine understands beyond the OpenAI API; detected for ORIGIN_URL, stated for others. */
  engine_features: z
    .strictObject({
      stream_usage: z.boolean().default(true),
      continuous_usage: z.boolean().default(true),
      tokenize: z.boolean().default(true),
      metrics: z.boolean().default(true),
      cache_salt: z.boolean().default(true),
    })
    .prefault({}),
});
export type ModelRecord = z.infer<typeof modelRecordSchema>;

export const replicaSchema = z.strictObject({
  id,
  url: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, "")),
  /** Requests that it runs at once before they queue. */
  slots: z.int().min(1).max(4096).default(64),
});

export const clusterSchema = z.strictObject({
  id,
  region: z.string().min(1).max(64),
  latitude: z.number().min(-90).max(90).default(0),
  longitude: z.number().min(-180).max(180).default(0),
  engine: z.enum(["vllm", "openai"]).default("vllm"),
  replicas: z.array(replicaSchema).min(1).max(512),
  models: z.array(modelRecordSchema).min(1).max(64),
});
export type Cluster = z.infer<typeof clusterSchema>;

export const fleetSchema = z
  .strictObject({
    /** Changes with every edit; part of the answer cache's key. */
    version: z.string().min(1).max(64),
    clusters: z.array(clusterSchema).min(1).max(64),
    /** What clients ask for, beside the models' own ids. A name's models are tried in order. */
    aliases: z.record(id, z.strictObject({ models: z.array(id).min(1).max(8) })).default({}),
  })
  .superRefine((fleet, context) => {
    const models = new Set(fleet.clusters.flatMap((cluster) => cluster.models.map((model) => model.id)));
    const seen = new Set<string>();
    for (const [index, cluster] of fleet.clusters.entries()) {
      if (seen.has(cluster.id))
        context.addIssue({ code: "custom", path: ["clusters", index, "id"], message: "is used twice" });
      seen.add(cluster.id);
      for (const [at, model] of cluster.models.entries()) {
        if (model.api === "completions" && model.template === undefined)
          context.addIssue({
            code: "custom",
            path: ["clusters", index, "models", at, "template"],
            message: 'is needed with api "completions"',
          });
      }
    }
    for (const [alias, entry] of Object.entries(fleet.aliases)) {
      for (const [at, model] of entry.models.entries()) {
        if (!models.has(model))
          context.addIssue({
            code: "custom",
            path: ["aliases", alias, "models", at],
            message: "names no model of any cluster",
          });
      }
    }
  });
export type Fleet = z.infer<typeof fleetSchema>;
