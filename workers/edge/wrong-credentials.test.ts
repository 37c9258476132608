import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { tenantEntries } from "../../src/shared/tenancy/tenant-entries.ts";
import { tenantConfigSchema } from "../../src/shared/tenancy/tenant-config.ts";
import { hmac, base64url } from "../../src/shared/identity/identity-fixture.ts";

/** The edge Worker as it ships, where an address may show two wrong credentials a minute. */
beforeAll(async () => {
  await env.CONFIG.put("firewall", '{"addresses":{"failed_credentials_per_minute":2}}');
  const issuer = {
    issuer: "https://guessed.example/",
    audience: "edgewise",
    algorithms: ["HS256"],
    keys: { type: "secret", name: "DEMO_JWT_SECRET" },
  };
  for (const { key, value } of await tenantEntries(
    tenantConfigSchema.parse({ id: "guessed", issuers: [issuer] }),
  ))
    await env.CONFIG.put(key, value);
});

afterEach(() => {
  vi.useRealTimers();
});

async function tokenOf(user: string): Promise<string> {
  const seconds = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "https://guessed.example/",
    aud: "edgewise",
    sub: user,
    iat: seconds,
    exp: seconds + 600,
  };
  const body = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify(claims))}`;
  return `${body}.${base64url(await hmac(body, env.DEMO_JWT_SECRET ?? ""))}`;
}

async function statusFor(token: string, address: string): Promise<number> {
  const response = await exports.default.fetch("https://shared.test/v1/models", {
    headers: { host: "shared.test", authorization: `Bearer ${token}`, "cf-connecting-ip": address },
  });
  await response.body?.cancel();
  return response.status;
}

async function guess(address: string): Promise<number> {
  let status = 0;
  for (let wrong = 0; wrong < 3; wrong += 1) {
    const token = await tokenOf(`wrong-${wrong}`);
    status = await statusFor(`${token.slice(0, -4)}AAAA`, address);
  }
  return status;
}

test("a right credential among guesses is not told by being sent twice", async () => {
  const token = await tokenOf("alice");
  expect(await guess("192.0.2.1")).toBe(429);
  for (let sent = 0; sent < 3; sent += 1) expect(await statusFor(token, "192.0.2.1")).toBe(429);
  expect(await statusFor(token, "192.0.2.2")).toBe(200);
  // Known to be good by now.
  expect(await statusFor(token, "192.0.2.1")).toBe(200);
});

test("a neighbour's wrong credentials lock nobody out whose own was good", async () => {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now });
  const token = await tokenOf("bob");
  expect(await statusFor(token, "192.0.2.3")).toBe(200);
  vi.setSystemTime(now + 50_000);
  expect(await guess("192.0.2.3")).toBe(429);
  // No longer remembered without being verified again.
  vi.setSystemTime(now + 70_000);
  expect(await statusFor(token, "192.0.2.3")).toBe(200);
});

test("what needs no credential is answered there all the same: a preflight, or the description", async () => {
  expect(await guess("192.0.2.4")).toBe(429);
  const from = { host: "shared.test", "cf-connecting-ip": "192.0.2.4" };
  const asked = { origin: "https://app.example", "access-control-request-method": "POST" };
  const preflight = await exports.default.fetch("https://shared.test/v1/models", {
    method: "OPTIONS",
    headers: { ...from, ...asked },
  });
  expect(preflight.status).toBe(204);
  const description = await exports.default.fetch("https://shared.test/openapi.json", { headers: from });
  expect(description.status).toBe(200);
  await description.body?.cancel();
});
