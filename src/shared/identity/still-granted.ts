import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { Principal } from "./principal.ts";

/**
 * Would the tenant, as it is configured now, still give this principal's credential what it has? For whoever was let in a while ago and asks
 * again without showing it (a socket). Which of the tenant's issuers a token was of is not known any more: one that grants as much is enough.
 * Whether the credential itself is revoked is its buckets' to say.
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
