import * as z from "zod";
import { tenantIdSchema } from "../contracts/ids.ts";
import { grantableScope } from "../identity/scope.ts";
import { isTimeZone } from "../limits/calendar.ts";
import { tierSchema } from "../limits/tier.ts";
import { semanticPolicySchema } from "../cache/semantic/semantic-policy.ts";
import { batchPolicySchema } from "../batches/batch-policy.ts";
import { corsPolicySchema } from "../firewall/cors.ts";
import { tenantFirewallSchema } from "../firewall/firewall-policy.ts";
import { retrievalPolicySchema } from "../retrieval/retrieval-policy.ts";
import { safetyPolicySchema } from "../safety/safety-policy.ts";
import { signingPolicySchema } from "../signing/signing-policy.ts";
import { bindingsOf, isOwnBinding, ownPrefix, toolPolicySchema } from "../tools/tool-policy.ts";
import { requestLimits } from "../wire/request-limits.ts";
import { issuerSchema } from "./issuer-config.ts";

/**
 * A tenant's configuration: one KV entry, checked here at the door, with a default for everything but the id and the
 * issuers. docs/configuration.md documents it field by field.
 */
const positive = z.lazy(() => z.int().min(1).max(1_000_000_000));
/** Tokens of a month. */
const large = z.lazy(() => z.int().min(1).max(1_000_000_000_000));
/** US dollars, to the cent. */
const dollars = z.lazy(() => z.number().min(0.01).max(1_000_000_000).multipleOf(0.01));

/** Limits of one tier for one scope. Absent: the default of src/shared/limits/defaults.ts. `null`: no limit. */
const limitsSchema = z.lazy(() =>
  z
    .strictObject({
      requests_per_minute: positive.nullable(),
      requests_per_hour: positive.nullable(),
      requests_per_day: positive.nullable(),
      tokens_per_minute: positive.nullable(),
      tokens_per_month: large.nullable(),
      concurrent_requests: positive.nullable(),
      cost_per_month_usd: dollars.nullable(),
    })
    .partial(),
);

/** Names that the platform itself goes by, in principals and in the names of objects. */
const reservedIds = new Set(["platform", "edgewise"]);

