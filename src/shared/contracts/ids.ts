import * as z from "zod";

/**
 * Branded ids: a string that was checked to be one, so that a user id cannot stand where a tenant id is asked for.
 * Ids that come from outside (claims, headers, paths) pass through these schemas and nowhere else.
 */
const slug = z.lazy(() =>
  z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62})$/, "lower-case letters, digits and dashes, at most 63"),
);

/** The platform's own principals stand where a tenant's id stands, in names of objects too: no tenant may be called so. */
export const tenantIdSchema = z.lazy(() =>
  slug.refine((id) => id !== "platform", "is the platform's own").brand<"TenantId">(),
);
export type TenantId = z.infer<typeof tenantIdSchema>;

/** An org inside a tenant. Default: an org of the tenant's own name. Taken from claims: visible ASCII, at most 128. */
export const orgIdSchema = z.lazy(() =>
  z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/)
    .brand<"OrgId">(),
);
export type OrgId = z.infer<typeof orgIdSchema>;

/**
 * The subject of a credential. Any text without control characters, at most 256 UTF-16 units, each surrogate paired: a
 * lone one becomes U+FFFD in UTF-8, so that two users would name one object.
 */
export const userIdSchema = z.lazy(() =>
  z
    .string()
    .regex(/^[^\u0000-\u001f\u007f]{1,256}$/)
    .refine((text) => text.isWellFormed())
    .brand<"UserId">(),
);
export type UserId = z.infer<typeof userIdSchema>;

/** `x-request-id`: at most 128 visible ASCII characters. */
export type RequestId = string & { readonly __brand: "RequestId" };

/** Names one charge against the buckets, from reservation to settlement. A durable turn's charge id is its turn id. */
export type ChargeId = string & { readonly __brand: "ChargeId" };
