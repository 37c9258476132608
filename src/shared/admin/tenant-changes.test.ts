import { expect, test } from "vitest";
import type { OrgId, UserId } from "../contracts/ids.ts";
import { hostKey } from "../tenancy/tenant-entries.ts";
import { tenantConfigSchema, type TenantConfig } from "../tenancy/tenant-config.ts";
import { planRemoval } from "../tenancy/tenant-registry.ts";
import { KeyedHash } from "../turn/keyed-hash.ts";
import { createKeySchema, rotateKeySchema } from "../wire/admin-requests.ts";
import type { Admin } from "./admin.ts";
import { createKey, listKeys, rotateKey, showKey } from "./key-changes.ts";
import type { Ledger } from "./ledger.ts";
import { memoryLedger } from "./memory-ledger-fixture.ts";
import { deleteTenant, putTenant, type TenantDeps } from "./tenant-changes.ts";

const nowMs = 1_790_000_000_000;
const hash = new KeyedHash("edgewise-secret-edgewise-secret-edgewise");

function tenantOf(id: string, members: object = {}): TenantConfig {
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

function adminOf(tenant: TenantConfig | null): Admin {
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

const platform = adminOf(null);

/** `failDeletes`: KV takes what is written and deletes nothing. */
function world() {
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
    writeConfig: async (put, remove) => {
      for (const { key, value } of put) config.set(key, value);
      if (state.failDeletes && remove.length > 0) throw new Error("KV is down");
      for (const key of remove) config.delete(key);
    },
    listTenants: async () => ({ ids: [], next: null }),
  };
  return { config, deps, state };
}

test("a hostname that its tenant gave up is free, though its index was never deleted", async () => {
  const { config, deps, state } = world();
  await putTenant(platform, "first", tenantOf("first", { hosts: ["chat.example"] }), deps);
  state.failDeletes = true;
  await expect(putTenant(platform, "first", tenantOf("first"), deps)).rejects.toThrow("KV is down");
  state.failDeletes = false;
  expect(await putTenant(platform, "first", tenantOf("first"), deps)).toMatchObject({ ok: true });
  const second = tenantOf("second", { hosts: ["chat.example"] });
  expect(await putTenant(platform, "second", second, deps)).toMatchObject({ ok: true });
  expect(config.get(hostKey("chat.example"))).toBe("second");
  // And now it is taken.
  const third = tenantOf("third", { hosts: ["chat.example"] });
  expect(await putTenant(platform, "third", third, deps)).toMatchObject({
    error: { param: "hosts[0]" },
  });
});

test.each(["none", "eu"] as const)(
  "a key that an admin made when its tenant was gone already is not one of the next tenant of that name (%s)",
  async (jurisdiction) => {
    const { deps } = world();
    const tenant = tenantOf("acme", { jurisdiction: "none" });
    await putTenant(platform, "acme", tenant, deps);
    await deleteTenant(platform, "acme", deps);
    // An isolate goes on with what it knows of a tenant for a minute.
    const request = createKeySchema.parse({ name: "late" });
    expect(await createKey(adminOf(tenant), request, deps)).toMatchObject({ ok: true });
    await putTenant(platform, "acme", tenantOf("acme", { jurisdiction }), deps);
    const page = { tenant: undefined, after: null, limit: 10 };
    expect(await listKeys(adminOf(tenant), page, deps)).toMatchObject({
      value: { data: [{ name: "late", status: "revoked" }] },
    });
  },
);

test("a key of a tenant that `npm run tenant` deleted, which knows no ledger, is not one of the next tenant of that name", async () => {
  const { config, deps } = world();
  const clock = { ms: nowMs };
  const timed: TenantDeps = { ...deps, now: () => clock.ms };
  const put = async (tenant: TenantConfig) => {
    const made = await putTenant(platform, "acme", tenant, timed);
    if (!made.ok) throw new Error("it is put");
    return made.value;
  };
  const first = await put(tenantOf("acme"));
  const request = createKeySchema.parse({ name: "old" });
  expect(await createKey(adminOf(first), request, timed)).toMatchObject({ ok: true });
  const plan = await planRemoval({ get: deps.readConfig }, "acme", clock.ms);
  await deps.writeConfig(plan?.put ?? [], plan?.stale ?? []);
  expect(config.has("tenant:acme")).toBe(false);
  clock.ms += 1000;
  const second = await put(tenantOf("acme"));
  const page = { tenant: undefined, after: null, limit: 10 };
  const listed = await listKeys(adminOf(second), page, timed);
  expect(listed).toMatchObject({ value: { data: [{ name: "old", status: "revoked" }] } });
  const [key] = listed.ok ? (listed.value as { data: { id: string }[] }).data : [];
  const named = { tenant: undefined, id: key?.id ?? "" };
  expect(await showKey(adminOf(second), named, timed)).toMatchObject({
    value: { name: "old", status: "revoked" },
  });
  expect(await rotateKey(adminOf(second), named, rotateKeySchema.parse({}), timed)).toMatchObject({
    error: { kind: "conflict", message: "This key is revoked already: it can't be rotated." },
  });
  // One that is made now is its own.
  expect(await createKey(adminOf(second), request, timed)).toMatchObject({ value: { status: "active" } });
});
