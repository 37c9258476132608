/** Whoever comes for an answer that is there already is let in by no bucket: is a revoked credential found out all the same? */
import { expect, test } from "vitest";
import { adminApi, ask, newTenant, passTime, refusedToken, turn } from "./admin-fixture.ts";

adminApi();

test.for([
  { what: "a chat", path: "/v1/chat/completions", body: turn },
  { what: "a stream", path: "/v1/chat/completions", body: { ...turn, stream: true } },
  { what: "a response", path: "/v1/responses", body: { model: "auto", input: "hello" } },
  {
    what: "a background response",
    path: "/v1/responses",
    body: { model: "auto", input: "hello", background: true },
  },
])("a revoked credential gets no answer again by its Idempotency-Key: $what", async ({ path, body }) => {
  const tenant = await newTenant();
  const nowSeconds = Math.floor(Date.now() / 1000);
  const stolen = await tenant.token({ iat: nowSeconds - 5 });
  const key = { "idempotency-key": "k" };
  for (let again = 0; again < 2; again += 1)
    expect(await ask("POST", path, stolen, body, key)).toMatchObject({ status: 200 });
  const revoked = await ask("POST", "/admin/revocations", tenant.admin, { user: "alice" });
  expect(revoked).toMatchObject({ status: 200 });
  passTime(10_001);
  expect(await ask("POST", path, stolen, body, key)).toMatchObject(refusedToken);
  const later = await tenant.token({ iat: Number(revoked.body["revoked_before"]) });
  expect(await ask("POST", path, later, body, key)).toMatchObject({ status: 200 });
});
