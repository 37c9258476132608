import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import {
  adminApi,
  ask,
  makeKey,
  newTenant,
  platformToken,
  refusedKey,
  turn,
  type Json,
} from "./admin-fixture.ts";

adminApi();

const unknown = { status: 404, body: { error: { code: "not_found" } } };

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
