import { describe, expect, test } from "vitest";
import demo from "../../../config/tenants/demo.json" with { type: "json" };
import { acme } from "../identity/identity-fixture.ts";
import { seedDemoTenant, seededKey, seedingStore } from "./seed-demo.ts";
import { checkTenantConfig, tenantEntries, withVersion } from "./tenant-entries.ts";
import type { TenantConfig } from "./tenant-config.ts";

function valid(json: unknown): TenantConfig {
  const checked = checkTenantConfig(json);
  if (!checked.ok) throw new Error(checked.error);
  return checked.value;
}

const issuer = {
  issuer: "https://id.test",
  audience: "edgewise",
  algorithms: ["RS256"],
  keys: { type: "jwks_url", url: "https://id.test/keys" },
};
const withIssuer = (members: object) => ({ id: "t", issuers: [{ ...issuer, ...members }] });

describe("a configuration is refused, naming the field, when", () => {
  test.each<[string, unknown, string]>([
    ["a field is unknown", { ...acme, colour: "red" }, "(whole)"],
    ["the id is no id", { ...acme, id: "ACME" }, "id"],
    ["there is no issuer", { id: "t", issuers: [] }, "issuers"],
    [
      "a platform scope is to be granted",
      withIssuer({ grants: { scopes: ["platform:admin"] } }),
      "issuers[0].grants.scopes[0]",
    ],
    [
      "the default tier is not granted",
      withIssuer({ grants: { default_tier: "pro" } }),
      "issuers[0].grants.default_tier",
    ],
    ["HS256 stands beside RS256", withIssuer({ algorithms: ["HS256", "RS256"] }), "issuers[0].algorithms"],
    ["HS256 comes with a key set", withIssuer({ algorithms: ["HS256"] }), "issuers[0].keys.type"],
    [
      "RS256 comes with a secret",
      withIssuer({ keys: { type: "secret", name: "S" } }),
      "issuers[0].keys.type",
    ],
    ["the algorithm is none", withIssuer({ algorithms: ["none"] }), "issuers[0].algorithms[0]"],
    [
      "keys come by plain http",
      withIssuer({ keys: { type: "jwks_url", url: "http://id.test/keys" } }),
      "issuers[0].keys.url",
    ],
    [
      "keys come from a file",
      withIssuer({ keys: { type: "jwks_url", url: "file:///keys" } }),
      "issuers[0].keys.url",
    ],
    [
      "the keys' URL holds a password",
      withIssuer({ keys: { type: "jwks_url", url: "https://a:b@id.test/" } }),
      "issuers[0].keys.url",
    ],
    [
      "stale keys are to be used too briefly",
      withIssuer({ keys: { ...issuer.keys, max_stale_seconds: 60 } }),
      "issuers[0].keys.max_stale_seconds",
    ],
    [
      "an inline key is private",
      withIssuer({ keys: { type: "jwks", keys: [{ kty: "RSA", n: "AQAB", e: "AQAB", d: "AQAB" }] } }),
      "issuers[0].keys.keys[0]",
    ],
    [
      "an inline key is weak",
      withIssuer({ keys: { type: "jwks", keys: [{ kty: "RSA", n: "AQAB", e: "AQAB" }] } }),
      "issuers[0].keys.keys[0]",
    ],
    ["an issuer's name holds a line feed", withIssuer({ issuer: "a\nb" }), "issuers[0].issuer"],
    ["an issuer stands twice", { id: "t", issuers: [issuer, issuer] }, "issuers[1].issuer"],
    ["a hostname has a port", { ...acme, hosts: ["a.test:80"] }, "hosts[0]"],
  ])("%s", (_name, json, path) => {
    const checked = checkTenantConfig(json);
    expect(checked.ok ? "accepted" : checked.error).toContain(`${path}: `);
  });
});

test("keys may come by plain http from this machine, for development", () => {
  for (const host of ["localhost", "127.0.0.1", "[::1]"])
    valid(withIssuer({ keys: { type: "jwks_url", url: `http://${host}:9000/keys` } }));
});

test("a tenant gives its own entry, then one for each hostname and each issuer", async () => {
  const tenant = valid(acme);
  expect(await tenantEntries(tenant)).toEqual([
    { key: "tenant:acme", value: JSON.stringify(tenant) },
    { key: "index:host:chat.acme.test", value: "acme" },
    // SHA-256 of "https://id.acme.test", a line feed, "edgewise".
    { key: "index:issuer:CT9jJKtSDPCxUcHKJr_Jao6jUdlm2Bn-aMUPwnEMfoE", value: "acme" },
  ]);
});

test("the version changes with an edit, and only then", async () => {
  const first = await withVersion(valid(acme));
  expect((await withVersion(first)).version).toBe(first.version);
  expect((await withVersion({ ...first, name: "x" })).version).not.toBe(first.version);
  expect(first.version).toMatch(/^[A-Za-z0-9_-]{16}$/);
});

describe("the demo tenant", () => {
  const storeOver = (entries: Map<string, string>) => ({
    get: async (key: string) => entries.get(key) ?? null,
    put: async (key: string, value: string) => void entries.set(key, value),
  });

  test("as bundled is valid, and seeded before the first read", async () => {
    const entries = new Map<string, string>();
    const store = seedingStore(storeOver(entries), demo);
    expect(valid(JSON.parse((await store.get("tenant:demo")) ?? ""))).toMatchObject({ id: "demo" });
    expect([...entries.keys()].filter((key) => key.startsWith("index:"))).toHaveLength(1);
  });

  test("is not seeded again after it was deleted, nor over one that was edited", async () => {
    const entries = new Map<string, string>();
    await seedDemoTenant(storeOver(entries), demo);
    entries.delete("tenant:demo");
    await seedDemoTenant(storeOver(entries), demo);
    expect(entries.has("tenant:demo")).toBe(false);

    const edited = new Map([["tenant:demo", "edited"]]);
    await seedDemoTenant(storeOver(edited), demo);
    expect([...edited]).toEqual([["tenant:demo", "edited"]]);
  });

  test("is tried again by the next read when seeding failed", async () => {
    const entries = new Map<string, string>();
    const store = storeOver(entries);
    let failures = 1;
    const seeding = seedingStore(
      {
        get: store.get,
        put: async (key, value) => {
          if (failures-- > 0) throw new Error("KV is down");
          await store.put(key, value);
        },
      },
      demo,
    );
    await expect(seeding.get("tenant:demo")).rejects.toThrow("KV is down");
    expect(await seeding.get("tenant:demo")).not.toBeNull();
    expect(entries.has(seededKey)).toBe(true);
  });
});
