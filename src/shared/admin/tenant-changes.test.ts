import { expect, test } from "vitest";
import { hostKey } from "../tenancy/tenant-entries.ts";
import { type TenantConfig } from "../tenancy/tenant-config.ts";
import { planRemoval, planTenant } from "../tenancy/tenant-registry.ts";
import { createKeySchema, rotateKeySchema } from "../wire/admin-requests.ts";
import { eraseHistory, eraseKnowledge } from "./erasures.ts";
import { createKey, listKeys, rotateKey, showKey } from "./key-changes.ts";
import { memoryClaims } from "./memory-claims-fixture.ts";
import { deleteTenant, putTenant, type TenantDeps } from "./tenant-changes.ts";
import { nowMs, tenantOf, adminOf, platform, world } from "./tenant-world-fixture.ts";

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
  // Either may come first: what each claims is hashed before.
  const [winner, loser] = outcomes[0].ok ? ["first", "second"] : ["second", "first"];
  expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
  expect(outcomes.find(({ ok }) => !ok)).toMatchObject({
    error: { kind: "value-invalid", param: "hosts[0]" },
  });
  expect(config.get(hostKey("chat.example"))).toBe(winner);
  expect(config.has(`tenant:${loser}`)).toBe(false);
});

test("one tenant is changed by one admin at a time, and a change that fails keeps nobody out", async () => {
  const { config, deps, state } = world();
  const put = (hosts: readonly string[]) => putTenant(platform, "acme", tenantOf("acme", { hosts }), deps);
  const outcomes = await Promise.all([put(["a.example"]), put(["b.example"])]);
  const busy = { error: { kind: "conflict", message: "Tenant 'acme' is being changed by somebody else." } };
  expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
  expect(outcomes.find(({ ok }) => !ok)).toMatchObject(busy);
  const other = outcomes[0].ok ? "b.example" : "a.example";
  expect(config.has(hostKey(other))).toBe(false);
  const change = { tenant: "acme", change: "another", keys: [] };
  await deps.claims.begin(change);
  expect(await deleteTenant(platform, "acme", deps)).toMatchObject(busy);
  await deps.claims.end(change, false);
  state.failDeletes = true;
  await expect(put([other])).rejects.toThrow("KV is down");
  state.failDeletes = false;
  expect(await put([other])).toMatchObject({ ok: true });
  expect(config.get(hostKey(other))).toBe("acme");
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
  expect(await eraseKnowledge(platform, ann, erasing)).toMatchObject({
    // What is owed in either place, as each has said: the fake says how often it was asked.
    value: { object: "knowledge.erased", tenant: "acme", user: "ann", pending: 7 + 8 },
  });
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
