/**
 * What does `npm run tenant` do? Puts, gets, lists and deletes tenant configurations in KV, checked by the Worker's own
 * schema, with their indexes (src/shared/tenancy/tenant-registry.ts).
 */
import {
  parseTenantConfig,
  tenantIdOfKey,
  tenantKey,
  tenantPrefix,
} from "../src/shared/tenancy/tenant-entries.ts";
import type { TenantConfig } from "../src/shared/tenancy/tenant-config.ts";
import { planRemoval, planTenant } from "../src/shared/tenancy/tenant-registry.ts";
import type { TenantStore } from "./config-store.ts";

export class TenantError extends Error {}

export async function putTenant(
  store: TenantStore,
  text: string,
  environment: "local" | "production",
): Promise<TenantConfig> {
  const parsed = parseTenantConfig(text);
  if (!parsed.ok) throw new TenantError(parsed.error);
  const plan = await planTenant(store, parsed.value, environment, Date.now());
  if (!plan.ok) throw new TenantError(`${plan.error.param}: ${plan.error.message}`);
  await store.put(plan.value.put);
  if (plan.value.stale.length > 0) await store.delete(plan.value.stale);
  return plan.value.tenant;
}

/** The keys that were deleted. */
export async function deleteTenant(store: TenantStore, id: string): Promise<readonly string[]> {
  const plan = await planRemoval(store, id, Date.now());
  if (plan === null) throw new TenantError(`no tenant ${id}`);
  await store.put(plan.put);
  await store.delete(plan.stale);
  return plan.stale;
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
