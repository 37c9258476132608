import * as z from "zod";
import { orgIdSchema, tenantIdSchema, userIdSchema } from "../contracts/ids.ts";
import { keyEnvironments } from "../identity/api-key.ts";
import { addressRangeSchema, keyLimitsSchema } from "../identity/key-record.ts";
import { tierSchema } from "../limits/tier.ts";

/** The bodies of requests to `/admin/*`. The form is ours: OpenAI's admin API has neither tenants nor tiers. */
const grace = { leastSeconds: 300, mostSeconds: 2_592_000, usualSeconds: 86_400 } as const;

const tenant = z.lazy(() =>
  z.union([z.literal("platform"), tenantIdSchema]).meta({
    description:
      "Whose. Left out: your own tenant, or the platform. Another than your own only with platform:admin.",
  }),
);

export const createKeySchema = z.lazy(() =>
  z.strictObject({
    name: z.string().min(1).max(256).meta({ description: "For people." }),
    tenant: tenant.optional(),
    environment: z.enum(keyEnvironments).optional().meta({
      description: "`live` (the default) or `test`; on a laptop `local`. Part of the key's text.",
    }),
    org: orgIdSchema.optional().meta({ description: "Left out: an org of the tenant's own name." }),
    user: userIdSchema.optional().meta({
      description:
        "Whom the key acts as, limits and conversations included. Left out: a user of the key's own.",
    }),
    tier: tierSchema
      .optional()
      .meta({ description: "One of the tenant's `keys.tiers`; left out: their first." }),
    scopes: z
      .array(z.string().max(128))
      .max(64)
      .default([])
      .meta({ description: "Among the tenant's `keys.scopes`." }),
    expires_at: z.int().min(0).max(100_000_000_000).nullable().default(null).meta({
      description: "Seconds since 1970; null: never. A platform key must expire within 366 days.",
    }),
    allow_ips: z.array(addressRangeSchema).max(32).default([]).meta({
      description: "Addresses and CIDR ranges, IPv4 and IPv6; none: everywhere.",
    }),
    limits: keyLimitsSchema.nullable().default(null).meta({
      description: "Of this key alone; they only tighten its tier's. Not together with `user`.",
    }),
  }),
);
export type CreateKeyRequest = z.infer<typeof createKeySchema>;

export const rotateKeySchema = z.lazy(() =>
  z.strictObject({
    grace_seconds: z
      .int()
      .min(0)
      .max(grace.mostSeconds)
      .refine((seconds) => seconds === 0 || seconds >= grace.leastSeconds, {
        message: `must be 0 or at least ${grace.leastSeconds}`,
      })
      .default(grace.usualSeconds)
      .meta({ description: "For how long the old key stays valid. 0: not at all." }),
  }),
);
export type RotateKeyRequest = z.infer<typeof rotateKeySchema>;

export const revocationSchema = z.lazy(() =>
  z
    .strictObject({
      tenant: tenant.optional(),
      user: userIdSchema.optional(),
      org: orgIdSchema.optional(),
    })
    .refine((body) => (body.user === undefined) !== (body.org === undefined), {
      message: "must name either a user or an org",
    }),
);
export type RevocationRequest = z.infer<typeof revocationSchema>;

const page = () =>
  z.looseObject({
    object: z.literal("list"),
    has_more: z.boolean(),
    next_after: z
      .string()
      .nullable()
      .meta({ description: "`after` of the next page; null: this is the last." }),
  });

const seconds = z.lazy(() => z.int().meta({ description: "Seconds since 1970." }));

export const apiKeySchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("api_key"),
    id: z.string(),
    tenant: z.string(),
    name: z.string(),
    environment: z.enum(keyEnvironments),
    org: z.string(),
    user: z.string(),
    tier: tierSchema,
    scopes: z.array(z.string()),
    limits: keyLimitsSchema.nullable(),
    allow_ips: z.array(z.string()),
    status: z.enum(["active", "expired", "revoked"]),
    redacted_value: z.string(),
    created_at: seconds,
    created_by: z.string(),
    expires_at: seconds.nullable(),
    revoked_at: seconds.nullable(),
    rotated_from: z.string().nullable(),
    rotated_to: z.string().nullable(),
    value: z.string().optional().meta({ description: "The key. Shown once, when it is made." }),
  }),
);
export const apiKeyListSchema = z.lazy(() => page().extend({ data: z.array(apiKeySchema) }));

export const revocationResultSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("revocation"),
    tenant: z.string(),
    user: z.string().nullable(),
    org: z.string().nullable(),
    revoked_before: seconds,
  }),
);

export const restoredKeysSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("api_keys_restored"),
    tenant: z.string(),
    keys: z.int().min(0),
    pending: z.boolean().meta({ description: "Not all of it is written yet; the rest follows by itself." }),
  }),
);

export const tenantListSchema = z.lazy(() =>
  page().extend({
    data: z.array(z.looseObject({ object: z.literal("tenant"), id: z.string() })),
  }),
);
export const tenantDeletedSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("tenant.deleted"),
    id: z.string(),
    deleted: z.literal(true),
  }),
);

export const semanticCacheErasedSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("semantic_cache.erased"),
    tenant: z.string(),
    user: z.string().nullable(),
    pending: z.int().meta({
      description: "Users' indexes that have not confirmed yet. They are asked again until they have.",
    }),
  }),
);

export const historyErasedSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("history.erased"),
    tenant: z.string(),
    user: z.string().nullable(),
    pending: z.int().meta({
      description:
        "Conversations, answers and users' lists that have not confirmed yet. They are told until they have.",
    }),
  }),
);

export const knowledgeErasedSchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("knowledge.erased"),
    tenant: z.string(),
    user: z.string().nullable(),
    pending: z.int().meta({
      description:
        "Stores, files' bytes and users' libraries that have not confirmed yet. They are told until they have.",
    }),
  }),
);

const auditEntrySchema = z.lazy(() =>
  z.looseObject({
    object: z.literal("audit_entry"),
    sequence: z.int(),
    created_at: seconds,
    actor: z.string(),
    action: z.string(),
    subject: z.string(),
    detail: z.record(z.string(), z.unknown()),
    previous_hash: z.string(),
    hash: z.string(),
  }),
);
export const auditPageSchema = z.lazy(() =>
  page().extend({
    data: z.array(auditEntrySchema),
    broken_at: z.int().nullable().meta({
      description: "The first entry of this page that isn't as it was written; null: all are.",
    }),
  }),
);
