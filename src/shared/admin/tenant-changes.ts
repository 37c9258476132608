import { tenantIdSchema, type TenantId } from "../contracts/ids.ts";
import { err, ok } from "../contracts/result.ts";
import { readTenantEntry, tenantKey, type StoreEntry } from "../tenancy/tenant-entries.ts";
import type { EntryPage, Ledger } from "./ledger.ts";
import { tenantConfigSchema, type TenantConfig } from "../tenancy/tenant-config.ts";
import { planRemoval, planTenant } from "../tenancy/tenant-registry.ts";
import { invalidValue, refusalOfIssues } from "../wire/zod-refusal.ts";
import {
  actorOf,
  unknownObject,
  type Admin,
  type AdminDeps,
  type AdminResult,
  type Target,
} from "./admin.ts";

/**
 * What does `/admin/tenants` do? As `npm run tenant`, by the same checks. Each change is in the platform's log and in the tenant's
 * own, written before the configuration is. A tenant that goes takes its keys with it: another one may come by its name.
 */
export interface TenantDeps extends AdminDeps {
  /** What the semantic cache holds of the tenant, or of one user (src/shared/admin/erase-similar.ts). Throws where it can't be asked. */
  readonly eraseSimilar: (tenant: TenantConfig, user: string | null, throughMs: number) => Promise<number>;
  /** Files and vector stores of the tenant and its users, or of one user (src/shared/admin/erase-knowledge.ts). Throws where it can't be asked. */
  readonly eraseKnowledge: (
    tenant: TenantConfig,
    user: string | null,
    closedUntilMs: number,
  ) => Promise<number>;
  readonly writeConfig: (put: readonly StoreEntry[], remove: readonly string[]) => Promise<void>;
  /** `cursor`: where the page before ended; `null` for one that nobody was given. */
  readonly listTenants: (
    cursor: string | null,
    limit: number,
  ) => Promise<{ readonly ids: readonly TenantId[]; readonly next: string | null } | null>;
}

/** A tenant's admin may see its own. */
export async function showTenant(admin: Admin, id: string, deps: TenantDeps): Promise<AdminResult<object>> {
  if (admin.tenant !== null && admin.tenant.id !== id) return err(unknownObject);
  const text = tenantIdSchema.safeParse(id).success ? await deps.readConfig(tenantKey(id)) : null;
  if (text === null) return err(unknownObject);
  const read = readTenantEntry(text);
  return read.ok
    ? ok(read.value.value)
    : err({ kind: "conflict", message: `The configuration of tenant '${id}' is broken. Write it anew.` });
}

export async function listTenants(
  page: { readonly after: string | null; readonly limit: number },
  deps: TenantDeps,
): Promise<AdminResult<object>> {
  const listed = await deps.listTenants(page.after, page.limit);
  if (listed === null) return err(invalidValue("after", "is no cursor of this list"));
  const { ids, next } = listed;
  return ok({
    object: "list",
    data: ids.map((id) => ({ object: "tenant", id })),
    has_more: next !== null,
    next_after: next,
  });
}

export async function putTenant(
  admin: Admin,
  id: string,
  body: unknown,
  deps: TenantDeps,
): Promise<AdminResult<TenantConfig>> {
  const parsed = tenantConfigSchema.safeParse(body);
  if (!parsed.success) return err(refusalOfIssues(parsed.error.issues, [], body));
  if (parsed.data.id !== id) return err(invalidValue("id", "is not the one in the URL"));
  const plan = await planTenant({ get: deps.readConfig }, parsed.data, deps.environment, deps.now());
  if (!plan.ok) return err(invalidValue(plan.error.param, plan.error.message));
  const { tenant, put, stale, isNew } = plan.value;
  if (isNew) await endLateKeys(admin, { log: id, tenant }, deps);
  await note(admin, isNew ? "tenant.create" : "tenant.update", { log: id, tenant }, tenant.version, deps);
  await deps.writeConfig(put, stale);
  return ok(tenant);
}

/**
 * Keys that were made when the tenant before was gone already: isolates know a tenant for a while after its deletion, and with it
 * its admins. By the ledger, since KV may say "new" of a tenant that was made elsewhere a moment ago; of every jurisdiction, since
 * the one before may have had another.
 */
async function endLateKeys(
  admin: Admin,
  { log, tenant }: { readonly log: string; readonly tenant: TenantConfig },
  deps: TenantDeps,
): Promise<void> {
  for (const jurisdiction of ["none", "eu"] as const) {
    const ledger = deps.ledger({ log, tenant: { ...tenant, jurisdiction } });
    const made = await madeSinceDeletion(ledger);
    if (made) await ledger.change(actorOf(admin.principal), { type: "revoke-all-keys" });
  }
}

async function madeSinceDeletion(ledger: Ledger): Promise<boolean> {
  let isMade = false;
  for (let before: number | null = null; ;) {
    const { entries, hasMore }: EntryPage = await ledger.entries(before, 100);
    for (const { action } of entries) {
      if (action === "tenant.delete") return isMade;
      if (action === "tenant.create" || action === "tenant.update") return false;
      isMade ||= action === "key.create" || action === "key.rotate";
    }
    before = entries.at(-1)?.sequence ?? null;
    if (!hasMore || before === null) return false;
  }
}

export async function deleteTenant(admin: Admin, id: string, deps: TenantDeps): Promise<AdminResult<object>> {
  const text = tenantIdSchema.safeParse(id).success ? await deps.readConfig(tenantKey(id)) : null;
  if (text === null) return err(unknownObject);
  const read = readTenantEntry(text);
  if (!read.ok)
    return err({
      kind: "conflict",
      message: "Its configuration is broken, and with it where its keys are. Write it anew, then delete it.",
    });
  const { value: tenant } = read.value;
  const target: Target = { log: id, tenant };
  await note(admin, "tenant.delete", target, tenant.version, deps);
  await deps.ledger(target).change(actorOf(admin.principal), { type: "revoke-all-keys" });
  // Isolates know it for a minute or two, and what they keep until then is never found.
  const untilMs = deps.now() + knownAfterwardsMs;
  await deps.eraseSimilar(tenant, null, untilMs);
  await deps.eraseKnowledge(tenant, null, untilMs);
  const plan = await planRemoval({ get: deps.readConfig }, id, deps.now());
  if (plan !== null) await deps.writeConfig(plan.put, plan.stale);
  return ok({ object: "tenant.deleted", id, deleted: true });
}

const knownAfterwardsMs = 600_000;

async function note(
  admin: Admin,
  action: string,
  target: Target,
  version: string,
  deps: TenantDeps,
): Promise<void> {
  const actor = actorOf(admin.principal);
  const command = { type: "note", entry: { action, subject: target.log, detail: { version } } } as const;
  await deps.ledger({ log: "platform", tenant: null }).change(actor, command);
  await deps.ledger(target).change(actor, command);
}
