import type { KeyLimits } from "../identity/key-record.ts";
import type { Principal } from "../identity/principal.ts";
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { LimitScope } from "./bucket-name.ts";
import { type LimitSet, limitSet, resolveLimits, ruleOf } from "./defaults.ts";
import type { Tier } from "./tier.ts";

/**
 * Which limits hold for this principal? Its tier's, and for the user's bucket of an API key with limits of its own
 * the tighter of the two, one by one. The same object for the same key and configuration, since what asks with the
 * same limits is asked together.
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
    found = tighten(limits, own);
    byTier.set(limits, found);
  }
  return found;
}

const tightened = new WeakMap<KeyLimits, WeakMap<LimitSet, LimitSet>>();

function tighten(limits: LimitSet, own: KeyLimits): LimitSet {
  const rules = new Map(limits.rules.map((rule) => [rule.name, rule]));
  for (const name of ["requests_per_minute", "requests_per_hour", "tokens_per_minute"] as const) {
    const capacity = own[name];
    if (capacity === undefined) continue;
    const rule = rules.get(name);
    if (rule === undefined || capacity < rule.capacity) rules.set(name, ruleOf(name, capacity));
  }
  return limitSet([...rules.values()]);
}