export const tenantConfigSchema = z.lazy(() =>
  z
    .strictObject({
      id: tenantIdSchema.refine((id) => !reservedIds.has(id), "is the platform's own"),
      name: z.string().max(256).default(""),
      /** Changes with every edit (`npm run tenant` sets it); part of the answer cache's key. */
      version: z.string().max(64).default("0"),
      /** Hostnames that mean this tenant, before any credential is read. */
      hosts: z
        .array(
          z.string().regex(/^[a-z0-9.-]{1,253}$/, "is no hostname in lower case, such as chat.example.com"),
        )
        .max(100)
        .default([]),
      /** Where objects, buckets and files may live. Part of every object's id: it can't be changed later. */
      jurisdiction: z.enum(["none", "eu"]).default("none"),
      /** IANA name: where this tenant's days and months begin. */
      time_zone: z
        .string()
        .max(64)
        .refine(isTimeZone, "is no time zone, such as Europe/Berlin")
        .default("UTC"),
      issuers: z.array(issuerSchema).min(1).max(16),
      /** The tiers and scopes that this tenant's API keys may have, checked at every request. */
      keys: z
        .strictObject({
          /** The first is that of keys made without one. */
          tiers: z.array(tierSchema).min(1).default(["free"]),
          scopes: z.array(grantableScope).max(64).default([]),
          /** In seconds since 1970. Keys made before are those of another tenant, which had this name and was deleted. */
          created_after: z.int().min(0).max(9_999_999_999).default(0),
        })
        .prefault({}),
      models: z
        .strictObject({
          /** Aliases and model ids that this tenant may use; `*`: all. */
          allow: z.array(z.string().max(128)).min(1).default(["*"]),
          /** Regions of the clusters that may see its prompts; `*`: all. */
          regions: z.array(z.string().min(1).max(64)).min(1).max(64).default(["*"]),
        })
        .prefault({}),
      /** Used when a chat has no system or developer message. */
      default_system_prompt: z.string().max(100_000).nullable().default(null),
      limits: z
        .strictObject({
          user: z.partialRecord(tierSchema, limitsSchema).default({}),
          org: z.partialRecord(tierSchema, limitsSchema).default({}),
          /** In mid-answer with nothing left: `stop` ends it (`finish_reason: "length"`), `finish` lets it end as a stated debt. */
          when_exhausted: z.enum(["stop", "finish"]).default("stop"),
          /** A bucket that can't be reached: refuse, or admit so many per isolate and minute, each logged and posted as debt. */
          when_unreachable: z
            .discriminatedUnion("policy", [
              z.strictObject({ policy: z.literal("closed") }),
              z.strictObject({
                policy: z.literal("open"),
                max_requests_per_isolate: z.int().min(1).max(10_000).default(100),
              }),
            ])
            .default({ policy: "closed" }),
        })
        .prefault({}),
      cache: z
        .strictObject({
          exact: z.enum(["off", "deterministic", "all"]).default("deterministic"),
          ttl_seconds: z.int().min(60).max(86_400).default(3600),
          share: z.enum(["user", "tenant"]).default("user"),
          /** Whether an answer may stand for a question in other words. */
          semantic: semanticPolicySchema.prefault({}),
        })
        .superRefine((cache, context) => {
          if (cache.exact === "off" && cache.semantic.mode === "on")
            context.addIssue({
              code: "custom",
              path: ["semantic", "mode"],
              message: "must be off where cache.exact is: answers are kept there",
            });
        })
        .prefault({}),
      /** What is done with personal data and secrets, before the model and in its answer. */
      safety: safetyPolicySchema.prefault({}),
      /** Requests that are refused before any paid work, beyond the platform's own rules. */
      firewall: tenantFirewallSchema.prefault({}),
      /** Whether its requests must be signed. */
      signing: signingPolicySchema.prefault({}),
      /** Pages elsewhere that may call with a user's credential. */
      cors: corsPolicySchema.prefault({}),
      media: z
        .strictObject({
          /** Hosts whose images the engine may fetch. Everything else comes as a `data:` URL. */
          allow_hosts: z
            .array(
              z
                .string()
                .regex(/^[a-z0-9.-]{1,253}$/, "is no hostname in lower case, such as chat.example.com"),
            )
            .default([]),
          max_bytes: z.int().min(1024).max(20_971_520).default(5_242_880),
        })
        .prefault({}),
      requests: z
        .strictObject({
          max_body_bytes: z.int().min(1024).max(requestLimits.mostBodyBytes).default(requestLimits.bodyBytes),
          /** From the first byte asked to the last byte sent. */
          deadline_seconds: z.int().min(5).max(3600).default(600),
          /** Equal bodies of one user within ten minutes are one turn: a client's retry attaches, also without a key. */
          retry_attach: z.boolean().default(false),
          /** Equal requests of one user at the same time, whose answer is always the same, share one generation. */
          dedup: z.boolean().default(false),
          /** An answer whose engine fails after the first token continues at another engine, if the client can't notice. */
          continue_answers: z.boolean().default(true),
          /** Milliseconds that a streamed token may wait for the ones behind it, so that they are sent together: less CPU a token. */
          gather_ms: z.int().min(0).max(500).default(50),
          /** A second replica is asked when the first is later than nearly all: a faster tail for some more load (docs/decisions/0023-hedging.md). */
          hedge: z.boolean().default(false),
        })
        .prefault({}),
      /** How turns of one conversation wait for each other, and its title and summary. */
      conversations: z
        .strictObject({
          /** While a turn is being written, another one waits, is refused, or takes its place. */
          turns: z.enum(["queue", "reject", "replace"]).default("queue"),
          max_wait_seconds: z.int().min(1).max(300).default(30),
          max_waiting: z.int().min(0).max(100).default(8),
          /** An alias: finds a title after the first turn. Absent: the user's first words are the title. */
          title_model: z.string().min(1).max(128).nullable().default(null),
          /** An alias: puts in short what no longer fits. Absent: it is left out of the prompt. */
          summary_model: z.string().min(1).max(128).nullable().default(null),
        })
        .prefault({}),
      /** What its users may keep to be searched, and how it is searched. */
      retrieval: retrievalPolicySchema.prefault({}),
      /** Requests that its users hand over in files, to be answered when there is room. */
      batches: batchPolicySchema.prefault({}),
      /** What the archive gets of its turns, where the platform has one: charges, also the content of those that are stored. */
      archive: z
        .strictObject({ keep: z.enum(["nothing", "usage", "content"]).default("content") })
        .prefault({}),
      /** Whether answers carry a signed statement of what they cost. */
      receipts: z.enum(["off", "on"]).default("off"),
      /** Tools that Edgewise itself runs for its models. */
      tools: toolPolicySchema.nullable().default(null),
      journal: z
        .strictObject({
          interval_ms: z.int().min(50).max(500).default(100),
          retention_days: z.int().min(0).max(3650).default(30),
        })
        .prefault({}),
    })
    .superRefine((tenant, context) => {
      if (tenant.jurisdiction !== "none" && tenant.retrieval.max_indexed_passages_per_store !== null)
        context.addIssue({
          code: "custom",
          path: ["retrieval", "max_indexed_passages_per_store"],
          message: "must be null where jurisdiction is not none: the index of vectors knows no jurisdiction",
        });
      for (const [path, name] of tenant.tools === null ? [] : bindingsOf(tenant.tools))
        if (!isOwnBinding(name, tenant.id))
          context.addIssue({
            code: "custom",
            path: ["tools", ...path],
            message: `is not named ${ownPrefix(tenant.id)}…, in capital letters, digits and single underscores`,
          });
      const seen = new Set<string>();
      for (const [at, { issuer, audience }] of tenant.issuers.entries()) {
        const pair = `${issuer}\n${audience}`;
        if (seen.has(pair))
          context.addIssue({
            code: "custom",
            path: ["issuers", at, "issuer"],
            message: "is configured twice with this audience",
          });
        seen.add(pair);
      }
    }),
);
export type TenantConfig = z.infer<typeof tenantConfigSchema>;
