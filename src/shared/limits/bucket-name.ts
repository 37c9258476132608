import type { TenantConfig } from "../tenancy/tenant-config.ts";

export type LimitScope = "user" | "org";

/** Which object a bucket is. */
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
