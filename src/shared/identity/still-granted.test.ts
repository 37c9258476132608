import { expect, test } from "vitest";
import { tenantConfigSchema } from "../tenancy/tenant-config.ts";
import { isStillGranted } from "./still-granted.ts";

const issuer = (audience: string, grants: object) => ({
  issuer: "https://id.test",
  audience,
  algorithms: ["HS256"],
  keys: { type: "secret", name: "A_SECRET" },
  grants,
});
const tenant = tenantConfigSchema.parse({
  id: "t",
  issuers: [
    issuer("a", { tiers: ["free"], scopes: ["reports"] }),
    issuer("b", { tiers: ["pro"], default_tier: "pro", scopes: [] }),
  ],
  keys: { tiers: ["enterprise"], scopes: ["reports"], created_after: 100 },
});
const token = { proof: "jwt", tier: "pro", scopes: new Set<string>(), issuedAtMs: 0 } as const;
const key = {
  proof: "api-key",
  tier: "enterprise",
  scopes: new Set(["reports"]),
  issuedAtMs: 100_000,
} as const;

test.each([
  ["what an issuer grants", token, true],
  ["what another issuer grants", { ...token, tier: "free", scopes: new Set(["reports"]) } as const, true],
  ["a tier of one issuer with a scope of another", { ...token, scopes: new Set(["reports"]) }, false],
  ["a tier that no issuer grants any more", { ...token, tier: "enterprise" } as const, false],
  ["a key's tier and scopes", key, true],
  ["a tier that keys may not have any more", { ...key, tier: "pro" } as const, false],
  ["a scope that keys may not have any more", { ...key, scopes: new Set(["reports", "more"]) }, false],
  ["a key of the tenant that had this name before", { ...key, issuedAtMs: 99_999 }, false],
])("%s", (_, principal, granted) => {
  expect(isStillGranted(principal, tenant)).toBe(granted);
});
