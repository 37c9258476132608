import { expect, test } from "vitest";
import type { OrgId, UserId } from "../contracts/ids.ts";
import { hostKey } from "../tenancy/tenant-entries.ts";
import { tenantConfigSchema, type TenantConfig } from "../tenancy/tenant-config.ts";
import { planRemoval, planTenant } from "../tenancy/tenant-registry.ts";
import { KeyedHash } from "../turn/keyed-hash.ts";
import { createKeySchema, rotateKeySchema } from "../wire/admin-requests.ts";
import type { Admin } from "./admin.ts";
import { eraseHistory, eraseKnowledge } from "./erasures.ts";
import { createKey, listKeys, rotateKey, showKey } from "./key-changes.ts";
import type { Ledger } from "./ledger.ts";
import { memoryClaims } from "./memory-claims-fixture.ts";
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
  // What it kept is still there: nobody else gets its name. It comes back by the command that deleted it.
  expect(await putTenant(platform, "acme", tenantOf("acme"), timed)).toMatchObject({
    error: { kind: "value-invalid", param: "id" },
  });
  const store = { get: deps.readConfig };
  const returning = await planTenant(store, tenantOf("acme"), "production", clock.ms, null, true);
  if (!returning.ok) throw new Error("it comes back");
  await deps.writeConfig(returning.value.put, returning.value.stale);
  const second = returning.value.tenant;
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

test("two admins who give one hostname to two tenants at the same time: one of the tenants has it", async () => {
  const { config, deps } = world();
  const put = (id: string) =>
    putTenant(platform, id, tenantOf(id, { hosts: ["own.example", "chat.example"] }), deps);
  const outcomes = await Promise.all([put("first"), put("second")]);
  expect(outcomes.map(({ ok }) => ok)).toEqual([true, false]);
  expect(outcomes[1]).toMatchObject({ error: { kind: "value-invalid", param: "hosts[0]" } });
  expect(config.get(hostKey("chat.example"))).toBe("first");
  expect(config.has("tenant:second")).toBe(false);
});

test.each(["edit", "deletion"])(
  "a hostname that went to another tenant stays that one's, where KV still says whose it was (%s)",
  async (kind) => {
    const { config, deps } = world();
    const put = (id: string, hosts: readonly string[], by: TenantDeps) =>
      putTenant(platform, id, tenantOf(id, { hosts }), by);
    await put("first", ["chat.example"], deps);
    const old = config.get("tenant:first") ?? "";
    await put("first", [], deps);
    await put("second", ["chat.example"], deps);
    // A minute later another location may still read what it read before.
    const elsewhere: TenantDeps = {
      ...deps,
      readConfig: async (key) => (key === "tenant:first" ? old : deps.readConfig(key)),
    };
    const changed =
      kind === "edit" ? put("first", ["new.example"], elsewhere) : deleteTenant(platform, "first", elsewhere);
    expect(await changed).toMatchObject({ ok: true });
    expect(config.get(hostKey("chat.example"))).toBe("second");
    expect(config.has("tenant:first")).toBe(kind === "edit");
  },
);

test("one tenant is changed by one admin at a time, and a change that fails keeps nobody out", async () => {
  const { config, deps, state } = world();
  const put = (hosts: readonly string[]) => putTenant(platform, "acme", tenantOf("acme", { hosts }), deps);
  const outcomes = await Promise.all([put(["a.example"]), put(["b.example"])]);
  const busy = { error: { kind: "conflict", message: "Tenant 'acme' is being changed by somebody else." } };
  expect(outcomes).toMatchObject([{ ok: true }, busy]);
  expect(config.has(hostKey("b.example"))).toBe(false);
  const change = { tenant: "acme", change: "another", keys: [] };
  await deps.claims.begin(change);
  expect(await deleteTenant(platform, "acme", deps)).toMatchObject(busy);
  await deps.claims.end(change, false);
  state.failDeletes = true;
  await expect(put(["b.example"])).rejects.toThrow("KV is down");
  state.failDeletes = false;
  expect(await put(["b.example"])).toMatchObject({ ok: true });
  expect(config.get(hostKey("b.example"))).toBe("acme");
});

