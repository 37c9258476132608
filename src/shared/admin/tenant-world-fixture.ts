/** Tenants to change: KV in memory, their ledgers and claims, and who changes them. */
import type { OrgId, UserId } from "../contracts/ids.ts";
import { tenantConfigSchema, type TenantConfig } from "../tenancy/tenant-config.ts";
import { KeyedHash } from "../turn/keyed-hash.ts";
import type { Admin } from "./admin.ts";
import type { Ledger } from "./ledger.ts";
import { memoryClaims } from "./memory-claims-fixture.ts";
import { memoryLedger } from "./memory-ledger-fixture.ts";
import type { TenantDeps } from "./tenant-changes.ts";

export const nowMs = 1_790_000_000_000;
const hash = new KeyedHash("edgewise-secret-edgewise-secret-edgewise");

export function tenantOf(id: string, members: object = {}): TenantConfig {
  return tenantConfigSchema.parse({
    id,
    issuers: [
      {
        issuer: `https://id.${id}.test`,
        audience: "edgewise",
        algorithms: ["HS256"],
        keys: { type: "secret", name: "A_SECRET" },
      },
    ],
    keys: { tiers: ["pro"], scopes: [] },
    ...members,
  });
}

export function adminOf(tenant: TenantConfig | null): Admin {
  return {
    principal: {
      tenant: tenant?.id ?? "platform",
      org: "an-org" as OrgId,
      user: "root" as UserId,
      tier: "pro",
      scopes: new Set(),
      proof: "jwt",
      expiresAtMs: nowMs * 2,
      issuedAtMs: 0,
      key: null,
    },
    tenant,
  };
}

export const platform = adminOf(null);

/** `failDeletes`: KV takes what is written and deletes nothing. */
export function world() {
  const config = new Map<string, string>();
  const ledgers = new Map<string, Ledger>();
  const state = { failDeletes: false };
  let drawn = 0;
  const deps: TenantDeps = {
    hash,
    environment: "production",
    now: () => nowMs,
    random: (length) => Uint8Array.from({ length }, (_, at) => ((drawn += 1) + at * 7) & 255),
    readConfig: async (key) => config.get(key) ?? null,
    ledger: ({ log, tenant }) => {
      const name = `${tenant?.jurisdiction ?? "none"}:${log}`;
      const found = ledgers.get(name) ?? memoryLedger(log, hash, () => nowMs);
      ledgers.set(name, found);
      return found;
    },
    revokeOwner: async () => nowMs,
    eraseSimilar: async () => 0,
    eraseKnowledge: async () => 0,
    eraseHistory: async () => 0,
    claims: memoryClaims(),
    writeConfig: async (put, remove) => {
      for (const { key, value } of put) config.set(key, value);
      if (state.failDeletes && remove.length > 0) throw new Error("KV is down");
      for (const key of remove) config.delete(key);
    },
    listTenants: async () => ({ ids: [], next: null }),
  };
  return { config, deps, state };
}
