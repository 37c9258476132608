/**
 * The work of `npm run tenant`: puts, gets, lists and deletes tenant configurations in KV, checked by the Worker's own
 * schema, with their indexes (src/shared/tenancy/tenant-registry.ts).
 */
import {
  parseTenantConfig,
  tenantIdOfKey,
  tenantKey,
  tenantPrefix,
} from "../../src/shared/tenancy/tenant-entries.ts";
import type { TenantConfig } from "../../src/shared/tenancy/tenant-config.ts";
import { planRemoval, planTenant } from "../../src/shared/tenancy/tenant-registry.ts";
import type { ConfigStore } from "./config-store.ts";

export class TenantError extends Error {}

export async function putTenant(
  store: ConfigStore,
  text: string,
  environment: "local" | "production",
  isReturning = false,
): Promise<TenantConfig> {
  const parsed = parseTenantConfig(text);
  if (!parsed.ok) throw new TenantError(parsed.error);
  const plan = await planTenant(store, parsed.value, environment, Date.now(), null, isReturning);
  if (!plan.ok) throw new TenantError(`${plan.error.param}: ${plan.error.message}`);
  await store.put(plan.value.put);
  if (plan.value.stale.length > 0) await store.delete(plan.value.stale);
  return plan.value.tenant;
}

/** The keys that were deleted. */
export async function deleteTenant(store: ConfigStore, id: string): Promise<readonly string[]> {
  const plan = await planRemoval(store, id, Date.now());
  if (plan === null) throw new TenantError(`no tenant ${id}`);
  await store.put(plan.put);
  await store.delete(plan.stale);
  return plan.stale;
}

/** A note on data that this command leaves in objects, since it only changes KV, and on how to erase them. */
export function stillThere(id: string, environment: "local" | "production", port: number): string {
  const [url, token] =
    environment === "local"
      ? [`http://localhost:${port}`, "$(npm run --silent token -- --platform --scope platform:admin)"]
      : ["https://<a host of this deployment>", "<a token with platform:admin>"];
  return `Its API keys are refused from now on, and by whatever tenant comes by its name.

This command knows KV alone. Still there are its users' conversations, stored answers, files and vector stores, here and in the archive, what the
semantic cache knows, and its API keys, none of them revoked. This erases and revokes them, also now that the tenant is gone, and writes down who did
it${environment === "local" ? " (beside a running npm start)" : ""}:
    curl -X DELETE ${url}/admin/tenants/${id} -H "authorization: Bearer ${token}"

Until then nobody else gets its name; if it is to come back as it was: npm run tenant -- put <file.json> --returning
What stays in any case is in docs/storage.md: what its limits counted, the book of what it used, the ledger of charges, its audit log.`;
}

export async function getTenant(store: ConfigStore, id: string): Promise<string> {
  const text = await store.get(tenantKey(id));
  if (text === null) throw new TenantError(`no tenant ${id}`);
  const parsed = parseTenantConfig(text);
  // A broken entry is shown unchanged, so that it can be repaired.
  return parsed.ok ? JSON.stringify(parsed.value, null, 2) : text;
}

export async function listTenants(store: ConfigStore): Promise<readonly string[]> {
  return (await store.list(tenantPrefix)).map(tenantIdOfKey);
}