test("what a tenant left that was deleted in KV alone is erased by the API's deletion, wherever it was, once", async () => {
  const { config, deps } = world();
  const tenant = tenantOf("acme", { jurisdiction: "eu" });
  await putTenant(platform, "acme", tenant, deps);
  await createKey(adminOf(tenant), createKeySchema.parse({ name: "old" }), deps);
  const plan = await planRemoval({ get: deps.readConfig }, "acme", nowMs - 3_600_000);
  await deps.writeConfig(plan?.put ?? [], plan?.stale ?? []);
  const erased: string[] = [];
  const erasing: TenantDeps = {
    ...deps,
    // An hour later nobody remembers the change before.
    claims: memoryClaims(),
    eraseSimilar: async ({ id, jurisdiction }, user) => erased.push(`similar ${id} ${jurisdiction} ${user}`),
    eraseKnowledge: async ({ id, jurisdiction }, user, closedUntilMs) =>
      erased.push(`knowledge ${id} ${jurisdiction} ${user} ${closedUntilMs - nowMs}`),
    eraseHistory: async ({ id, jurisdiction }, user, { throughMs, lookAgainMs }) =>
      erased.push(`history ${id} ${jurisdiction} ${user} ${throughMs - nowMs} ${lookAgainMs - nowMs}`),
  };
  expect(await deleteTenant(platform, "acme", erasing)).toEqual({
    ok: true,
    value: { object: "tenant.deleted", id: "acme", deleted: true },
  });
  // An hour behind its deletion no isolate knows it any more.
  expect(erased).toEqual([
    "similar acme none null",
    "knowledge acme none null -3000000",
    "history acme none null 0 600000",
    "similar acme eu null",
    "knowledge acme eu null -3000000",
    "history acme eu null 0 600000",
  ]);
  const ledger = deps.ledger({ log: "acme", tenant });
  expect((await ledger.entries(null, 2)).entries.map(({ action }) => action)).toEqual([
    "key.revoke-all",
    "tenant.delete",
  ]);
  const log = await deps.ledger({ log: "platform", tenant: null }).entries(null, 10);
  expect(log.entries.map(({ action }) => action)).toEqual(["tenant.delete", "tenant.create"]);
  expect(config.get("gone:acme")).toBe(`${new Date(nowMs - 3_600_000).toISOString()} all erased`);
  for (const id of ["acme", "nobody", "No Id"])
    expect(await deleteTenant(platform, id, erasing)).toMatchObject({ error: { kind: "object-unknown" } });
  expect(erased).toHaveLength(6);
  // Whom no roll knew is reached by their name.
  const ann = { tenant: "acme", user: "ann" };
  expect(await eraseKnowledge(platform, ann, erasing)).toMatchObject({ ok: true });
  expect(erased.slice(6)).toEqual([
    "knowledge acme none ann -1790000000000",
    "knowledge acme eu ann -1790000000000",
  ]);
  for (const [admin, named] of [
    [platform, { ...ann, tenant: "nobody" }],
    [adminOf(tenantOf("other")), ann],
  ] as const)
    expect(await eraseHistory(admin, named, erasing)).toMatchObject({ error: { kind: "object-unknown" } });
  expect(await eraseHistory(platform, { ...ann, tenant: "platform" }, erasing)).toMatchObject({
    error: { param: "tenant" },
  });
  expect(erased).toHaveLength(8);
});

test("a tenant that the API deleted has left nothing to erase, and one of its name is new all the same", async () => {
  const { config, deps } = world();
  await putTenant(platform, "acme", tenantOf("acme"), deps);
  await deleteTenant(platform, "acme", deps);
  expect(config.get("gone:acme")).toBe(`${new Date(nowMs).toISOString()} all erased`);
  expect(await deleteTenant(platform, "acme", deps)).toMatchObject({ error: { kind: "object-unknown" } });
  const again = await putTenant(platform, "acme", tenantOf("acme"), deps);
  expect(again).toMatchObject({ value: { keys: { created_after: nowMs / 1000 } } });
  expect(config.has("gone:acme")).toBe(false);
});

/** Another location, where KV still says what it said before. */
function behind({ config, deps }: ReturnType<typeof world>): TenantDeps {
  const before = new Map(config);
  return { ...deps, readConfig: async (key) => before.get(key) ?? null };
}

test("a tenant whose data are to stay in the EU is not made a second time elsewhere, where KV does not tell it yet", async () => {
  const here = world();
  const { config, deps } = here;
  const elsewhere = behind(here);
  const put = (jurisdiction: string, by: TenantDeps) =>
    putTenant(platform, "acme", tenantOf("acme", { jurisdiction }), by);
  expect(await put("eu", deps)).toMatchObject({ ok: true });
  expect(await put("none", elsewhere)).toMatchObject({
    error: { kind: "value-invalid", param: "jurisdiction" },
  });
  expect(JSON.parse(config.get("tenant:acme") ?? "")).toMatchObject({ jurisdiction: "eu" });
  // Changed there as it is, it is no new one.
  expect(await put("eu", elsewhere)).toMatchObject({ ok: true });
  const log = await deps.ledger({ log: "platform", tenant: null }).entries(null, 10);
  expect(log.entries.map(({ action }) => action)).toEqual(["tenant.update", "tenant.create"]);
});

test("a tenant that was made anew is not changed, erased or void of its bound on keys where KV still tells the one before", async () => {
  const here = world();
  const { config, deps } = here;
  const put = (jurisdiction: string, by: TenantDeps) =>
    putTenant(platform, "acme", tenantOf("acme", { jurisdiction }), by);
  await put("none", deps);
  const knowsTheFirst = behind(here);
  await deleteTenant(platform, "acme", deps);
  const knowsNone = behind(here);
  // Where KV tells nothing of the deletion, another by its name is another all the same.
  const second = await put("eu", knowsTheFirst);
  expect(second).toMatchObject({ value: { jurisdiction: "eu", keys: { created_after: nowMs / 1000 } } });
  expect(config.has("gone:acme")).toBe(false);
  expect(await put("none", knowsTheFirst)).toMatchObject({ error: { param: "jurisdiction" } });
  const later: TenantDeps = { ...knowsNone, now: () => nowMs + 1 };
  const moment =
    "Tenant 'acme' was changed a moment ago, which is not known everywhere yet. Try again in a minute.";
  expect(await deleteTenant(platform, "acme", knowsTheFirst)).toMatchObject({ error: { message: moment } });
  expect(config.has("tenant:acme")).toBe(true);
  await deleteTenant(platform, "acme", deps);
  // A second deletion finds nothing, also where KV tells a tenant yet.
  expect(await deleteTenant(platform, "acme", knowsTheFirst)).toMatchObject({
    error: { kind: "object-unknown" },
  });
  expect(await put("eu", later)).toMatchObject({ ok: true });
  await expect(deleteTenant(platform, "acme", later)).resolves.toMatchObject({ error: { message: moment } });
});
