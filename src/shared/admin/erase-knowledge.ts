import { userIdSchema } from "../contracts/ids.ts";
import { err, ok } from "../contracts/result.ts";
import { invalidValue } from "../wire/zod-refusal.ts";
import { actorOf, targetOf, type Admin, type AdminResult } from "./admin.ts";
import type { TenantDeps } from "./tenant-changes.ts";

/**
 * `DELETE /admin/knowledge`: every file and vector store of a user, or of a tenant and all its users. Written down first, so that nothing
 * happens without its entry; where it can't be asked the request fails, and is repeated. Who was erased may upload again at once.
 */
export async function eraseKnowledge(
  admin: Admin,
  { tenant: named, user }: { readonly tenant: string | undefined; readonly user: string | undefined },
  deps: Pick<TenantDeps, "readConfig" | "ledger" | "eraseKnowledge">,
): Promise<AdminResult<object>> {
  const target = await targetOf(admin, named, deps);
  if (!target.ok) return target;
  const { tenant } = target.value;
  if (tenant === null) return err(invalidValue("tenant", "is needed: the platform itself has no files"));
  if (user !== undefined && !userIdSchema.safeParse(user).success)
    return err(invalidValue("user", "is no id of a user"));
  await deps.ledger(target.value).change(actorOf(admin.principal), {
    type: "note",
    entry: {
      action: "knowledge.erase",
      subject: user === undefined ? tenant.id : `user:${user}`,
      detail: {},
    },
  });
  const pending = await deps.eraseKnowledge(tenant, user ?? null, 0);
  return ok({ object: "knowledge.erased", tenant: tenant.id, user: user ?? null, pending });
}
