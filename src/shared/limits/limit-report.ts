/** How are limits and a bucket shown, to their owner and to admins? Money in US dollars; everything else as it is counted. Pure. */
import type { TenantConfig } from "../tenancy/tenant-config.ts";
import type { LimitScope } from "./bucket-name.ts";
import type { Amounts, BucketInspection, Unit } from "./bucket-protocol.ts";
import { resolveLimits } from "./defaults.ts";
import type { LimitRule } from "./level.ts";
import { loanPolicy, mostLent } from "./loan-policy.ts";
import { type Tier, tierSchema } from "./tier.ts";

/** What holds for a tenant, tier by tier, and how much of each limit loans can leave unused at most. */
export function limitsReport(tenant: TenantConfig): object {
  return {
    tiers: Object.fromEntries(
      tierSchema.options.map((tier) => [
        tier,
        { user: scopeReport(tenant, "user", tier), org: scopeReport(tenant, "org", tier) },
      ]),
    ),
    loan_seconds: loanPolicy.lifeMs / 1_000,
    when_exhausted: tenant.limits.when_exhausted,
    when_unreachable: tenant.limits.when_unreachable,
  };
}

function scopeReport(tenant: TenantConfig, scope: LimitScope, tier: Tier): object[] {
  const { rules, block, stock } = resolveLimits(tenant, scope, tier);
  return rules.map((rule) => ({
    name: rule.name,
    unit: unitNames[rule.unit],
    limit: shown(rule.capacity, rule.unit),
    refill: refillOf(rule),
    // Limits too small for loans are asked for each request: nothing lies unused.
    largest_loan: block === null ? 0 : shown(block[rule.unit], rule.unit),
    most_left_unused_by_loans: block === null ? 0 : shown(mostLent(rules, rule.unit), rule.unit),
    // Of that, at most so much lies in one region: an org's alone, in tenants without a jurisdiction.
    ...(scope === "org" && {
      most_in_one_region:
        stock === null || tenant.jurisdiction !== "none"
          ? 0
          : shown(stock.most * stock.block[rule.unit], rule.unit),
    }),
  }));
}

function refillOf({ calendar, unit, windowMs }: LimitRule): string {
  if (unit === "slots") return "with every answer's end";
  return calendar === undefined ? `steadily, in ${windowMs / 60_000} min` : `every ${calendar.period}`;
}

/** What an admin sees of a bucket beside what its owner sees. */
export function bucketInternals({ lent, openReservations }: BucketInspection): object {
  return {
    lent: { ...tally(lent), concurrent_requests: lent.slots },
    open_reservations: openReservations,
  };
}

export function bucketReport({ usage, limits, models }: BucketInspection): object {
  return {
    limits: limits.map(({ name, of, unit, limit, used, remaining, resetMs }) => ({
      name,
      ...(of !== undefined && { of }),
      unit: unitNames[unit],
      limit: shown(limit, unit),
      used: shown(used, unit),
      remaining: shown(remaining, unit),
      reset_ms: resetMs,
    })),
    used: tally(usage.settled),
    reserved: { ...tally(usage.reserved), concurrent_requests: usage.reserved.slots },
    unsettled: tally(usage.unsettled),
    unaccounted: tally(usage.unaccounted),
    since_ms: usage.sinceMs,
    models: models.uses.map(({ model, requests, tokens, microdollars }) => ({
      model,
      requests,
      tokens,
      cost_usd: dollars(microdollars),
    })),
    models_since_ms: models.sinceMs,
  };
}

const unitNames: Readonly<Record<Unit, string>> = {
  requests: "requests",
  tokens: "tokens",
  slots: "concurrent_requests",
  microdollars: "usd",
};

/** A limit's number in the unit that `unitNames` says. */
function shown(amount: number, unit: Unit): number {
  return unit === "microdollars" ? dollars(amount) : amount;
}

function tally({ requests, tokens, microdollars }: Amounts): object {
  return { requests, tokens, cost_usd: dollars(microdollars) };
}

function dollars(microdollars: number): number {
  return microdollars / 1_000_000;
}
