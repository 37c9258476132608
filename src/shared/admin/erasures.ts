import { tenantIdSchema, userIdSchema } from "../contracts/ids.ts";
import { err, ok } from "../contracts/result.ts";
import { goneKey } from "../tenancy/tenant-entries.ts";
import { invalidValue } from "../wire/zod-refusal.ts";
import { actorOf, targetOf, type Admin, type AdminResult } from "./admin.ts";
import type { KeptBy, TenantDeps } from "./tenant-changes.ts";

/**
 * `DELETE /admin/history`, `/admin/knowledge` and `/admin/semantic_cache`: what a user, or a tenant with all its users, keeps of a kind.
 * The audit entry is written first, so that nothing is erased without one. If an object can't be reached the request fails, and can be
 * repeated. A user whose data was erased may go on using the service at once. Platform admins may also erase what a deleted tenant left:
 * objects that are on no roll are reached by their user's name.
 */
interface Named {
  readonly tenant: string | undefined;
  readonly user: string | undefined;
}

type Deps<Erase extends keyof TenantDeps> = Pick<TenantDeps, "readConfig" | "ledger" | "now" | Erase>;

/** Conversations and stored answers, here and in the archive. */
export function eraseHistory(
  admin: Admin,
  named: Named,
  deps: Deps<"eraseHistory">,
): Promise<AdminResult<object>> {
  const erasure = { throughMs: deps.now(), lookAgainMs: 0 };
  return erased("history", admin, named, deps, (tenant, user) => deps.eraseHistory(tenant, user, erasure));
}

/** Files and vector stores. */
export function eraseKnowledge(
  admin: Admin,
  named: Named,
  deps: Deps<"eraseKnowledge">,
): Promise<AdminResult<object>> {
  return erased("knowledge", admin, named, deps, (tenant, user) => deps.eraseKnowledge(tenant, user, 0));
}

/**
 * What questions left in the semantic cache's index. Only the index: answers end by their time (`cache.ttl_seconds`), and are found from then
 * on by the very same question alone.
 */
export function eraseSimilar(
  admin: Admin,
  named: Named,
  deps: Deps<"eraseSimilar">,
): Promise<AdminResult<object>> {
  return erased("semantic_cache", admin, named, deps, (tenant, user) =>
    deps.eraseSimilar(tenant, user, deps.now()),
  );
}

async function erased(
  what: "history" | "knowledge" | "semantic_cache",
  admin: Admin,
  { tenant: named, user }: Named,
  deps: Pick<TenantDeps, "readConfig" | "ledger">,
  erase: (tenant: KeptBy, user: string | null) => Promise<number>,
): Promise<AdminResult<object>> {
  const tenants = await erasable(admin, named, deps);
  if (!tenants.ok) return tenants;
  const [first] = tenants.value;
  if (first === undefined) return err(invalidValue("tenant", "is needed: the platform itself keeps nothing"));
  if (user !== undefined && !userIdSchema.safeParse(user).success)
    return err(invalidValue("user", "is no id of a user"));
  let pending = 0;
  for (const tenant of tenants.value) {
    await deps.ledger({ log: tenant.id, tenant }).change(actorOf(admin.principal), {
      type: "note",
      entry: {
        action: `${what}.erase`,
        subject: user === undefined ? tenant.id : `user:${user}`,
        detail: {},
      },
    });
    pending += await erase(tenant, user ?? null);
  }
  return ok({ object: `${what}.erased`, tenant: first.id, user: user ?? null, pending });
}

/** Empty for the platform itself. Every jurisdiction for a tenant that is gone, since its own is no longer known. */
async function erasable(
  admin: Admin,
  named: string | undefined,
  deps: Pick<TenantDeps, "readConfig">,
): Promise<AdminResult<readonly KeptBy[]>> {
  const target = await targetOf(admin, named, deps);
  if (target.ok) return ok(target.value.tenant === null ? [] : [target.value.tenant]);
  const isGone =
    admin.tenant === null &&
    tenantIdSchema.safeParse(named).success &&
    (await deps.readConfig(goneKey(named ?? ""))) !== null;
  if (!isGone) return target;
  return ok((["none", "eu"] as const).map((jurisdiction) => ({ id: named ?? "", jurisdiction })));
}
