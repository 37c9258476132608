/** Changes of tenants where KV still tells what was before: the ledgers and claims decide. */
import { expect, test } from "vitest";
import { hostKey } from "../tenancy/tenant-entries.ts";
import { deleteTenant, putTenant, type TenantDeps } from "./tenant-changes.ts";
import { nowMs, tenantOf, platform, world } from "./tenant-world-fixture.ts";

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
