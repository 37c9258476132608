import type { KeyLimits } from "../identity/key-record.ts";
import type { Principal } from "../identity/principal.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { LimitScope } from "./bucket-name.ts";
import { type LimitSet, limitSet, resolveLimits, ruleOf } from "./defaults.ts";
import type { Tier } from "./tier.ts";

/**
 * Which limits apply to this principal? Its tier's; in the user's bucket also those of an API key with limits of its own, which are counted
 * separately. The same key and configuration give the same object, since requests with the same limits are batched into one call.
 */
export function limitsOf(
  tenant: TenantConfig,
  scope: LimitScope,
  { tier, key }: { readonly tier: Tier; readonly key?: Principal["key"] },
): LimitSet {
  const limits = resolveLimits(tenant, scope, tier);
  const own = scope === "user" ? key?.limits : null;
  if (own === null || own === undefined) return limits;
  let byTier = tightened.get(own);
  if (byTier === undefined) {
    byTier = new WeakMap();
    tightened.set(own, byTier);
  }
  let found = byTier.get(limits);
  if (found === undefined) {
    found = tighten(tenant, limits, own, key?.id ?? "");
    byTier.set(limits, found);
  }
  return found;
}

const tightened = new WeakMap<KeyLimits, WeakMap<LimitSet, LimitSet>>();

function tighten(tenant: TenantConfig, limits: LimitSet, own: KeyLimits, keyId: string): LimitSet {
  const rules = [...limits.rules];
  for (const name of ["requests_per_minute", "requests_per_hour", "tokens_per_minute"] as const) {
    const capacity = own[name];
    // Also one that is wider than its user's now: it counts what is asked meanwhile, and is the tighter one when the other is raised.
    if (capacity !== undefined)
      rules.push({ ...ruleOf(tenant, name, capacity, `key:${keyId}/${name}`), of: "key" });
  }
  // A loan is the whole user's: what is taken from it would pass by the key's own levels.
  return { ...limitSet(tenant, rules), block: null, stock: null };
}
