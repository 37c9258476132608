import demo from "../../config/tenants/demo.json";
import type { ConfigStore } from "../../src/shared/tenancy/config-cache.ts";
import { seedingStore } from "../../src/shared/tenancy/seed-demo.ts";

/**
 * The store that configuration is read from: KV; locally with the demo tenant put there before the first read, so that
 * `wrangler dev` alone works.
 */
export function configStore(env: Pick<Cloudflare.Env, "CONFIG" | "ENVIRONMENT">): ConfigStore {
  const store = {
    get: (key: string) => env.CONFIG.get(key),
    put: (key: string, value: string) => env.CONFIG.put(key, value),
  };
  return env.ENVIRONMENT === "local" ? seedingStore(store, demo) : store;
}
