import * as z from "zod";
import { aliasSchema, fleetIdSchema, modelsOfAlias } from "./alias-config.ts";
import {
  engineDefaults,
  engineKindSchema,
  type EngineFeatures,
  type EngineKind,
} from "../engines/engine-kind.ts";

/**
 * The fleet: which clusters serve which models, and what clients may ask for. One document, in KV under `fleet`, or in
 * the variable FLEET as JSON. docs/configuration.md documents it field by field. It names secrets and bindings and never
 * holds one; a parsed document is a valid document again.
 */
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
  /** Answers as Llama Guard does: `safe`, or `unsafe` and hazards. */
  "moderation",
]);
export type Capability = z.infer<typeof capabilitySchema>;

/** US dollars per million tokens. */
const priceSchema = z.lazy(() =>
  z
    .strictObject({
      input: z.number().min(0).default(0),
      output: z.number().min(0).default(0),
      /** Of tokens of the prompt that the engine had in its prefix cache. */
      cached_input: z.number().min(0).optional(),
    })
    // What a turn may cost is set aside before anybody knows what is cached.
    .refine(({ input, cached_input: cached = 0 }) => cached <= input, {
      path: ["cached_input"],
      message: "must not be above `input`",
    }),
);
type FleetPrice = z.infer<typeof priceSchema>;

/**
 * The *name* of a Worker secret. Of its own kind: what a tenant's configuration can name ends in `_SECRET`, so that neither
 * document reaches the other's.
 */
const secretName = z.lazy(() =>
  z
    .string()
    .regex(/^ORIGIN_[A-Z0-9_]{1,56}$/, "must begin with ORIGIN_ and be capitals, digits and underscores")
    .refine((name) => !name.endsWith("_SECRET"), "must not end in _SECRET: those are tenants' names"),
);

/** One model as one cluster serves it, as it is written. */
const writtenModelSchema = z.lazy(() =>
  z.strictObject({
    /** The platform's name for the model; what aliases point at, and what answers carry as `model`. */
    id: fleetIdSchema,
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
      .regex(/^\d{2} [A-Z][a-z]{2} \d{4}$/, "is no day such as 26 Jul 2024")
      .default("26 Jul 2024"),
    knowledge_cutoff: z.string().max(32).optional(),
    /** Since when it is in the fleet, in seconds since 1970: `created` of `/v1/models`. */
    created: z.int().min(0).max(9_999_999_999).optional(),
    capabilities: z.array(capabilitySchema).default(["chat", "completions"]),
    /** Without it, the cluster's. */
    price: priceSchema.optional(),
    /** Milliseconds per token of answer, for deciding whether an answer may take long. */
    ms_per_token: z.number().positive().max(10_000).default(25),
    /** What the engine understands beyond the OpenAI API; what is not stated is as the engine's kind usually has it. */
    engine_features: z
      .strictObject({
        stream_usage: z.boolean().optional(),
        continuous_usage: z.boolean().optional(),
        tokenize: z.boolean().optional(),
        metrics: z.boolean().optional(),
        cache_salt: z.boolean().optional(),
        continuation: z.boolean().optional(),
        sampling_fields: z.boolean().optional(),
        max_completion_tokens: z.boolean().optional(),
        choices: z.boolean().optional(),
      })
      .optional(),
  }),
);

/** The same with nothing left open. */
export type ModelRecord = Omit<z.infer<typeof writtenModelSchema>, "price" | "engine_features"> & {
  price: FleetPrice;
  engine_features: EngineFeatures;
};

function resolved(
  model: z.infer<typeof writtenModelSchema>,
  engine: EngineKind,
  price: FleetPrice | undefined,
): ModelRecord {
  const stated = Object.entries(model.engine_features ?? {}).filter(([, value]) => value !== undefined);
  return {
    ...model,
    price: model.price ?? price ?? { input: 0, output: 0 },
    engine_features: { ...engineDefaults[engine], ...Object.fromEntries(stated) },
  };
}

const hostPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?$/;

const replicaSchema = z.lazy(() =>
  z.strictObject({
    id: fleetIdSchema,
    /** Reached at its URL. */
    url: z
      .url({ protocol: /^https?$/, error: "is no URL such as http://10.0.0.1:8000" })
      .transform((url) => url.replace(/\/+$/, ""))
      .optional(),
    /** Or behind a tunnel, through a VPC network binding of the Worker (https://developers.cloudflare.com/workers-vpc/). */
    vpc: z
      .strictObject({
        /** The binding's name. */
        network: z
          .string()
          .regex(/^VPC_[A-Z0-9_]{1,56}$/, "must begin with VPC_ and be capitals, digits and underscores"),
        /** `host:port` as the tunnel's side knows it. */
        host: z.string().regex(hostPattern, "must be host or host:port"),
      })
      .optional(),
    /** Or at a public hostname of a tunnel that Access guards, with a service token. */
    tunnel: z
      .strictObject({
        hostname: z.string().regex(hostPattern, "must be host or host:port"),
        client_id_secret: secretName,
        client_secret_secret: secretName,
      })
      .optional(),
    /** Requests that it runs at once before they queue. */
    slots: z.int().min(1).max(4096).default(64),
    /** What fails together: a rack, a power feed, a cloud's zone. */
    zone: z.string().min(1).max(64).optional(),
  }),
);
export type Replica = z.infer<typeof replicaSchema>;

