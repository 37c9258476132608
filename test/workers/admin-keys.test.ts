/** API keys from their making to their end: what they may be given, what they open, and that nobody sees them twice. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { maxMadeADay } from "../../src/shared/admin/ledger.ts";
import {
  adminApi,
  ask,
  makeKey,
  newTenant,
  passTime,
  platformToken,
  refusedKey,
  turn,
  type Json,
} from "./admin-fixture.ts";

adminApi();

test("a key is made, shown once, used, listed and revoked; what is stored is no key", async () => {
  const tenant = await newTenant();
  const key = await makeKey(tenant.admin, { name: "nightly", scopes: ["reports"], allow_ips: [] });
  expect(key).toMatchObject({
    tenant: tenant.id,
    org: tenant.id,
    user: `key-${key.id}`,
    tier: "pro",
    scopes: ["reports"],
    status: "active",
    environment: "local",
    expires_at: null,
  });
  expect(key.value).toMatch(new RegExp(`^ew_local_${key.id}_[0-9a-z]{39}$`));
  expect(await env.CONFIG.get(`key:${key.id}`)).not.toContain(key.value.slice(-20));

  expect(await ask("GET", "/v1/usage", key.value)).toMatchObject({ status: 200, body: { tier: "pro" } });
  const listed = await ask("GET", "/admin/keys", tenant.admin);
  expect(listed.body["data"]).toMatchObject([{ id: key.id, status: "active" }]);
  expect(JSON.stringify(listed.body)).not.toContain(key.value);
  expect((await ask("GET", `/admin/keys/${key.id}`, tenant.admin)).body["value"]).toBeUndefined();

  expect(await ask("DELETE", `/admin/keys/${key.id}`, tenant.admin)).toMatchObject({
    status: 200,
    body: { id: key.id, status: "revoked" },
  });
  expect(await ask("DELETE", `/admin/keys/${key.id}`, tenant.admin)).toMatchObject({ status: 200 });
});

test("a revoked key is refused at the very next turn, whatever the isolate remembers of it", async () => {
  const tenant = await newTenant();
  const key = await makeKey(tenant.admin);
  const other = await makeKey(tenant.admin);
  const chat = (value: string) => ask("POST", "/v1/chat/completions", value, turn);
  expect((await chat(key.value)).status).toBe(200);
  await ask("DELETE", `/admin/keys/${key.id}`, tenant.admin);
  expect(await chat(key.value)).toMatchObject(refusedKey);
  expect(await ask("GET", "/v1/models", key.value)).toMatchObject(refusedKey);
  expect((await chat(other.value)).status).toBe(200);
});

test("rotation gives a new key that works at once; the old one goes after its grace, or now", async () => {
  const tenant = await newTenant();
  const key = await makeKey(tenant.admin, { user: "reporter", scopes: ["reports"] });
  const rotated = await ask("POST", `/admin/keys/${key.id}/rotate`, tenant.admin);
  const next = rotated.body as Json & { id: string; value: string };
  expect(next).toMatchObject({
    user: "reporter",
    scopes: ["reports"],
    rotated_from: key.id,
    status: "active",
  });
  for (const value of [key.value, next.value])
    expect(await ask("GET", "/v1/usage", value)).toMatchObject({ status: 200 });
  const old = await ask("GET", `/admin/keys/${key.id}`, tenant.admin);
  expect(old.body).toMatchObject({ rotated_to: next.id, status: "active" });
  expect(Number(old.body["expires_at"]) - Date.now() / 1000).toBeGreaterThan(86_000);
  expect(await ask("POST", `/admin/keys/${key.id}/rotate`, tenant.admin)).toMatchObject({ status: 409 });

  const last = await ask("POST", `/admin/keys/${next.id}/rotate`, tenant.admin, { grace_seconds: 0 });
  expect(await ask("GET", "/v1/usage", String(last.body["value"]))).toMatchObject({ status: 200 });
  expect(await ask("POST", "/v1/chat/completions", next.value, turn)).toMatchObject(refusedKey);
});

test("keys are listed page by page, newest first", async () => {
  const tenant = await newTenant();
  const ids: string[] = [];
  for (let at = 0; at < 5; at += 1) ids.unshift((await makeKey(tenant.admin)).id);
  const seen: string[] = [];
  let after = "";
  for (let pages = 0; pages < 5; pages += 1) {
    const { body } = await ask("GET", `/admin/keys?limit=2${after}`, tenant.admin);
    seen.push(...(body["data"] as { id: string }[]).map(({ id }) => id));
    if (body["has_more"] !== true) break;
    after = `&after=${String(body["next_after"])}`;
  }
  expect(seen).toEqual(ids);
  expect(await ask("GET", "/admin/keys?after=nonsense", tenant.admin)).toMatchObject({
    status: 400,
    body: { error: { param: "after" } },
  });
  expect(await ask("GET", "/admin/keys?limit=101", tenant.admin)).toMatchObject({ status: 400 });
});

test("a tenant's admin gives no tier, no scope and no platform scope beyond the configuration", async () => {
  const tenant = await newTenant();
  const bad: [Json, string][] = [
    [{ tier: "free" }, "tier"],
    [{ scopes: ["reports", "billing"] }, "scopes[1]"],
    [{ scopes: ["platform:admin"] }, "scopes[0]"],
    [{ scopes: ["platform:metrics"] }, "scopes[0]"],
    [{ expires_at: 1 }, "expires_at"],
    [{ environment: "live" }, "environment"],
    [{ allow_ips: ["10.0.0.1/8"] }, "allow_ips[0]"],
    [{ limits: { requests_per_minute: 5 }, user: "alice" }, "limits"],
    [{ limits: { requests_per_minute: 0 } }, "limits.requests_per_minute"],
    [{ name: "" }, "name"],
    [{ colour: "red" }, "colour"],
    [{ user: "a\nb" }, "user"],
  ];
  for (const [members, param] of bad)
    expect([param, await ask("POST", "/admin/keys", tenant.admin, { name: "k", ...members })]).toMatchObject([
      param,
      { status: 400, body: { error: { param, type: "invalid_request_error" } } },
    ]);
  // The configuration is the ceiling for the platform's admins as well.
  const platform = await platformToken();
  expect(
    await ask("POST", "/admin/keys", platform, { name: "k", tenant: tenant.id, tier: "free" }),
  ).toMatchObject({ status: 400 });
});

test("a platform key opens what its scopes say, must expire, and is made by the platform's admins alone", async () => {
  const platform = await platformToken();
  const inAWeek = Math.floor(Date.now() / 1000) + 7 * 86_400;
  const key = await makeKey(platform, { scopes: ["platform:metrics"], expires_at: inAWeek });
  expect(key).toMatchObject({ tenant: "platform", tier: "enterprise" });
  expect((await ask("GET", "/metrics", key.value)).status).toBe(200);
  expect(await ask("GET", "/admin/keys", key.value)).toMatchObject({
    status: 403,
    body: { error: { code: "insufficient_scope" } },
  });
  for (const members of [
    { scopes: ["platform:metrics"] },
    { scopes: ["platform:metrics"], expires_at: inAWeek + 400 * 86_400 },
    { scopes: [], expires_at: inAWeek },
    { scopes: ["tenant:admin"], expires_at: inAWeek },
  ])
    expect(await ask("POST", "/admin/keys", platform, { name: "k", ...members })).toMatchObject({
      status: 400,
    });
  const admin = await makeKey(platform, { scopes: ["platform:admin"], expires_at: inAWeek });
  expect(await ask("GET", "/admin/keys", admin.value)).toMatchObject({ status: 200 });
  await ask("DELETE", `/admin/keys/${admin.id}`, platform);
  passTime(1_001);
  expect(await ask("GET", "/admin/keys", admin.value)).toMatchObject(refusedKey);
});

test("a key with limits of its own is held to them", async () => {
  const tenant = await newTenant();
  const key = await makeKey(tenant.admin, { limits: { requests_per_minute: 1 } });
  const { body } = await ask("GET", "/v1/usage", key.value);
  const user = body["user"] as { limits: { name: string; limit: number }[] };
  // Beside those of its tier, on a level of its own.
  expect(user.limits).toContainEqual(
    expect.objectContaining({ name: "requests_per_minute", of: "key", limit: 1 }),
  );
  expect(await ask("POST", "/v1/chat/completions", key.value, turn)).toMatchObject({ status: 200 });
  expect(await ask("POST", "/v1/chat/completions", key.value, turn)).toMatchObject({ status: 429 });
});

test("a key with an allow-list is taken from there alone", async () => {
  const tenant = await newTenant();
  const key = await makeKey(tenant.admin, { allow_ips: ["192.0.2.0/24"] });
  const from = (address: string) =>
    ask("GET", "/v1/usage", key.value, undefined, { "cf-connecting-ip": address });
  expect(await from("192.0.2.7")).toMatchObject({ status: 200 });
  expect(await from("198.51.100.7")).toMatchObject(refusedKey);
  expect(await ask("GET", "/v1/usage", key.value)).toMatchObject(refusedKey);
});

test("who makes keys and revokes them without end is told when he may make the next, and revokes on", async () => {
  const tenant = await newTenant();
  const { id } = await makeKey(tenant.admin);
  const madeMs = Date.now() - 3_600_000;
  await runInDurableObject(env.AUDIT_LOG.getByName(tenant.id), (_log, { storage }) => {
    const [row] = storage.sql.exec<{ record: string }>("SELECT record FROM api_key").toArray();
    const ended = { ...(JSON.parse(row?.record ?? "") as Json), created_ms: madeMs, revoked_ms: madeMs + 1 };
    storage.sql.exec(
      `WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < ?)
       INSERT INTO api_key (id, expires_ms, revoked_ms, record, pending) SELECT 'ended-' || at, NULL, ?, ?, 0 FROM n`,
      maxMadeADay - 2,
      madeMs + 1,
      JSON.stringify(ended),
    );
  });
  // The newest of them all stands for itself.
  expect((await ask("POST", "/admin/keys", tenant.admin, { name: "the last" })).status).toBe(200);
  const refused = await ask("POST", "/admin/keys", tenant.admin, { name: "one more" });
  expect(refused).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
  expect(JSON.stringify(refused.body)).toMatch(
    /2000 keys were made within a day, .* from 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ on\./,
  );
  expect((await ask("DELETE", `/admin/keys/${id}`, tenant.admin)).status).toBe(200);
  passTime(24 * 3_600_000);
  expect(
    (
      await ask("POST", "/admin/keys", await tenant.token({ sub: "root", scope: "tenant:admin" }), {
        name: "tomorrow",
      })
    ).status,
  ).toBe(200);
});

test("keys whose copies in KV are lost work again when they are restored, each tenant's own", async () => {
  const tenant = await newTenant();
  const other = await newTenant();
  const key = await makeKey(tenant.admin);
  const others = await makeKey(other.admin);
  await env.CONFIG.delete(`key:${key.id}`);
  await env.CONFIG.delete(`key:${others.id}`);
  expect(await ask("GET", "/v1/models", key.value)).toMatchObject(refusedKey);
  expect(await ask("POST", "/admin/keys/restore", tenant.admin)).toMatchObject({
    status: 200,
    body: { object: "api_keys_restored", tenant: tenant.id, keys: 1, pending: false },
  });
  passTime(120_000);
  expect((await ask("GET", "/v1/models", key.value)).status).toBe(200);
  expect(await ask("GET", "/v1/models", others.value)).toMatchObject(refusedKey);
  expect((await ask("GET", "/admin/audit", tenant.admin)).body["data"]).toMatchObject([
    { action: "key.restore-all", detail: { keys: 1 } },
    { action: "key.create" },
    { action: "tenant.create" },
  ]);
  expect((await ask("POST", `/admin/keys/restore?tenant=${other.id}`, tenant.admin)).status).toBe(404);
  const operator = await platformToken("platform:admin");
  expect(await ask("POST", `/admin/keys/restore?tenant=${other.id}`, operator)).toMatchObject({
    body: { keys: 1 },
  });
});
