/** A KV in memory for the commands of tenants, the fleet and the firewall. */
import type { ConfigStore } from "./config-store.ts";

export function memoryStore(): ConfigStore & { readonly entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return {
    entries,
    get: async (key) => entries.get(key) ?? null,
    list: async () => [...entries.keys()],
    put: async (added) => {
      for (const { key, value } of added) entries.set(key, value);
    },
    delete: async (keys) => {
      for (const key of keys) entries.delete(key);
    },
  };
}
