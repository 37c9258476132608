/** `GET /admin/usage`: what a tenant's orgs used, day by day (src/shared/admin/usage-page.ts). */
import { readUsage } from "../../../durable-objects/usage-book/usage-book-port.ts";
import { reached } from "../../../src/shared/contracts/unreachable.ts";
import { usagePage } from "../../../src/shared/admin/usage-page.ts";
import type { AdminHandler } from "../handle.ts";
import { respondJson, respondRefusal } from "../respond.ts";

export const showTenantUsage: AdminHandler = async ({ c, scope, isolate, principal, tenant }) => {
  const { env, now } = isolate;
  const page = await usagePage({ principal, tenant }, c.req.query(), {
    now,
    readConfig: (key) => reached("configuration", async () => env.CONFIG.get(key)),
    readUsage: (place, wanted) => readUsage(env, place, wanted),
  });
  return page.ok ? respondJson(scope, page.value) : respondRefusal(scope, page.error);
};
