import * as z from "zod";
import { tenantIdSchema } from "../contracts/ids.ts";
import { tierSchema } from "../limits/tier.ts";

/**
 * A tenant's configuration: one KV entry, checked here at the door, with a default for everything but the id and the
 * issuers. docs/configuration.md documents it field by field.
 */
const positive = z.int().min(1).max(1_000_000_000);

/** Limits of one tier for one scope. Absent: the default of src/shared/limits/defaults.ts. `null`: no limit. */
export const limitsSchema = z
  .strictObject({
    requests_per_minute: positive.nullable(),
    requests_per_hour: positive.nullable(),
    tokens_per_minute: positive.nullable(),
  })
  .partial();
export type LimitOverrides = z.infer<typeof limitsSchema>;

const algorithm = z.enum(["HS256", "RS256", "ES256", "EdDSA"]);

const keySourceSchema = z.discriminatedUnion("type", [
  /** A shared secret. The configuration holds the *name* of the Worker secret, never the secret. */
  z.strictObject({ type: z.literal("secret"), name: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/) }),
  z.strictObject({ type: z.literal("jwks_url"), url: z.url({ protocol: /^https?$/ }) }),
  z.strictObject({
    type: z.literal("jwks"),
    keys: z
      .array(z.looseObject({ kty: z.string() }))
      .min(1)
      .max(32),
  }),
]);

export const issuerSchema = z
  .strictObject({
    issuer: z.string().min(1).max(512),
    audience: z.string().min(1).max(512),
    algorithms: z.array(algorithm).min(1),
    keys: keySourceSchema,
    clock_skew_seconds: z.int().min(0).max(120).default(30),
    /** The longest life a token may claim, in seconds. */
    max_age_seconds: z.int().min(60).max(31_536_000).default(2_592_000),
    /** What this issuer may grant: a claim beyond it is refused, not trimmed silently. */
    grants: z
      .strictObject({
        tiers: z.array(tierSchema).min(1).default(["free"]),
        default_tier: tierSchema.default("free"),
        scopes: z.array(z.string().regex(/^(?!platform:)[a-z][a-z0-9_:.-]{0,63}$/)).default([]),
      })
      .prefault({}),
    /** Which claim says what. */
    claims: z
      .strictObject({
        user: z.string().default("sub"),
        org: z.string().default("org"),
        tier: z.string().default("tier"),
        scope: z.string().default("scope"),
      })
      .prefault({}),
  })
  .superRefine((issuer, context) => {
    const symmetric = issuer.algorithms.includes("HS256");
    if (symmetric && issuer.algorithms.length > 1)
      context.addIssue({
        code: "custom",
        path: ["algorithms"],
        message: "HS256 cannot stand beside a public-key algorithm",
      });
    if (symmetric !== (issuer.keys.type === "secret"))
      context.addIssue({
        code: "custom",
        path: ["keys", "type"],
        message: 'is "secret" with HS256 and a key set with anything else',
      });
    if (!issuer.grants.tiers.includes(issuer.grants.default_tier))
      context.addIssue({
        code: "custom",
        path: ["grants", "default_tier"],
        message: "is not among grants.tiers",
      });
  });
export type Issuer = z.infer<typeof issuerSchema>;

export const tenantConfigSchema = z.strictObject({
  id: tenantIdSchema,
  name: z.string().max(256).default(""),
  /** Changes with every edit (`npm run tenant` sets it); part of the answer cache's key. */
  version: z.string().max(64).default("0"),
  /** Hostnames that mean this tenant, before any credential is read. */
  hosts: z.array(z.string().regex(/^[a-z0-9.-]{1,253}$/)).default([]),
  /** Where objects, buckets and files may live. Part of every object's id: it can't be changed later. */
  jurisdiction: z.enum(["none", "eu"]).default("none"),
  issuers: z.array(issuerSchema).min(1).max(16),
  models: z
    .strictObject({
      /** Aliases and model ids that this tenant may use; `*`: all. */
      allow: z.array(z.string().max(128)).min(1).default(["*"]),
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
    })
    .prefault({}),
  media: z
    .strictObject({
      /** Hosts whose images the engine may fetch. Everything else comes as a `data:` URL. */
      allow_hosts: z.array(z.string().regex(/^[a-z0-9.-]{1,253}$/)).default([]),
      max_bytes: z.int().min(1024).max(20_971_520).default(5_242_880),
    })
    .prefault({}),
  requests: z
    .strictObject({
      max_body_bytes: z.int().min(1024).max(33_554_432).default(2_097_152),
      /** From the first byte asked to the last byte sent. */
      deadline_seconds: z.int().min(5).max(3600).default(600),
    })
    .prefault({}),
  journal: z
    .strictObject({
      interval_ms: z.int().min(50).max(500).default(100),
      retention_days: z.int().min(0).max(3650).default(30),
    })
    .prefault({}),
});
export type TenantConfig = z.infer<typeof tenantConfigSchema>;
