import type { TenantConfig } from "../tenancy/tenant-config.ts";

/** Whose limits: each has a bucket. */
export const limitScopes = ["user", "org"] as const;
export type LimitScope = (typeof limitScopes)[number];

/** The name of a bucket's object. */
export interface BucketAddress {
  readonly name: string;
  readonly jurisdiction: TenantConfig["jurisdiction"];
}

/**
 * The bucket's name: different for every tenant, scope and id. A tenant id holds no `/`, and the id comes last, as a JSON
 * string, so that no id can pretend to be another, not even by half a surrogate pair (which UTF-8 would turn into U+FFFD).
 */
export function bucketName(tenant: string, scope: LimitScope, id: string): string {
  return `${tenant}/${scope}/${JSON.stringify(id)}`;
}

/** Whose bucket an object of this name is; `null`: none that `bucketName` gave. A jurisdiction may stand before it. */
export function readBucketName(
  name: string,
): { readonly tenant: string; readonly scope: LimitScope; readonly id: string } | null {
  const [, tenant, scope, json] = /^(?:[a-z]+:)?([^/:]+)\/(user|org)\/("[^]*")$/.exec(name) ?? [];
  if (tenant === undefined || json === undefined) return null;
  return { tenant, scope: scope === "org" ? "org" : "user", id: JSON.parse(json) as string };
}
