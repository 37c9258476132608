/** How is a bucket shown, to its owner and to admins? Money in US dollars; of everything else as it is counted. */
import { bucketStub } from "../../durable-objects/token-bucket/bucket-stub.ts";
import { bucketName, type LimitScope } from "../../src/shared/limits/bucket-name.ts";
import type { Amounts, BucketInspection, Unit } from "../../src/shared/limits/bucket-protocol.ts";
import type { LimitSet } from "../../src/shared/limits/defaults.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import type { Isolate } from "./isolate.ts";

export async function inspectBucket(
  { env }: Isolate,
  tenant: TenantConfig,
  owner: { readonly scope: LimitScope; readonly id: string },
  { rules }: LimitSet,
): Promise<BucketInspection> {
  const address = { name: bucketName(tenant.id, owner.scope, owner.id), jurisdiction: tenant.jurisdiction };
  return bucketStub(env.TOKEN_BUCKET, address, env.ENVIRONMENT === "production").inspect(rules);
}

export function bucketReport({ usage, limits, models }: BucketInspection): object {
  return {
    limits: limits.map(({ name, unit, limit, used, remaining, resetMs }) => ({
      name,
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
