import * as z from "zod";
import { orgIdSchema, tenantIdSchema, userIdSchema } from "../contracts/ids.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import { tierSchema } from "../limits/tier.ts";
import { parseIpNetwork, type IpNetwork } from "../firewall/ip-address.ts";
import { describeIssues } from "../tenancy/document-fault.ts";
import { keyEnvironments, keyIdPattern } from "./api-key.ts";

/**
 * What is known of an API key? Its record, under `key:<id>` in KV for every request, and in the tenant's audit-log
 * object, which is the truth. It holds a keyed hash of the key, never the key.
 */
const limit = z.lazy(() => z.int().min(1).max(1_000_000_000));

/** Limits of one key. They only tighten what its tier gives one user. */
export const keyLimitsSchema = z.lazy(() =>
  z
    .strictObject({ requests_per_minute: limit, requests_per_hour: limit, tokens_per_minute: limit })
    .partial(),
);
export type KeyLimits = z.infer<typeof keyLimitsSchema>;

export const addressRangeSchema = z.lazy(() =>
  z
    .string()
    .max(64)
    .superRefine((text, context) => {
      if (parseIpNetwork(text) === null)
        context.addIssue({ code: "custom", message: "is no IP address and no CIDR range" });
    }),
);

const milliseconds = z.lazy(() => z.int().min(0));

/** Members that this code does not know are dropped, so that a record of newer code can be read. */
const keyRecordSchema = z.lazy(() =>
  z.object({
    version: z.literal(1),
    id: z.string().regex(keyIdPattern),
    environment: z.enum(keyEnvironments),
    hash: z.string().length(51),
    tenant: z.union([z.literal("platform"), tenantIdSchema]),
    org: orgIdSchema,
    user: userIdSchema,
    name: z.string(),
    tier: tierSchema,
    scopes: z.array(z.string()),
    limits: keyLimitsSchema.unwrap().strip().nullable(),
    allow_ips: z.array(addressRangeSchema),
    created_ms: milliseconds,
    created_by: z.string(),
    expires_ms: milliseconds.nullable(),
    revoked_ms: milliseconds.nullable(),
    rotated_from: z.string().nullable(),
    rotated_to: z.string().nullable(),
  }),
);
export type KeyRecord = z.infer<typeof keyRecordSchema>;

/** A record with what every request needs of it, worked out once. */
export interface KnownKey {
  readonly record: KeyRecord;
  readonly scopes: ReadonlySet<string>;
  /** `null`: from everywhere. */
  readonly allowed: readonly IpNetwork[] | null;
}

/** Is it the key of another tenant, which had this one's name and was deleted? `null`: the platform, which never is. */
export function isOfTenantBefore(
  { created_ms: createdMs }: Pick<KeyRecord, "created_ms">,
  tenant: { readonly keys: { readonly created_after: number } } | null,
): boolean {
  return tenant !== null && createdMs < tenant.keys.created_after * 1000;
}

export function keyRecordKey(id: string): string {
  return `key:${id}`;
}

export function parseKeyRecord(text: string): Result<KnownKey, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err("is not JSON");
  }
  const parsed = keyRecordSchema.safeParse(json);
  if (!parsed.success) return err(describeIssues(parsed.error));
  const record = parsed.data;
  const networks: IpNetwork[] = [];
  for (const one of record.allow_ips) {
    const network = parseIpNetwork(one);
    if (network === null) return err("allow_ips: is no list of networks");
    networks.push(network);
  }
  return ok({ record, scopes: new Set(record.scopes), allowed: networks.length === 0 ? null : networks });
}
