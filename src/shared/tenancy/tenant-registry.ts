import { demoSecretName, demoTenantId } from "../identity/demo.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ConfigStore } from "./config-cache.ts";
import { goneMark, readGoneMark } from "./gone-mark.ts";
import { type LatelyLeft, standingOf } from "./lately-left.ts";
import {
  goneKey,
  hostKey,
  issuerKey,
  readTenantEntry,
  tenantEntries,
  tenantKey,
  withVersion,
  type StoreEntry,
} from "./tenant-entries.ts";
import type { TenantConfig } from "./tenant-config.ts";

/**
 * What must be written so that a tenant is configured, or gone? `npm run tenant` and `/admin/tenants` alike: first a plan, checked against
 * what is there, then its writes: new indexes before old ones go, so that nobody is locked out in between. KV has no transactions: changes
 * through the API exclude each other by claims (src/shared/admin/tenant-claims.ts); if two commands give one hostname to two tenants at the
 * same moment, the later one wins.
 */
export interface TenantPlan {
  readonly tenant: TenantConfig;
  /** To be written, in order. */
  readonly put: readonly StoreEntry[];
  /** To be deleted after that. */
  readonly stale: readonly string[];
  readonly isNew: boolean;
}

/** What is wrong, and with which field. */
export interface TenantFault {
  readonly param: string;
  /** Follows the field's name. */
  readonly message: string;
}

/**
 * @param lately what the last change left, where KV may not tell it yet
 * @param isReturning one that was deleted comes back: what it kept is its own
 */
export async function planTenant(
  store: ConfigStore,
  checked: TenantConfig,
  environment: "local" | "production",
  nowMs: number,
  lately: LatelyLeft | null = null,
  isReturning = false,
): Promise<Result<TenantPlan, TenantFault>> {
  const fault = secretFault(checked) ?? (environment === "production" ? demoFault(checked) : null);
  if (fault !== null) return err(fault);
  const { id } = checked;
  const before = await store.get(tenantKey(id));
  const mark = before === null ? await store.get(goneKey(id)) : null;
  const standing = standingOf(before, mark, lately);
  // Its users' names are those of whoever had it: nobody is to find what another left.
  if (standing.isGone && mark !== null && !readGoneMark(mark).isErased && !isReturning)
    return err({
      param: "id",
      message: `is of a tenant that was deleted and whose conversations and files are still there. DELETE /admin/tenants/${id} erases them; then it is free`,
    });
  for (const { jurisdiction } of standing.lasting)
    if (jurisdiction !== checked.jurisdiction)
      return err({
        param: "jurisdiction",
        message: `is ${jurisdiction}, and part of every object's id: it can't be changed`,
      });
  const { isGone } = standing;
  const createdAfter = isGone
    ? Math.floor(nowMs / 1000)
    : Math.max(0, ...standing.lasting.map((lasting) => lasting.createdAfter));
  const tenant = await withVersion({
    ...checked,
    keys: { ...checked.keys, created_after: Math.max(checked.keys.created_after, createdAfter) },
  });
  const taken = await takenFault(store, tenant);
  if (taken !== null) return err(taken);
  const put = await tenantEntries(tenant);
  const kept = new Set(put.map(({ key }) => key));
  const known = before === null ? null : readTenantEntry(before);
  const indexes = known?.ok ? (await tenantEntries(known.value.value)).map(({ key }) => key) : [];
  const stale = [...indexes.filter((key) => !kept.has(key)), ...(isGone ? [goneKey(id)] : [])];
  return ok({ tenant, put, stale, isNew: !standing.exists });
}

export interface RemovalPlan {
  /** To be written first. */
  readonly put: readonly StoreEntry[];
  /** To be deleted after that, in order: the indexes first, so that none points at nothing. */
  readonly stale: readonly string[];
}

/**
 * `null`: there is no such tenant.
 * @param isErased what it keeps in objects was erased; a command knows KV alone
 */
export async function planRemoval(
  store: ConfigStore,
  id: string,
  nowMs: number,
  isErased = false,
): Promise<RemovalPlan | null> {
  const text = await store.get(tenantKey(id));
  if (text === null) return null;
  const parsed = readTenantEntry(text);
  const keys = parsed.ok ? (await tenantEntries(parsed.value.value)).map(({ key }) => key) : [tenantKey(id)];
  return {
    put: [{ key: goneKey(id), value: goneMark(nowMs, isErased) }],
    stale: keys.toReversed(),
  };
}

/** What a tenant is found by, each KV's key with the field that says it. */
export async function claimsOf(
  tenant: TenantConfig,
): Promise<readonly { readonly param: string; readonly key: string }[]> {
  return [
    ...tenant.hosts.map((host, at) => ({ param: `hosts[${at}]`, key: hostKey(host) })),
    ...(await Promise.all(
      tenant.issuers.map(async ({ issuer, audience }, at) => ({
        param: `issuers[${at}]`,
        key: await issuerKey(issuer, audience),
      })),
    )),
  ];
}

/** A hostname or an issuer with its audience means one tenant. */
async function takenFault(store: ConfigStore, tenant: TenantConfig): Promise<TenantFault | null> {
  for (const { param, key } of await claimsOf(tenant)) {
    const owner = await store.get(key);
    if (owner === null || owner === tenant.id || !(await isClaimed(store, owner, key))) continue;
    return { param, message: `belongs to tenant ${owner}` };
  }
  return null;
}

/** An index is left behind where a change was cut off before its deletions: it means nothing that its tenant does not say as well. */
async function isClaimed(store: ConfigStore, owner: string, key: string): Promise<boolean> {
  const text = await store.get(tenantKey(owner));
  if (text === null) return false;
  const parsed = readTenantEntry(text);
  return !parsed.ok || (await tenantEntries(parsed.value.value)).some((entry) => entry.key === key);
}

/** What the platform's own secrets are called; and no other name than one that ends so is ever looked up for a tenant. */
const platformSecrets = new Set(["EDGEWISE_SECRET", "PLATFORM_JWT_SECRET"]);

/** Each secret that it names, by the field. */
function namedSecrets({ issuers, signing }: TenantConfig): readonly { param: string; name: string }[] {
  return [
    ...issuers.flatMap(({ keys }, at) =>
      keys.type !== "secret"
        ? []
        : (["name", "previous_name"] as const).flatMap((field) => {
            const name = keys[field];
            return name === undefined ? [] : [{ param: `issuers[${at}].keys.${field}`, name }];
          }),
    ),
    ...signing.keys.flatMap((key, at) =>
      key.algorithm === "hmac-sha256" ? [{ param: `signing.keys[${at}].secret`, name: key.secret }] : [],
    ),
  ];
}

/**
 * An issuer or a signing key whose secret is never found: every token of it would be answered 503, every signature refused. Asked when
 * it is written, and not by the schema, which also reads what was written before.
 */
function secretFault(tenant: TenantConfig): TenantFault | null {
  for (const { param, name } of namedSecrets(tenant)) {
    if (!name.endsWith("_SECRET")) return { param, message: "must end in _SECRET" };
    if (platformSecrets.has(name)) return { param, message: "is a secret of the platform's own" };
  }
  return null;
}

function demoFault(tenant: TenantConfig): TenantFault | null {
  if (tenant.id === demoTenantId) return { param: "id", message: "the demo tenant is refused in production" };
  const demo = namedSecrets(tenant).find(({ name }) => name === demoSecretName);
  return demo === undefined
    ? null
    : { param: demo.param, message: "the demo secret is refused in production" };
}
