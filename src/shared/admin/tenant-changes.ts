import { tenantIdSchema, type TenantId } from "../contracts/ids.ts";
import { err, ok } from "../contracts/result.ts";
import { goneKey, readTenantEntry, tenantKey, type StoreEntry } from "../tenancy/tenant-entries.ts";
import type { EntryPage, Ledger, LedgerCommand } from "./ledger.ts";
import { tenantConfigSchema, type TenantConfig } from "../tenancy/tenant-config.ts";
import { goneMark, readGoneMark } from "../tenancy/gone-mark.ts";
import { type LatelyLeft, standingOf } from "../tenancy/lately-left.ts";
import { claimsOf, planRemoval, planTenant } from "../tenancy/tenant-registry.ts";
import { base32 } from "../turn/base32.ts";
import { invalidValue, refusalOfIssues } from "../wire/zod-refusal.ts";
import {
  actorOf,
  unknownObject,
  type Admin,
  type AdminDeps,
  type AdminResult,
  type LedgerPlace,
  type Target,
} from "./admin.ts";
import type { TenantClaims } from "./tenant-claims.ts";

/**
 * What does `/admin/tenants` do? The same as `npm run tenant`, with the same checks. Each change is in the platform's log and in the
 * tenant's own before the configuration is written, and a tenant has one change at a time. Deleting a tenant deletes its keys, since
 * another tenant may later have its name.
 */
export interface TenantDeps extends AdminDeps {
  /** What the semantic cache holds of the tenant, or of one user (src/shared/admin/erasures.ts). Throws where it can't be asked. */
  readonly eraseSimilar: (tenant: KeptBy, user: string | null, throughMs: number) => Promise<number>;
  /** Files and vector stores of the tenant and its users, or of one user (src/shared/admin/erasures.ts). Throws where it can't be asked. */
  readonly eraseKnowledge: (tenant: KeptBy, user: string | null, closedUntilMs: number) => Promise<number>;
  /** Conversations and stored answers of the tenant and its users, or of one user (src/shared/admin/erase-history.ts). Throws where it can't be asked. */
  readonly eraseHistory: (tenant: KeptBy, user: string | null, erasure: HistoryErasure) => Promise<number>;
  readonly claims: TenantClaims;
  readonly writeConfig: (put: readonly StoreEntry[], remove: readonly string[]) => Promise<void>;
  /** `cursor`: where the page before ended. Returns `null` for a cursor that was never given out. */
  readonly listTenants: (
    cursor: string | null,
    limit: number,
  ) => Promise<{ readonly ids: readonly TenantId[]; readonly next: string | null } | null>;
}

/** Conversations and answers up to this time are erased, in milliseconds since 1970. */
export interface HistoryErasure {
  /** All that was made by then. */
  readonly throughMs: number;
  /** Of a tenant that is deleted: what isolates that still know it make until then goes as well; 0: nothing more. */
  readonly lookAgainMs: number;
}

/** Which tenant's objects are meant. */
export interface KeptBy extends Pick<TenantConfig, "jurisdiction"> {
  readonly id: string;
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
  return alone(id, await claimsOf(parsed.data), deps, async (held) =>
    writeTenant(admin, parsed.data, held, deps),
  );
}

async function writeTenant(
  admin: Admin,
  checked: TenantConfig,
  { lately, leaves }: HeldChange,
  deps: TenantDeps,
): Promise<AdminResult<TenantConfig>> {
  const { id } = checked;
  const atMs = deps.now();
  const plan = await planTenant({ get: deps.readConfig }, checked, deps.environment, atMs, lately);
  if (!plan.ok) return err(invalidValue(plan.error.param, plan.error.message));
  const { tenant, put, stale, isNew } = plan.value;
  if (isNew) await endLateKeys(admin, { log: id, tenant }, deps);
  await note(admin, isNew ? "tenant.create" : "tenant.update", { log: id, tenant }, tenant.version, deps);
  const { jurisdiction } = tenant;
  // Before it is written: should that be cut off, it may be there all the same.
  leaves({ atMs, lasting: { jurisdiction, createdAfter: tenant.keys.created_after } });
  await deps.writeConfig(put, await ownOf(id, stale, deps));
  return ok(tenant);
}

/** A change of a tenant, while no other change of it may run. */
interface HeldChange {
  readonly lately: LatelyLeft | null;
  /** What there is of the tenant from now on. */
  readonly leaves: (left: LatelyLeft) => void;
}

/** While it works, no other request changes this tenant through the API, or gives its hosts and issuers to another tenant. */
async function alone<T>(
  tenant: string,
  claims: readonly { readonly param: string; readonly key: string }[],
  { claims: register, random }: TenantDeps,
  work: (held: HeldChange) => Promise<AdminResult<T>>,
): Promise<AdminResult<T>> {
  const keys = [...new Set(claims.map(({ key }) => key))];
  const change = { tenant, change: base32(random(16), 25), keys };
  const begun = await register.begin(change);
  if (begun.result === "busy")
    return err({ kind: "conflict", message: `Tenant '${tenant}' is being changed by somebody else.` });
  if (begun.result === "taken") {
    const { param } = claims.find(({ key }) => key === begun.key) ?? { param: "id" };
    return err(invalidValue(param, `belongs to tenant ${begun.by}`));
  }
  // How far a change got that broke off is unknown.
  let isKept = true;
  let left: LatelyLeft | undefined;
  try {
    const result = await work({ lately: begun.lately ?? null, leaves: (leaving) => (left = leaving) });
    isKept = result.ok;
    return result;
  } finally {
    await register.end(change, isKept, left);
  }
}

