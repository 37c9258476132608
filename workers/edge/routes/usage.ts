/** `GET /v1/usage`: what the caller may use, what is left, and what was used, for the user and the org. */
import { bucketName, type LimitScope } from "../../../src/shared/limits/bucket-name.ts";
import { limitsOf } from "../../../src/shared/limits/principal-limits.ts";
import { bucketStub } from "../../../durable-objects/token-bucket/bucket-stub.ts";
import type { TenantCall, TenantHandler } from "../handle.ts";
import { respondJson } from "../respond.ts";

export const showUsage: TenantHandler = async (call) => {
  const { scope, principal } = call;
  const [user, org] = await Promise.all([
    standingOf(call, "user", principal.user),
    standingOf(call, "org", principal.org),
  ]);
  return respondJson(scope, { object: "usage", tier: principal.tier, user, org });
};

async function standingOf(
  { isolate, tenant, principal }: TenantCall,
  scope: LimitScope,
  id: string,
): Promise<object> {
  const { rules } = limitsOf(tenant, scope, principal);
  const address = { name: bucketName(tenant.id, scope, id), jurisdiction: tenant.jurisdiction };
  const stub = bucketStub(isolate.env.TOKEN_BUCKET, address, isolate.env.ENVIRONMENT === "production");
  const { usage, limits } = await stub.inspect(rules);
  return {
    limits: limits.map(({ name, unit, limit, remaining, resetMs }) => ({
      name,
      unit,
      limit,
      used: limit - remaining,
      remaining,
      reset_ms: resetMs,
    })),
    used: usage.settled,
    reserved: usage.reserved,
    unsettled: usage.unsettled,
    unaccounted: usage.unaccounted,
    since_ms: usage.sinceMs,
  };
}
