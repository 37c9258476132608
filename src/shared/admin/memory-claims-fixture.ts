import type { LatelyLeft } from "../tenancy/lately-left.ts";
import type { TenantChange, TenantClaims } from "./tenant-claims.ts";

/** Who changes what, without a disk and without an end by itself, for tests. */
export function memoryClaims(): TenantClaims & { readonly running: Map<string, TenantChange> } {
  const running = new Map<string, TenantChange>();
  const owners = new Map<string, string>();
  const left = new Map<string, LatelyLeft>();
  return {
    running,
    async begin(change) {
      if (running.has(change.tenant)) return { result: "busy" };
      for (const key of change.keys) {
        const by = owners.get(key) ?? change.tenant;
        if (by !== change.tenant) return { result: "taken", key, by };
      }
      running.set(change.tenant, change);
      for (const key of change.keys) owners.set(key, change.tenant);
      const lately = left.get(change.tenant);
      return { result: "begun", ...(lately !== undefined && { lately }) };
    },
    othersOf: async (tenant, keys) => keys.filter((key) => (owners.get(key) ?? tenant) !== tenant),
    async end({ tenant, keys }, isKept, leaves) {
      running.delete(tenant);
      if (isKept && leaves !== undefined) left.set(tenant, leaves);
      for (const [key, by] of owners) if (by === tenant && !keys.includes(key)) owners.delete(key);
    },
  };
}