const clusterSchema = z.lazy(() =>
  z
    .strictObject({
      id: fleetIdSchema,
      region: z.string().min(1).max(64),
      /** Under whose law it computes: tenants of a jurisdiction are answered by its clusters alone. */
      jurisdiction: z.enum(["none", "eu"]).default("none"),
      latitude: z.number().min(-90).max(90).default(0),
      longitude: z.number().min(-180).max(180).default(0),
      engine: engineKindSchema.default("vllm"),
      /** The secret with the key that an `openai` server wants as its bearer token. */
      api_key_secret: secretName.optional(),
      /** The secret that signs what goes to this cluster, in the form of ORIGIN_SIGNING_KEY; without it, that one. */
      signing_key_secret: secretName.optional(),
      /** For those of its models that name none. */
      price: priceSchema.optional(),
      /** US dollars an hour of one replica. */
      cost_per_hour: z.number().min(0).max(1_000_000).default(0),
      /** An OriginPool object counts this cluster's load and holds its queue. */
      pool: z.boolean().default(false),
      replicas: z.array(replicaSchema).min(1).max(512),
      models: z.array(writtenModelSchema).min(1).max(64),
    })
    .superRefine((cluster, context) => {
      const fault = (path: (string | number)[], message: string): void =>
        context.addIssue({ code: "custom", path, message });
      const ids = new Set<string>();
      for (const [at, replica] of cluster.replicas.entries()) {
        if (ids.has(replica.id)) fault(["replicas", at, "id"], "is used twice");
        ids.add(replica.id);
        const ways = [replica.url, replica.vpc, replica.tunnel].filter((way) => way !== undefined).length;
        if (cluster.engine === "workers-ai" && ways > 0)
          fault(
            ["replicas", at],
            'of engine "workers-ai" has neither url, vpc nor tunnel: it is the binding AI',
          );
        if (cluster.engine !== "workers-ai" && ways !== 1)
          fault(["replicas", at], "needs exactly one of url, vpc and tunnel");
      }
      if (cluster.api_key_secret !== undefined && cluster.engine !== "openai")
        fault(["api_key_secret"], 'is for engine "openai"');
      for (const [at, model] of cluster.models.entries()) {
        if (model.api === "completions" && model.template === undefined)
          fault(["models", at, "template"], 'is needed with api "completions"');
        if (model.api === "completions" && cluster.engine === "workers-ai")
          fault(["models", at, "api"], 'of engine "workers-ai" is always "chat"');
      }
    })
    .transform((cluster) => ({
      ...cluster,
      models: cluster.models.map((model) => resolved(model, cluster.engine, cluster.price)),
    })),
);
export type Cluster = z.infer<typeof clusterSchema>;

export const fleetSchema = z.lazy(() =>
  z
    .strictObject({
      /** Changes with every edit; part of the answer cache's key. */
      version: z.string().min(1).max(64),
      clusters: z.array(clusterSchema).min(1).max(64),
      /** What clients ask for, beside the models' own ids. */
      aliases: z.record(fleetIdSchema, aliasSchema).default({}),
    })
    .superRefine((fleet, context) => {
      const fault = (path: (string | number)[], message: string): void =>
        context.addIssue({ code: "custom", path, message });
      const models = new Set(fleet.clusters.flatMap((cluster) => cluster.models.map((model) => model.id)));
      const seen = new Set<string>();
      for (const [index, cluster] of fleet.clusters.entries()) {
        if (seen.has(cluster.id)) fault(["clusters", index, "id"], "is used twice");
        seen.add(cluster.id);
      }
      for (const [name, alias] of Object.entries(fleet.aliases)) {
        for (const { id, path } of modelsOfAlias(alias))
          if (!models.has(id)) fault(["aliases", name, ...path], "names no model of any cluster");
        if (alias.strategy === "weighted") {
          const arms = alias.arms.map((arm) => arm.name);
          if (new Set(arms).size < arms.length) fault(["aliases", name, "arms"], "have a name twice");
          if (!alias.arms.some((arm) => arm.weight > 0))
            fault(["aliases", name, "arms"], "all weigh nothing");
        }
        if (alias.strategy === "cost" && alias.cheap === alias.strong)
          fault(["aliases", name, "strong"], "is the cheap model as well");
      }
    }),
);
export type Fleet = z.infer<typeof fleetSchema>;