/** Without the keys that another tenant has by now, even if KV does not show it here yet: deleting them would lock that tenant out. */
async function ownOf(
  id: string,
  stale: readonly string[],
  { claims }: TenantDeps,
): Promise<readonly string[]> {
  if (stale.length === 0) return stale;
  const others = new Set(await claims.othersOf(id, stale));
  return stale.filter((key) => !others.has(key));
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

/** A tenant that was only deleted in KV has left its data; that is erased then. */
export async function deleteTenant(admin: Admin, id: string, deps: TenantDeps): Promise<AdminResult<object>> {
  if (!tenantIdSchema.safeParse(id).success) return err(unknownObject);
  return alone(id, [], deps, async (held) => removeTenant(admin, id, held, deps));
}

async function removeTenant(
  admin: Admin,
  id: string,
  { lately, leaves }: HeldChange,
  deps: TenantDeps,
): Promise<AdminResult<object>> {
  const text = await deps.readConfig(tenantKey(id));
  if (lately !== null) {
    const mark = text === null ? await deps.readConfig(goneKey(id)) : null;
    const { exists, lasting } = standingOf(text, mark, lately);
    if (text !== null && !exists) return err(unknownObject);
    // What would be erased and revoked is another's, or another place's.
    if (exists && (text === null || lasting.some((one) => one.jurisdiction !== lasting[0]?.jurisdiction)))
      return err({
        kind: "conflict",
        message: `Tenant '${id}' was changed a moment ago, which is not known everywhere yet. Try again in a minute.`,
      });
  }
  if (text === null) return eraseGone(admin, id, deps);
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
  const throughMs = deps.now();
  const untilMs = throughMs + knownAfterwardsMs;
  await deps.eraseSimilar(tenant, null, untilMs);
  await deps.eraseKnowledge(tenant, null, untilMs);
  await deps.eraseHistory(tenant, null, { throughMs, lookAgainMs: untilMs });
  const plan = await planRemoval({ get: deps.readConfig }, id, deps.now(), true);
  if (plan !== null) await deps.writeConfig(plan.put, await ownOf(id, plan.stale, deps));
  leaves({ atMs: deps.now(), lasting: null });
  return ok({ object: "tenant.deleted", id, deleted: true });
}

/**
 * What a tenant left that `npm run tenant -- delete` took out of KV, which knows no object. In every jurisdiction: which one it had, nobody knows
 * any more. Once it is erased such a tenant is unknown, as any other that is gone.
 */
async function eraseGone(admin: Admin, id: string, deps: TenantDeps): Promise<AdminResult<object>> {
  const mark = await deps.readConfig(goneKey(id));
  const { goneMs, isErased } = readGoneMark(mark ?? "");
  if (mark === null || isErased) return err(unknownObject);
  const untilMs = goneMs + knownAfterwardsMs;
  for (const jurisdiction of ["none", "eu"] as const) {
    const tenant = { id, jurisdiction };
    const target: LedgerPlace = { log: id, tenant };
    const ledger = deps.ledger(target);
    const { entries } = await ledger.entries(null, 1);
    // Once for the platform; in each tenant's log it stands for what was kept there.
    if (jurisdiction === "none") await note(admin, "tenant.delete", target, "", deps);
    else await ledger.change(actorOf(admin.principal), noted("tenant.delete", target, ""));
    // Where nothing was ever written there are no keys.
    if (entries.length > 0) await ledger.change(actorOf(admin.principal), { type: "revoke-all-keys" });
    await deps.eraseSimilar(tenant, null, Math.max(untilMs, deps.now()));
    await deps.eraseKnowledge(tenant, null, untilMs);
    await deps.eraseHistory(tenant, null, {
      throughMs: deps.now(),
      lookAgainMs: deps.now() + knownAfterwardsMs,
    });
  }
  await deps.writeConfig([{ key: goneKey(id), value: goneMark(goneMs, true) }], []);
  return ok({ object: "tenant.deleted", id, deleted: true });
}

/** For so long isolates may know a tenant that is gone. */
const knownAfterwardsMs = 600_000;

async function note(
  admin: Admin,
  action: string,
  target: LedgerPlace,
  version: string,
  deps: TenantDeps,
): Promise<void> {
  const actor = actorOf(admin.principal);
  const command = noted(action, target, version);
  await deps.ledger({ log: "platform", tenant: null }).change(actor, command);
  await deps.ledger(target).change(actor, command);
}

function noted(action: string, { log }: LedgerPlace, version: string): LedgerCommand {
  return { type: "note", entry: { action, subject: log, detail: { version } } };
}
