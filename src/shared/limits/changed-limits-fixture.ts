/** The limits of a tenant that is configured anew under load, for tests: as they are, lowered, and raised; and a key with limits of its own. */
import type { Principal } from "../identity/principal.ts";
import type { LimitScope } from "./bucket-name.ts";
import { resolveLimits } from "./defaults.ts";
import type { LimitRule } from "./level.ts";
import { tenantWith } from "./simulated-turns.ts";
import type { Tier } from "./tier.ts";

const limits = {
  user: {
    free: {
      requests_per_minute: 400,
      requests_per_hour: 1_000,
      requests_per_day: 900,
      tokens_per_minute: 500_000,
      tokens_per_month: 500_000,
      concurrent_requests: 80,
      cost_per_month_usd: 10,
    },
    pro: {
      requests_per_minute: 600,
      requests_per_hour: 800,
      requests_per_day: 900,
      tokens_per_minute: 450_000,
      tokens_per_month: 480_000,
      concurrent_requests: 80,
      cost_per_month_usd: 11,
    },
  },
  org: {
    free: {
      requests_per_minute: 40,
      requests_per_hour: 100,
      requests_per_day: 70,
      tokens_per_minute: 20_000,
      tokens_per_month: 30_000,
      concurrent_requests: 15,
      cost_per_month_usd: 0.05,
    },
    pro: {
      requests_per_minute: 60,
      requests_per_hour: 90,
      requests_per_day: 50,
      tokens_per_minute: 25_000,
      tokens_per_month: 20_000,
      concurrent_requests: 12,
      cost_per_month_usd: 0.06,
    },
  },
};
/** As they are, lowered, and raised. */
export const tenants = [1, 0.5, 2].map((factor) => ({
  ...tenantWith(scaled(limits, factor)),
  time_zone: "Europe/Berlin",
}));
export const mostAtOnce = { free: 30, pro: 24 };
export const key: NonNullable<Principal["key"]> = {
  id: "k",
  limits: { requests_per_minute: 30, requests_per_hour: 40, tokens_per_minute: 9_000 },
};

/** What was ever configured for these tiers at most. */
export function mostOf(rule: LimitRule, scope: LimitScope, tiers: readonly Tier[]): LimitRule {
  const capacities = tenants
    .flatMap((one) => tiers.flatMap((tier) => resolveLimits(one, scope, tier).rules))
    .filter(({ name }) => name === rule.name)
    .map(({ capacity }) => capacity);
  return { ...rule, capacity: Math.max(...capacities) };
}

/** Each limit so many times; money to the cent. */
function scaled(of: typeof limits, factor: number): object {
  const each = (block: Readonly<Record<string, number>>): object =>
    Object.fromEntries(
      Object.entries(block).map(([name, limit]) => [
        name,
        name === "cost_per_month_usd" ? Math.round(limit * factor * 100) / 100 : Math.ceil(limit * factor),
      ]),
    );
  const both = ({ free, pro }: (typeof of)["user"]): object => ({ free: each(free), pro: each(pro) });
  return { user: both(of.user), org: both(of.org) };
}
