import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { LimitScope } from "./bucket-name.ts";
import { loanBlock } from "./loan-policy.ts";
import type { Amounts, Unit } from "./bucket-protocol.ts";
import type { Calendar } from "./calendar.ts";
import { stockOf } from "./regional/stock-policy.ts";
import type { LimitRule } from "./level.ts";
import { type Tier, tierSchema } from "./tier.ts";

/**
 * The one table of limits: what a tier allows one user, and one org of all its users of that tier together, where the
 * tenant's configuration says nothing. A user's limits leave room for one busy person or one small service; an org's for ten
 * of them at the same time (free), five (pro), ten (enterprise). Requests an hour are what the tier is sold by: a free user
 * may spend the hour's hundred at once, so that the refusal that it meets is the one that it was told of, and the tokens of
 * a minute suffice for a hundred usual reservations at once. Days and months bound what steady use of the shorter windows
 * would come to, and what a stolen credential can cost.
 */
const defaults = {
  free: {
    user: {
      requests_per_minute: 100,
      requests_per_hour: 100,
      requests_per_day: 1_000,
      tokens_per_minute: 60_000,
      tokens_per_month: 5_000_000,
      concurrent_requests: 100,
      cost_per_month_usd: 5,
    },
    org: {
      requests_per_minute: 200,
      requests_per_hour: 1_000,
      requests_per_day: 10_000,
      tokens_per_minute: 400_000,
      tokens_per_month: 50_000_000,
      concurrent_requests: 200,
      cost_per_month_usd: 50,
    },
  },
  pro: {
    user: {
      requests_per_minute: 600,
      requests_per_hour: 12_000,
      requests_per_day: 100_000,
      tokens_per_minute: 1_000_000,
      tokens_per_month: 1_000_000_000,
      concurrent_requests: 200,
      cost_per_month_usd: 1_000,
    },
    org: {
      requests_per_minute: 3_000,
      requests_per_hour: 60_000,
      requests_per_day: 500_000,
      tokens_per_minute: 5_000_000,
      tokens_per_month: 5_000_000_000,
      concurrent_requests: 1_000,
      cost_per_month_usd: 5_000,
    },
  },
  enterprise: {
    user: {
      requests_per_minute: 6_000,
      requests_per_hour: 240_000,
      requests_per_day: 2_000_000,
      tokens_per_minute: 10_000_000,
      tokens_per_month: 20_000_000_000,
      concurrent_requests: 2_000,
      cost_per_month_usd: 20_000,
    },
    org: {
      requests_per_minute: 60_000,
      requests_per_hour: 2_400_000,
      requests_per_day: 20_000_000,
      tokens_per_minute: 100_000_000,
      tokens_per_month: 200_000_000_000,
      concurrent_requests: 20_000,
      cost_per_month_usd: 200_000,
    },
  },
} as const satisfies Record<Tier, Record<LimitScope, Record<LimitName, number>>>;

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Every limit there is: what it counts, and over which window it refills or in which period it is whole again. */
const windows = {
  requests_per_minute: { unit: "requests", windowMs: minuteMs },
  requests_per_hour: { unit: "requests", windowMs: hourMs },
  requests_per_day: { unit: "requests", windowMs: dayMs, period: "day" },
  tokens_per_minute: { unit: "tokens", windowMs: minuteMs },
  tokens_per_month: { unit: "tokens", windowMs: 30 * dayMs, period: "month" },
  concurrent_requests: { unit: "slots", windowMs: 0 },
  cost_per_month_usd: { unit: "microdollars", windowMs: 30 * dayMs, period: "month" },
} as const satisfies Record<string, { unit: Unit; windowMs: number; period?: Calendar["period"] }>;
export type LimitName = keyof typeof windows;
const names = Object.keys(windows) as LimitName[];

/** A request may go on for a while after its deadline: its last words, its settlement's way. */
const leaseMarginMs = 60_000;

/** The limits of one tier and scope of a tenant, with what follows from them. */
export interface LimitSet {
  readonly rules: readonly LimitRule[];
  /** What one loan is; `null`: too small for loans, every request asks. */
  readonly block: Amounts | null;
  /** What a region borrows at a time, and how many of it at most; `null`: nothing. */
  readonly stock: { readonly block: Amounts; readonly most: number } | null;
  /** See `BucketBatch`. */
  readonly leaseMs: number;
  readonly timeZone: string;
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
    const limit = override === undefined ? defaults[tier][scope][name] : override;
    if (limit !== null) rules.push(ruleOf(tenant, name, limit, levelOf(scope, tier, name)));
  }
  return limitSet(tenant, rules);
}

/**
 * Limits of an org are of its users of one tier together, each tier's on its own. A user's day, month and running requests
 * are one count under whatever tier: what was used before a change of tier stays used. Windows that leak are a tier's own.
 */
function levelOf(scope: LimitScope, tier: Tier, name: LimitName): string {
  const { unit, period } = { period: undefined, ...windows[name] };
  return scope === "user" && (period !== undefined || unit === "slots") ? name : `${tier}/${name}`;
}

/** One limit in the unit of its name: a cost in dollars becomes microdollars. */
export function ruleOf(tenant: TenantConfig, name: LimitName, limit: number, level: string): LimitRule {
  const { unit, windowMs, period } = { period: undefined, ...windows[name] };
  return {
    name,
    unit,
    capacity: unit === "microdollars" ? Math.round(limit * 1_000_000) : limit,
    windowMs,
    level,
    ...(period === undefined ? {} : { calendar: { period, timeZone: tenant.time_zone } }),
  };
}

export function limitSet(tenant: TenantConfig, rules: readonly LimitRule[]): LimitSet {
  return {
    rules,
    block: loanBlock(rules),
    stock: stockOf(rules),
    leaseMs: tenant.requests.deadline_seconds * 1_000 + leaseMarginMs,
    timeZone: tenant.time_zone,
  };
}

/** A window of an hour or more is a quota (`insufficient_quota`): waiting for it is the caller's decision. */
export function limitClass(windowMs: number): "rate" | "quota" {
  return windowMs >= 3_600_000 ? "quota" : "rate";
}
