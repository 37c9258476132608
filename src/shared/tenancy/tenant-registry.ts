import { demoSecretName, demoTenantId } from "../identity/demo.ts";
import { err, ok, type Result } from "../contracts/result.ts";
import type { ConfigStore } from "./config-cache.ts";
import {
  hostKey,
  issuerKey,
  parseTenantConfig,
  tenantEntries,
  tenantKey,
  withVersion,
  type StoreEntry,
} from "./tenant-entries.ts";
import type { TenantConfig } from "./tenant-config.ts";

/**
 * What must be written so that a tenant is configured, or gone? `npm run tenant` and `/admin/tenants` alike: first a plan, checked against
 * what is there, then its writes: new indexes before old ones go, so that nobody is locked out in between. KV has no
 * transactions: of two admins who give one hostname to two tenants at the same moment, the later one has it.
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

export async function planTenant(
  store: ConfigStore,
  checked: TenantConfig,
  environment: "local" | "production",
): Promise<Result<TenantPlan, TenantFault>> {
  const fault = environment === "production" ? demoFault(checked) : null;
  if (fault !== null) return err(fault);
  const tenant = await withVersion(checked);
  const before = await store.get(tenantKey(tenant.id));
  const known = before === null ? null : parseTenantConfig(before);
  if (known?.ok && known.value.jurisdiction !== tenant.jurisdiction)
    return err({
      param: "jurisdiction",
      message: `is ${known.value.jurisdiction}, and part of every object's id: it can't be changed`,
    });
  const taken = await takenFault(store, tenant);
  if (taken !== null) return err(taken);
  const put = await tenantEntries(tenant);
  const kept = new Set(put.map(({ key }) => key));
  const stale = known?.ok
    ? (await tenantEntries(known.value)).map(({ key }) => key).filter((key) => !kept.has(key))
    : [];
  return ok({ tenant, put, stale, isNew: before === null });
}

/** The keys to delete, in order: the indexes first, so that none points at nothing. `null`: there is no such tenant. */
export async function planRemoval(store: ConfigStore, id: string): Promise<readonly string[] | null> {
  const text = await store.get(tenantKey(id));
  if (text === null) return null;
  const parsed = parseTenantConfig(text);
  const keys = parsed.ok ? (await tenantEntries(parsed.value)).map(({ key }) => key) : [tenantKey(id)];
  return keys.toReversed();
}

/** A hostname or an issuer with its audience means one tenant. */
async function takenFault(store: ConfigStore, tenant: TenantConfig): Promise<TenantFault | null> {
  const claims = [
    ...tenant.hosts.map((host, at) => ({ param: `hosts[${at}]`, key: hostKey(host) })),
    ...(await Promise.all(
      tenant.issuers.map(async ({ issuer, audience }, at) => ({
        param: `issuers[${at}]`,
        key: await issuerKey(issuer, audience),
      })),
    )),
  ];
  for (const { param, key } of claims) {
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
  const parsed = parseTenantConfig(text);
  return !parsed.ok || (await tenantEntries(parsed.value)).some((entry) => entry.key === key);
}

function demoFault(tenant: TenantConfig): TenantFault | null {
  if (tenant.id === demoTenantId) return { param: "id", message: "the demo tenant is refused in production" };
  for (const [at, { keys }] of tenant.issuers.entries())
    if (keys.type === "secret" && keys.name === demoSecretName)
      return { param: `issuers[${at}].keys.name`, message: "the demo secret is refused in production" };
  return null;
}
