import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { Principal } from "./principal.ts";

/**
 * Would the tenant, as it is configured now, still give this principal's credential what it has? For a caller who was let in a while ago
 * and asks again without showing the credential (a socket). Which issuer the token came from is no longer known: it is enough that one of
 * the tenant's issuers grants as much. Whether the credential itself was revoked is known to its buckets.
 */
export function isStillGranted(
  { proof, tier, scopes, issuedAtMs }: Pick<Principal, "proof" | "tier" | "scopes" | "issuedAtMs">,
  { keys, issuers }: Pick<TenantConfig, "keys" | "issuers">,
): boolean {
  if (proof === "api-key" && issuedAtMs < keys.created_after * 1000) return false;
  const grants = proof === "api-key" ? [keys] : issuers.map((issuer) => issuer.grants);
  return grants.some(
    (grant) => grant.tiers.includes(tier) && [...scopes].every((scope) => grant.scopes.includes(scope)),
  );
}
