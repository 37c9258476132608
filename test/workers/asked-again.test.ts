/** A request that is sent again with its Idempotency-Key is told what came of it, whatever would refuse it today. */
import { afterAll, expect, test, vi } from "vitest";
import { bearer, post, putTenant } from "./edge-under-test.ts";
import { chat } from "./moderation-fixture.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";

const moderation = { input: "block", output: "off", model: "guard" } as const;
const engine = scriptedEdge({});

const spoken = { model: "auto", input: "Hello" };
const requests = [
  ["a chat", "/v1/chat/completions", chat("Hello")],
  ["a chat's stream", "/v1/chat/completions", chat("Hello", { stream: true })],
  ["a response", "/v1/responses", spoken],
  ["a response's stream", "/v1/responses", { ...spoken, stream: true }],
] as const;

/** A tenant of its own, since it is changed between two requests. */
async function tenantWith(settings: object): Promise<string> {
  const tenant = `again-${crypto.randomUUID().slice(0, 8)}`;
  await putTenant(tenant, settings);
  return tenant;
}

/** By now no isolate remembers what it was. */
async function changeTenant(tenant: string, settings: object): Promise<void> {
  await putTenant(tenant, settings);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 301_000 });
}
// Not behind each test: what a clock that goes back has left is waited for until it comes there again.
afterAll(() => void vi.useRealTimers());

test.each(requests)("%s, where a guard is named: its model was removed meanwhile", async (_, path, body) => {
  engine.tokens = ["safe"];
  const tenant = await tenantWith({ safety: { moderation } });
  const authorization = await bearer(tenant, crypto.randomUUID());
  const ask = (more: object = {}) =>
    post(path, authorization, { ...body, ...more }, { "idempotency-key": "once" });
  const first = await ask();
  expect(first.status).toBe(200);
  const told = await first.text();
  // The guard, and the model.
  expect(engine.asked).toHaveLength(2);
  await changeTenant(tenant, { safety: { moderation }, models: { allow: ["no-such-model"] } });
  const again = await ask();
  expect(again.status).toBe(200);
  expect(await again.text()).toBe(told);
  expect(again.headers.get("cache-status")).toContain("hit");
  const other = await ask({ temperature: 0.5 });
  expect(other.status).toBe(422);
  await other.body?.cancel();
  expect(engine.asked).toHaveLength(2);
  await expectBill(authorization, 1, 11);
  const unknown = await post(path, authorization, body, { "idempotency-key": "another" });
  expect(unknown.status).toBe(404);
  await unknown.body?.cancel();
});

test.each(requests)("%s, where none is: its tenant's policy was changed meanwhile", async (_, path, body) => {
  engine.tokens = ["Hi"];
  const tenant = await tenantWith({});
  const authorization = await bearer(tenant, crypto.randomUUID());
  const keyed = { "idempotency-key": "once" };
  const asked = JSON.parse(JSON.stringify(body).replace("Hello", "Write to a@b.co")) as object;
  const first = await post(path, authorization, asked, keyed);
  expect(first.status).toBe(200);
  const told = await first.text();
  await changeTenant(tenant, { safety: { input: { action: "block" } } });
  const again = await post(path, authorization, asked, keyed);
  expect(again.status).toBe(200);
  expect(await again.text()).toBe(told);
  const refused = await post(path, authorization, asked, { "idempotency-key": "another" });
  expect(refused.status).toBe(400);
  await refused.body?.cancel();
  expect(engine.asked).toHaveLength(1);
});

test("whoever has no request left is told again what was answered before, and the guard is not asked for them", async () => {
  engine.tokens = ["safe"];
  const tenant = await tenantWith({
    safety: { moderation },
    limits: { user: { pro: { requests_per_day: 1 } } },
  });
  const authorization = await bearer(tenant, crypto.randomUUID());
  const ask = (key: string) =>
    post("/v1/chat/completions", authorization, chat("Hello"), { "idempotency-key": key });
  const told = await (await ask("once")).text();
  const other = await ask("another");
  expect(other.status).toBe(429);
  await other.body?.cancel();
  const again = await ask("once");
  expect(await again.text()).toBe(told);
  expect(engine.asked).toHaveLength(2);
});
