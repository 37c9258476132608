/** `GET /v1/usage`: what the caller may use, what is left, and what was used, for the user and the org. */
import { limitsOf } from "../../../src/shared/limits/principal-limits.ts";
import { bucketReport } from "../../../src/shared/limits/limit-report.ts";
import type { TenantHandler } from "../handle.ts";
import { inspectBucket } from "../inspect-bucket.ts";
import { respondJson } from "../respond.ts";

export const showUsage: TenantHandler = async ({ isolate, scope, tenant, principal }) => {
  const { tier } = principal;
  const [user, org] = await Promise.all([
    inspectBucket(
      isolate,
      tenant,
      { scope: "user", id: principal.user },
      limitsOf(tenant, "user", principal),
    ),
    inspectBucket(isolate, tenant, { scope: "org", id: principal.org }, limitsOf(tenant, "org", principal)),
  ]);
  return respondJson(scope, {
    object: "usage",
    tier,
    time_zone: tenant.time_zone,
    user: bucketReport(user),
    org: bucketReport(org),
  });
};
