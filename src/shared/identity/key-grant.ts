import { err, ok, type Result } from "../contracts/result.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import { isOfTenantBefore, type KnownKey } from "./key-record.ts";
import type { Principal } from "./principal.ts";
import { platformScope } from "./scope.ts";

/**
 * Whom does an API key stand for, and is it still allowed? Pure. The tenant's configuration is the ceiling at every request, not only
 * when the key is made: what is taken out of `keys.tiers` or `keys.scopes` ends the keys that have it.
 */
/** For a key that doesn't expire: the last moment that a Date can name. */
const never = 8.64e15;

/** `tenant`: the record's, as it is configured now; `null` for the platform's own. */
export function keyGrant(
  known: KnownKey,
  tenant: TenantConfig | null,
  nowMs: number,
): Result<Principal, string> {
  const { record, scopes } = known;
  if (record.revoked_ms !== null) return err("key is revoked");
  if (record.expires_ms !== null && record.expires_ms <= nowMs) return err("key has expired");
  if ((tenant?.id ?? "platform") !== record.tenant) return err("a key of another tenant");
  if (isOfTenantBefore(record, tenant)) return err("a key of the tenant that had this name before");
  if (tenant !== null && !tenant.keys.tiers.includes(record.tier))
    return err(`tier ${record.tier} is not for keys of this tenant`);
  for (const scope of scopes) {
    const granted =
      tenant === null
        ? platformScope.safeParse(scope).success
        : tenant.keys.scopes.includes(scope) && !scope.startsWith("platform:");
    if (!granted) return err("a scope is not for keys of this tenant");
  }
  return ok({
    tenant: record.tenant,
    org: record.org,
    user: record.user,
    tier: record.tier,
    scopes,
    proof: "api-key",
    expiresAtMs: record.expires_ms ?? never,
    issuedAtMs: record.created_ms,
    key: { id: record.id, limits: record.limits },
  });
}
