import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { ask, makeKey, newTenant, platformToken, type Json } from "./admin-fixture.ts";
import { fakeEngine } from "./fake-engine.ts";

/** Only the clock: what waits for timers goes on. */
function passTime(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
}

beforeAll(() => {
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => fakeEngine(new Request(input).url, init));
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.useRealTimers();
});

const unknown = { status: 404, body: { error: { code: "not_found" } } };
const refusedKey = { status: 401, body: { error: { code: "invalid_api_key" } } };
const refusedToken = { status: 401, body: { error: { code: "invalid_token" } } };

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
  const chat = (value: string) =>
    ask("POST", "/v1/chat/completions", value, {
      model: "auto",
      messages: [{ role: "user", content: "hello" }],
    });
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
  const turn = { model: "auto", messages: [{ role: "user", content: "hello" }] };
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

describe("another tenant's key answers exactly as an unknown one", () => {
  test.each([
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/rotate"],
  ])("%s /admin/keys/{id}%s", async (method, suffix) => {
    const [ours, theirs] = [await newTenant(), await newTenant()];
    const key = await makeKey(theirs.admin);
    const answers = await Promise.all(
      [key.id, "0000000000000000", "no-id-at-all"].flatMap((id) => [
        ask(method, `/admin/keys/${id}${suffix}`, ours.admin),
        ask(method, `/admin/keys/${id}${suffix}?tenant=${theirs.id}`, ours.admin),
        ask(method, `/admin/keys/${id}${suffix}?tenant=nobody`, ours.admin),
      ]),
    );
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject(unknown);
    expect(await ask("GET", "/v1/usage", key.value)).toMatchObject({ status: 200 });
  });

  test("and another tenant's lists, logs, users and configuration do not exist", async () => {
    const [ours, theirs] = [await newTenant(), await newTenant()];
    for (const name of [theirs.id, "nobody", "platform"]) {
      for (const list of ["keys", "audit"])
        expect(await ask("GET", `/admin/${list}?tenant=${name}`, ours.admin)).toMatchObject(unknown);
      expect(await ask("GET", `/admin/tenants/${name}`, ours.admin)).toMatchObject(unknown);
      const revocation = { tenant: name, user: "alice" };
      expect(await ask("POST", "/admin/revocations", ours.admin, revocation)).toMatchObject(unknown);
      expect(await ask("POST", "/admin/keys", ours.admin, { name: "k", tenant: name })).toMatchObject(
        unknown,
      );
    }
  });
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

test("a tenant that is named in the query is the one that a key is made for and users are revoked in", async () => {
  const tenant = await newTenant();
  const platform = await platformToken();
  const path = `/admin/keys?tenant=${tenant.id}`;
  expect(await ask("POST", path, platform, { name: "k" })).toMatchObject({
    status: 200,
    body: { tenant: tenant.id },
  });
  expect(await ask("POST", path, platform, { name: "k", tenant: "another" })).toMatchObject({
    status: 400,
    body: { error: { param: "tenant" } },
  });
  const other = await newTenant();
  expect(await ask("POST", path, other.admin, { name: "k" })).toMatchObject({ status: 404 });
  const revocations = `/admin/revocations?tenant=${tenant.id}`;
  expect(await ask("POST", revocations, other.admin, { user: "alice" })).toMatchObject({ status: 404 });
  expect(await ask("POST", revocations, tenant.admin, { user: "alice" })).toMatchObject({ status: 200 });
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

test("a revoked user's tokens and keys end, those issued later and other users' don't", async () => {
  const tenant = await newTenant();
  const nowSeconds = Math.floor(Date.now() / 1000);
  const before = await tenant.token({ iat: nowSeconds - 5 });
  const bob = await tenant.token({ sub: "bob" });
  const key = await makeKey(tenant.admin, { user: "alice" });
  expect(await ask("GET", "/v1/usage", before)).toMatchObject({ status: 200 });
  const revoked = await ask("POST", "/admin/revocations", tenant.admin, { user: "alice" });
  expect(revoked).toMatchObject({ status: 200, body: { object: "revocation", user: "alice", org: null } });
  const turn = { model: "auto", messages: [{ role: "user", content: "hello" }] };
  expect(await ask("POST", "/v1/chat/completions", before, turn)).toMatchObject(refusedToken);
  expect(await ask("GET", "/v1/models", before)).toMatchObject(refusedToken);
  expect(await ask("POST", "/v1/chat/completions", key.value, turn)).toMatchObject(refusedKey);
  const later = await tenant.token({ iat: Number(revoked.body["revoked_before"]) });
  expect((await ask("POST", "/v1/chat/completions", later, turn)).status).toBe(200);
  expect((await ask("POST", "/v1/chat/completions", bob, turn)).status).toBe(200);
  for (const body of [{}, { user: "a", org: "b" }])
    expect(await ask("POST", "/admin/revocations", tenant.admin, body)).toMatchObject({ status: 400 });
});

test("a revoked org ends all its users' credentials", async () => {
  const tenant = await newTenant();
  const inside = await tenant.token({ org: "research", iat: Math.floor(Date.now() / 1000) - 5 });
  const outside = await tenant.token({ org: "sales" });
  await ask("POST", "/admin/revocations", tenant.admin, { org: "research" });
  expect(await ask("GET", "/v1/usage", inside)).toMatchObject(refusedToken);
  expect(await ask("GET", "/v1/usage", outside)).toMatchObject({ status: 200 });
});

test("an admin whose credential is revoked changes nothing any more, a second later at most", async () => {
  const tenant = await newTenant();
  const key = await makeKey(tenant.admin, { scopes: ["tenant:admin"] });
  await makeKey(key.value);
  await ask("DELETE", `/admin/keys/${key.id}`, tenant.admin);
  passTime(1_001);
  expect(await ask("POST", "/admin/keys", key.value, { name: "k" })).toMatchObject(refusedKey);
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
  const turn = { model: "auto", messages: [{ role: "user", content: "hello" }] };
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

test("tenants are put, shown, listed and deleted; with a tenant its keys are gone, also when its name comes back", async () => {
  const platform = await platformToken();
  const tenant = await newTenant();
  const key = await makeKey(tenant.admin);
  expect(await ask("GET", `/admin/tenants/${tenant.id}`, tenant.admin)).toMatchObject({ status: 200 });
  expect(await ask("PUT", `/admin/tenants/${tenant.id}`, tenant.admin, tenant.config)).toMatchObject({
    status: 403,
    body: { error: { code: "insufficient_scope" } },
  });
  const wrong = { ...tenant.config, cache: { ttl_seconds: 1 } };
  expect(await ask("PUT", `/admin/tenants/${tenant.id}`, platform, wrong)).toMatchObject({
    status: 400,
    body: { error: { param: "cache.ttl_seconds" } },
  });
  expect(await ask("PUT", "/admin/tenants/another", platform, tenant.config)).toMatchObject({ status: 400 });
  const taken = { ...tenant.config, id: `${tenant.id.slice(0, 30)}-x` };
  expect(await ask("PUT", `/admin/tenants/${taken.id}`, platform, taken)).toMatchObject({
    status: 400,
    body: { error: { param: "issuers[0]" } },
  });
  const { body } = await ask("GET", "/admin/tenants?limit=100", platform);
  expect(JSON.stringify(body["data"])).toContain(tenant.id);

  expect(await ask("DELETE", `/admin/tenants/${tenant.id}`, platform)).toMatchObject({ status: 200 });
  expect(await ask("DELETE", `/admin/tenants/${tenant.id}`, platform)).toMatchObject(unknown);
  await ask("PUT", `/admin/tenants/${tenant.id}`, platform, tenant.config);
  expect(JSON.parse((await env.CONFIG.get(`key:${key.id}`)) ?? "{}")).toMatchObject({
    revoked_ms: expect.any(Number) as number,
  });
  const turn = { model: "auto", messages: [{ role: "user", content: "hello" }] };
  expect(await ask("POST", "/v1/chat/completions", key.value, turn)).toMatchObject(refusedKey);
});

test("the audit log has every change, newest first, each with who did it, and no secret", async () => {
  const tenant = await newTenant();
  const key = await makeKey(tenant.admin, { name: "nightly" });
  await ask("POST", `/admin/keys/${key.id}/rotate`, tenant.admin);
  await ask("DELETE", `/admin/keys/${key.id}`, tenant.admin);
  await ask("POST", "/admin/revocations", await platformToken(), { tenant: tenant.id, user: "alice" });
  const { body } = await ask("GET", "/admin/audit?limit=3", tenant.admin);
  expect(body).toMatchObject({ has_more: true, next_after: "3", broken_at: null });
  const older = await ask("GET", "/admin/audit?after=3", tenant.admin);
  const data = [...(body["data"] as Json[]), ...(older.body["data"] as Json[])];
  expect(data.map(({ sequence, action, actor }) => [sequence, action, actor])).toEqual([
    [5, "credentials.revoke", "jwt:platform/operator"],
    [4, "key.revoke", `jwt:${tenant.id}/root`],
    [3, "key.rotate", `jwt:${tenant.id}/root`],
    [2, "key.create", `jwt:${tenant.id}/root`],
    [1, "tenant.create", "jwt:platform/operator"],
  ]);
  expect(older.body).toMatchObject({ has_more: false, next_after: null, broken_at: null });
  const text = JSON.stringify(data);
  expect(text).not.toContain(key.value.slice(-30));
  const record = JSON.parse((await env.CONFIG.get(`key:${key.id}`)) ?? "{}") as { hash: string };
  expect(text).not.toContain(record.hash);
  const platform = await ask("GET", "/admin/audit?limit=100", await platformToken());
  expect(JSON.stringify(platform.body["data"])).toContain(tenant.id);
});

test("a body that is no JSON is told apart from one that is wrong", async () => {
  const tenant = await newTenant();
  expect(await ask("POST", "/admin/keys", tenant.admin)).toMatchObject({
    status: 400,
    body: { error: { param: "name", code: "invalid_value" } },
  });
  expect(
    await ask("POST", "/admin/keys", tenant.admin, undefined, { "content-type": "text/plain" }),
  ).toMatchObject({ status: 400 });
  expect(await ask("POST", "/admin/keys", tenant.admin, [])).toMatchObject({ status: 400 });
});
