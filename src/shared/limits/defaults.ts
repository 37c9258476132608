import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { LimitScope } from "./bucket-name.ts";
import { loanBlock } from "./loan-policy.ts";
import type { Amounts } from "./bucket-protocol.ts";
import type { LimitRule } from "./level.ts";
import { type Tier, tierSchema } from "./tier.ts";

/**
 * The one table of limits: what a tier allows one user, and one org of all its users together, where the tenant's
 * configuration says nothing. A user's limits leave room for one busy person or one small service; an org's for ten of
 * them at the same time (free), five (pro), ten (enterprise). Requests an hour are what the tier is sold by: a free user
 * may spend the hour's hundred within a minute, so that the refusal that it meets is the one that it was told of, and the
 * tokens of a minute suffice for a hundred usual reservations at once.
 */
const defaults = {
  free: {
    user: { requests_per_minute: 100, requests_per_hour: 100, tokens_per_minute: 60_000 },
    org: { requests_per_minute: 200, requests_per_hour: 1_000, tokens_per_minute: 400_000 },
  },
  pro: {
    user: { requests_per_minute: 600, requests_per_hour: 12_000, tokens_per_minute: 1_000_000 },
    org: { requests_per_minute: 3_000, requests_per_hour: 60_000, tokens_per_minute: 5_000_000 },
  },
  enterprise: {
    user: { requests_per_minute: 6_000, requests_per_hour: 240_000, tokens_per_minute: 10_000_000 },
    org: { requests_per_minute: 60_000, requests_per_hour: 2_400_000, tokens_per_minute: 100_000_000 },
  },
} as const satisfies Record<Tier, Record<LimitScope, Record<LimitName, number>>>;

/** Every limit there is: what it counts and over which window it refills. */
const windows = {
  requests_per_minute: { unit: "requests", windowMs: 60_000 },
  requests_per_hour: { unit: "requests", windowMs: 3_600_000 },
  tokens_per_minute: { unit: "tokens", windowMs: 60_000 },
} as const;
type LimitName = keyof typeof windows;
const names = Object.keys(windows) as LimitName[];

/** The limits of one tier and scope of a tenant, with what follows from them. */
export interface LimitSet {
  readonly rules: readonly LimitRule[];
  /** What one loan is; `null`: too small for loans, every request asks. */
  readonly block: Amounts | null;
}

/** A tenant's limits as configured: overrides first, then the table; `null` means no such limit. */
export function resolveLimits(tenant: TenantConfig, scope: LimitScope, tier: Tier): LimitSet {
  let resolved = known.get(tenant);
  if (resolved === undefined) {
    resolved = {
      user: byTier((tier) => limitsOf(tenant, "user", tier)),
      org: byTier((tier) => limitsOf(tenant, "org", tier)),
    };
    known.set(tenant, resolved);
  }
  return resolved[scope][tier];
}

/** Worked out once for each configuration object: this is asked for every request. */
const known = new WeakMap<TenantConfig, Record<LimitScope, Record<Tier, LimitSet>>>();

function byTier(of: (tier: Tier) => LimitSet): Record<Tier, LimitSet> {
  return Object.fromEntries(tierSchema.options.map((tier) => [tier, of(tier)])) as Record<Tier, LimitSet>;
}

function limitsOf(tenant: TenantConfig, scope: LimitScope, tier: Tier): LimitSet {
  const overrides = tenant.limits[scope][tier] ?? {};
  const rules: LimitRule[] = [];
  for (const name of names) {
    const override = overrides[name];
    const capacity = override === undefined ? defaults[tier][scope][name] : override;
    if (capacity !== null) rules.push(ruleOf(name, capacity));
  }
  return limitSet(rules);
}

export function ruleOf(name: LimitName, capacity: number): LimitRule {
  return { name, capacity, ...windows[name] };
}

export function limitSet(rules: readonly LimitRule[]): LimitSet {
  return { rules, block: loanBlock(rules) };
}

/** A window of an hour or more is a quota (`insufficient_quota`): waiting for it is the caller's decision. */
export function limitClass(windowMs: number): "rate" | "quota" {
  return windowMs >= 3_600_000 ? "quota" : "rate";
}
