/**
 * `GET /admin/limits`: what holds for a tenant, tier by tier, with the most that loans can leave unused; and, where a user or
 * an org is named, how its bucket stands.
 */
import { targetOf } from "../../../src/shared/admin/admin.ts";
import type { LimitScope } from "../../../src/shared/limits/bucket-name.ts";
import { reached } from "../../../src/shared/contracts/unreachable.ts";
import { orgIdSchema, userIdSchema } from "../../../src/shared/contracts/ids.ts";
import { resolveLimits } from "../../../src/shared/limits/defaults.ts";
import { bucketInternals, bucketReport, limitsReport } from "../../../src/shared/limits/limit-report.ts";
import { tierSchema } from "../../../src/shared/limits/tier.ts";
import { invalidValue } from "../../../src/shared/wire/zod-refusal.ts";
import type { AdminHandler } from "../handle.ts";
import { inspectBucket } from "../inspect-bucket.ts";
import { respondJson, respondRefusal } from "../respond.ts";

export const showLimits: AdminHandler = async ({ c, scope, isolate, principal, tenant: own }) => {
  const { tenant: named, user, org, tier: asked = "free" } = c.req.query();
  const target = await targetOf({ principal, tenant: own }, named, {
    readConfig: (key) => reached("configuration", async () => isolate.env.CONFIG.get(key)),
  });
  if (!target.ok) return respondRefusal(scope, target.error);
  const { tenant } = target.value;
  if (tenant === null)
    return respondRefusal(
      scope,
      invalidValue("tenant", "is needed: the platform's own credentials have no limits"),
    );
  const tier = tierSchema.safeParse(asked);
  if (!tier.success)
    return respondRefusal(scope, invalidValue("tier", `must be one of ${tierSchema.options.join(", ")}`));
  const owner = ownerOf(user, org);
  if (owner === "both" || owner === "malformed")
    return respondRefusal(scope, invalidValue(owner === "both" ? "org" : "user", messages[owner]));
  const report = {
    object: "limits",
    tenant: tenant.id,
    time_zone: tenant.time_zone,
    ...limitsReport(tenant),
  };
  if (owner === null) return respondJson(scope, report);
  const limits = resolveLimits(tenant, owner.scope, tier.data);
  const bucket = await inspectBucket(isolate, tenant, owner, limits);
  return respondJson(scope, {
    ...report,
    bucket: { ...owner, tier: tier.data, ...bucketReport(bucket), ...bucketInternals(bucket) },
  });
};

const messages = {
  both: "can't be asked for beside a user: name one of the two",
  malformed: "(or org) is no id",
} as const;

function ownerOf(
  user: string | undefined,
  org: string | undefined,
): { readonly scope: LimitScope; readonly id: string } | "both" | "malformed" | null {
  if (user !== undefined && org !== undefined) return "both";
  const id = user === undefined ? orgIdSchema.safeParse(org) : userIdSchema.safeParse(user);
  if (user === undefined && org === undefined) return null;
  return id.success ? { scope: user === undefined ? "org" : "user", id: id.data } : "malformed";
}
