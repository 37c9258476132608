/**
 * What does `npm run tenant` do? Puts, gets, lists and deletes tenant configurations in KV, checked by the Worker's own
 * schema, with their indexes: new ones are written before old ones go, so that nobody is locked out in between.
 */
import {
  hostKey,
  issuerKey,
  parseTenantConfig,
  tenantEntries,
  tenantIdOfKey,
  tenantKey,
  tenantPrefix,
  withVersion,
} from "../src/shared/tenancy/tenant-entries.ts";
import type { TenantConfig } from "../src/shared/tenancy/tenant-config.ts";
import { demoSecretName } from "../src/shared/identity/demo.ts";
import type { TenantStore } from "./config-store.ts";

export class TenantError extends Error {}

export async function putTenant(
  store: TenantStore,
  text: string,
  environment: "local" | "production",
): Promise<TenantConfig> {
  const parsed = parseTenantConfig(text);
  if (!parsed.ok) throw new TenantError(parsed.error);
  if (environment === "production") refuseDemo(parsed.value);
  const tenant = await withVersion(parsed.value);
  const before = await store.get(tenantKey(tenant.id));
  const known = before === null ? null : parseTenantConfig(before);
  if (known?.ok && known.value.jurisdiction !== tenant.jurisdiction)
    throw new TenantError(
      `jurisdiction: is ${known.value.jurisdiction}, and part of every object's id: it can't be changed`,
    );
  await refuseTaken(store, tenant);
  const entries = await tenantEntries(tenant);
  await store.put(entries);
  if (known?.ok) {
    const kept = new Set(entries.map(({ key }) => key));
    const stale = (await tenantEntries(known.value)).map(({ key }) => key).filter((key) => !kept.has(key));
    await store.delete(stale);
  }
  return tenant;
}

/** The keys that were deleted: the indexes first, so that none points at nothing. */
export async function deleteTenant(store: TenantStore, id: string): Promise<readonly string[]> {
  const text = await store.get(tenantKey(id));
  if (text === null) throw new TenantError(`no tenant ${id}`);
  const parsed = parseTenantConfig(text);
  const keys = parsed.ok ? (await tenantEntries(parsed.value)).map(({ key }) => key) : [tenantKey(id)];
  await store.delete(keys.toReversed());
  return keys;
}

export async function getTenant(store: TenantStore, id: string): Promise<string> {
  const text = await store.get(tenantKey(id));
  if (text === null) throw new TenantError(`no tenant ${id}`);
  const parsed = parseTenantConfig(text);
  // A broken entry is shown as it is: whoever looks wants to mend it.
  return parsed.ok ? JSON.stringify(parsed.value, null, 2) : text;
}

export async function listTenants(store: TenantStore): Promise<readonly string[]> {
  return (await store.list(tenantPrefix)).map(tenantIdOfKey);
}

/** A hostname or an issuer with its audience means one tenant. */
async function refuseTaken(store: TenantStore, tenant: TenantConfig): Promise<void> {
  const claims = [
    ...tenant.hosts.map((host, at) => ({ path: `hosts[${at}]`, key: hostKey(host) })),
    ...(await Promise.all(
      tenant.issuers.map(async ({ issuer, audience }, at) => ({
        path: `issuers[${at}]`,
        key: await issuerKey(issuer, audience),
      })),
    )),
  ];
  for (const { path, key } of claims) {
    const owner = await store.get(key);
    if (owner !== null && owner !== tenant.id) throw new TenantError(`${path}: belongs to tenant ${owner}`);
  }
}

function refuseDemo(tenant: TenantConfig): void {
  if (tenant.id === "demo") throw new TenantError("id: the demo tenant is refused in production");
  for (const [at, { keys }] of tenant.issuers.entries())
    if (keys.type === "secret" && keys.name === demoSecretName)
      throw new TenantError(`issuers[${at}].keys.name: the demo secret is refused in production`);
}
