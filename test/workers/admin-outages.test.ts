/** What an admin, and whoever asks for what is left of a limit, is told while a part of the service can't be asked. */
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AuditLog } from "../../durable-objects/audit-log/audit-log.ts";
import { TokenBucket } from "../../durable-objects/token-bucket/token-bucket.ts";
import { adminApi, ask, newTenant, platformToken } from "./admin-fixture.ts";

adminApi();
beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => void vi.restoreAllMocks());

const away = new Error("the object can't be reached, says its stack");

async function expectUnreachable(method: string, path: string, credential: string, body?: unknown) {
  const response = await exports.default.fetch(`http://edgewise.test${path}`, {
    method,
    headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect([method, path, response.status, response.headers.get("retry-after")]).toEqual([
    method,
    path,
    503,
    "1",
  ]);
  expect(JSON.parse(text)).toMatchObject({ error: { code: "service_unavailable" } });
  expect(text).not.toContain("stack");
}

test.each(["beginChange", "change"] as const)(
  "while the audit log can't be asked (%s) no tenant is changed: 503, and the same change is made when it is back",
  async (method) => {
    const tenant = await newTenant();
    const platform = await platformToken();
    const before = await env.CONFIG.get(`tenant:${tenant.id}`);
    const changed = { ...tenant.config, default_system_prompt: "Be kind." };
    const lost = vi.spyOn(AuditLog.prototype, method).mockRejectedValue(away);
    await expectUnreachable("PUT", `/admin/tenants/${tenant.id}`, platform, changed);
    await expectUnreachable("DELETE", `/admin/tenants/${tenant.id}`, platform);
    lost.mockRestore();
    expect(before).not.toBeNull();
    expect(await env.CONFIG.get(`tenant:${tenant.id}`)).toBe(before);
    expect(await ask("PUT", `/admin/tenants/${tenant.id}`, platform, changed)).toMatchObject({
      status: 200,
      body: { default_system_prompt: "Be kind." },
    });
  },
);

test("nor are keys made, listed or revoked, nor is the log itself read", async () => {
  const tenant = await newTenant();
  for (const method of ["change", "find", "list", "entries"] as const)
    vi.spyOn(AuditLog.prototype, method).mockRejectedValue(away);
  await expectUnreachable("POST", "/admin/keys", tenant.admin, { name: "k" });
  await expectUnreachable("GET", "/admin/keys", tenant.admin);
  await expectUnreachable("GET", "/admin/audit", tenant.admin);
});

test("what is left of limits is 503 while their buckets can't be asked", async () => {
  const tenant = await newTenant();
  const platform = await platformToken();
  vi.spyOn(TokenBucket.prototype, "inspect").mockRejectedValue(away);
  await expectUnreachable("GET", "/v1/usage", await tenant.token());
  await expectUnreachable("GET", `/admin/limits?tenant=${tenant.id}&user=alice`, platform);
});
