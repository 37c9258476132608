import { err, ok } from "../contracts/result.ts";
import { userIdSchema } from "../contracts/ids.ts";
import { invalidValue } from "../wire/zod-refusal.ts";
import { actorOf, targetOf, type Admin, type AdminResult } from "./admin.ts";
import type { TenantDeps } from "./tenant-changes.ts";

/**
 * `DELETE /admin/semantic_cache`: what a user's questions, or all of a tenant's, left in the semantic cache's index. Written down first, so
 * that nothing happens without its entry; an index that can't be asked fails the request, which is then repeated.
 *
 * Only the index: answers end by their time (`cache.ttl_seconds`), and are found from then on by the very same question alone.
 */
export async function eraseSimilar(
  admin: Admin,
  { tenant: named, user }: { readonly tenant: string | undefined; readonly user: string | undefined },
  deps: Pick<TenantDeps, "readConfig" | "ledger" | "eraseSimilar" | "now">,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, named, deps);
  if (!target.ok) return target;
  const { tenant } = target.value;
  if (tenant === null) return err(invalidValue("tenant", "is needed: the platform itself asks nothing"));
  if (user !== undefined && !userIdSchema.safeParse(user).success)
    return err(invalidValue("user", "is no id of a user"));
  await deps.ledger(target.value).change(actorOf(admin.principal), {
    type: "note",
    entry: {
      action: "semantic_cache.erase",
      subject: user === undefined ? tenant.id : `user:${user}`,
      detail: {},
    },
  });
  const pending = await deps.eraseSimilar(tenant, user ?? null, deps.now());
  return ok({ object: "semantic_cache.erased", tenant: tenant.id, user: user ?? null, pending });
}
