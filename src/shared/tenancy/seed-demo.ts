import type { ConfigStore } from "./config-cache.ts";
import { checkTenantConfig, tenantEntries, tenantKey, withVersion } from "./tenant-entries.ts";

/**
 * How does the demo tenant get into a local KV? Once, before the first read, where neither it nor the marker is there:
 * whoever deletes or edits the demo tenant keeps it so. Locally only; production has no demo tenant.
 */
export interface WritableConfigStore extends ConfigStore {
  put(key: string, value: string): Promise<void>;
}

export const seededKey = "meta:seeded";

/** `demo`: the JSON of config/tenants/demo.json. Throws where that is not valid: it ships with the code. */
export async function seedDemoTenant(store: WritableConfigStore, demo: unknown): Promise<void> {
  const checked = checkTenantConfig(demo);
  if (!checked.ok) throw new Error(`the bundled demo tenant is invalid: ${checked.error}`);
  const [marker, present] = await Promise.all([store.get(seededKey), store.get(tenantKey(checked.value.id))]);
  if (marker !== null || present !== null) return;
  for (const { key, value } of await tenantEntries(await withVersion(checked.value)))
    await store.put(key, value);
  await store.put(seededKey, "1");
}

/** The same store, seeded before its first read. A seeding that failed is tried again by the next read. */
export function seedingStore(store: WritableConfigStore, demo: unknown): ConfigStore {
  let seeded = false;
  return {
    async get(key) {
      // Not shared between requests: a promise of a request that was reset never settles. Seeding twice does no harm.
      if (!seeded) {
        await seedDemoTenant(store, demo);
        seeded = true;
      }
      return store.get(key);
    },
  };
}
