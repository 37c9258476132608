import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import demo from "../../config/tenants/demo.json" with { type: "json" };
import { goodClaims, identityBench, secrets, startMs } from "../../src/shared/identity/identity-fixture.ts";
import { withLocalStore } from "./config-store.ts";
import { makeToken, parseTtlSeconds, signToken, tenantClaims, TokenError } from "./local-token.ts";
import { putTenant } from "./tenant-command.ts";

const request = { user: "alice", tier: "pro", scope: "", ttlSeconds: 3600 };
const [issuer] = demo.issuers;
if (issuer === undefined) throw new Error("the demo tenant has no issuer");

test("its tokens are taken by the identity that ships, with all that was asked for", async () => {
  const bench = await identityBench({ tenantConfigs: [demo] });
  const claims = tenantClaims(issuer, {
    ...request,
    org: "research",
    tier: "enterprise",
    scope: "tenant:admin",
  });
  const token = signToken(claims, secrets["DEMO_JWT_SECRET"] ?? "", startMs, 3600);
  expect(await bench.identify(token)).toMatchObject({
    value: {
      principal: {
        tenant: "demo",
        org: "research",
        user: "alice",
        tier: "enterprise",
        scopes: new Set(["tenant:admin"]),
      },
    },
  });
});

test("claims go under the names that the tenant maps", () => {
  const mapped = { ...issuer, claims: { user: "email", org: "team", tier: "plan", scope: "scp" } };
  expect(tenantClaims(mapped, { ...request, org: "o", scope: "tenant:admin" })).toEqual({
    iss: issuer.issuer,
    aud: goodClaims.aud,
    email: "alice",
    team: "o",
    plan: "pro",
    scp: "tenant:admin",
  });
});

test("what the issuer may not grant is refused here, and told", () => {
  const plain = { issuer: "i", audience: "a", keys: { type: "secret", name: "S" } };
  expect(() => tenantClaims(plain, request)).toThrow("tier pro is not among the issuer's grants: free");
  expect(() => tenantClaims(plain, { ...request, tier: "free", scope: "tenant:admin" })).toThrow(
    "scope tenant:admin is not among the issuer's grants: none",
  );
});

test.each([
  [
    "a life beyond the issuer's",
    { ttlSeconds: 2_592_001 },
    "--ttl: is longer than this issuer's tokens may live",
  ],
  ["no user", { user: "" }, "--user: is not"],
  ["a user with a line's end", { user: "a\nb" }, "--user: is not"],
  ["an org with a blank", { org: "my team" }, "--org: is not"],
])("%s is refused here, and not by a 401 later", (_, wrong, says) => {
  expect(() => tenantClaims(issuer, { ...request, ...wrong })).toThrow(says);
  expect(tenantClaims({ ...issuer, max_age_seconds: 3600 }, request)).toMatchObject({ sub: "alice" });
  expect(() => tenantClaims({ ...issuer, max_age_seconds: 3599 }, request)).toThrow(TokenError);
});

test("a life is written as 90s, 30m, 1h or 7d", () => {
  expect(["90s", "30m", "1h", "7d"].map(parseTtlSeconds)).toEqual([90, 1800, 3600, 604_800]);
  for (const odd of ["", "1", "h", "0h", "-1h", "1.5h", "1w", "9999999999s"])
    expect(() => parseTtlSeconds(odd)).toThrow(TokenError);
});

test("what the demo tenant was given since, in KV, is granted, and what it was not is refused by it", async () => {
  const state = mkdtempSync(join(tmpdir(), "edgewise-token-"));
  vi.stubEnv("EDGEWISE_STATE", state);
  const asked = ["--tenant", "demo", "--user", "alice", "--scope", "reports"];
  try {
    await expect(makeToken(asked)).rejects.toThrow(
      "scope reports is not among the issuer's grants: tenant:admin",
    );
    const grants = { ...issuer.grants, scopes: ["reports"] };
    const edited = JSON.stringify({ ...demo, issuers: [{ ...issuer, grants }] });
    await withLocalStore((store) => putTenant(store, edited, "local"));
    const [, body = ""] = (await makeToken(asked)).split(".");
    expect(JSON.parse(Buffer.from(body, "base64url").toString())).toMatchObject({ scope: "reports" });
    await expect(makeToken([...asked.slice(0, 4), "--scope", "other"])).rejects.toThrow(
      "scope other is not among the issuer's grants: reports",
    );
  } finally {
    vi.unstubAllEnvs();
    rmSync(state, { recursive: true });
  }
});
