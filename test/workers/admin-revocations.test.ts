/** Whose credentials end when a user, an org or an admin's own key is revoked, and how soon? */
import { expect, test } from "vitest";
import {
  adminApi,
  ask,
  makeKey,
  newTenant,
  passTime,
  refusedKey,
  refusedToken,
  turn,
} from "./admin-fixture.ts";

adminApi();

test("a revoked user's tokens and keys end, those issued later and other users' don't", async () => {
  const tenant = await newTenant();
  const nowSeconds = Math.floor(Date.now() / 1000);
  const before = await tenant.token({ iat: nowSeconds - 5 });
  const bob = await tenant.token({ sub: "bob" });
  const key = await makeKey(tenant.admin, { user: "alice" });
  expect(await ask("GET", "/v1/usage", before)).toMatchObject({ status: 200 });
  const revoked = await ask("POST", "/admin/revocations", tenant.admin, { user: "alice" });
  expect(revoked).toMatchObject({ status: 200, body: { object: "revocation", user: "alice", org: null } });
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
