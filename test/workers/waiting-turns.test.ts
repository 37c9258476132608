/** Turns that wait for the one before in their conversation, and what becomes of them when somebody stops or deletes them. */
import { env } from "cloudflare:workers";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { type OrgId, tenantIdSchema, type UserId } from "../../src/shared/contracts/ids.ts";
import { claimedId } from "../../src/shared/turn/durable/turn-claim.ts";
import { isolateOf } from "../../workers/edge/isolate.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { itemsOf, say } from "./named-turn.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";

const tenant = "waiting";
const engine = scriptedEdge({ [tenant]: {} });

beforeEach(() => {
  engine.tokens = ["One", " two", " three"];
});

/** The id of the answer that this key leads to, which its client hears late (workers/edge/late-start.ts). */
async function idOf(user: string, key: string, kind: "response" | "chat" = "response"): Promise<string> {
  const claim = { by: "key", text: key, fingerprint: "", keptMs: 0 } as const;
  const principal = { tenant: tenantIdSchema.parse(tenant), org: tenant as OrgId, user: user as UserId };
  return (await claimedId(isolateOf(env).hash, kind, claim, 0, principal, "none")).id;
}

/** A turn that stands in mid-answer until `go` is called. */
async function paused(authorization: string, conversation: string) {
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 2, until: gate.promise };
  const response = await post(
    "/v1/chat/completions",
    authorization,
    say("first", conversation, { stream: true }),
  );
  expect(response.status).toBe(200);
  engine.pause = null;
  return { response, go: gate.resolve };
}

test("a response that waits is cancelled by its id, once or twice: whoever stops it, waits for it or reads it is told so, and it costs nothing", async () => {
  const authorization = await bearer(tenant, "ann");
  const first = await paused(authorization, "talk");
  const asked = { model: "auto", conversation: "talk", input: "second", metadata: { of: "it" } };
  const waiting = post("/v1/responses", authorization, asked, { "idempotency-key": "k1" });
  const id = await idOf("ann", "k1");
  const shown = () => send(`/v1/responses/${id}`, { headers: { authorization } });
  await eventually(async () => expect((await shown()).status).toBe(200));
  const reader = await send(`/v1/responses/${id}?stream=true`, { headers: { authorization } });
  const cancel = () => send(`/v1/responses/${id}/cancel`, { method: "POST", headers: { authorization } });
  const told = { id, object: "response", status: "cancelled", metadata: { of: "it" }, output: [] };
  for (const cancelled of [await cancel(), await cancel(), await shown()]) {
    expect(cancelled.status).toBe(200);
    expect(await cancelled.json()).toMatchObject(told);
  }
  const refused = await waiting;
  expect(refused.status).toBe(409);
  expect(refused.headers.get("x-should-retry")).toBe("false");
  // A stream that ended cleanly would be an answer without a word.
  await expect(reader.text()).rejects.toThrow();
  first.go();
  await first.response.text();
  expect(engine.asked).toHaveLength(1);
  await expectBill(authorization, 1, 13);
  expect(await (await shown()).json()).toMatchObject(told);
  // The key led to no answer: who asks with it again gets one.
  const again = await post("/v1/responses", authorization, asked, { "idempotency-key": "k1" });
  expect(await again.json()).toMatchObject({ status: "completed" });
  await expectBill(authorization, 2, 26);
});

test("a chat that waits and is cancelled twice was cancelled, both times", async () => {
  const authorization = await bearer(tenant, "eve");
  const first = await paused(authorization, "talk");
  const headers = { "idempotency-key": "k" };
  const waiting = post("/v1/chat/completions", authorization, say("second", "talk"), headers);
  const path = `/v1/chat/completions/${await idOf("eve", "k", "chat")}`;
  const cancel = () => send(`${path}/cancel`, { method: "POST", headers: { authorization } });
  await eventually(async () => expect((await send(path, { headers: { authorization } })).status).toBe(409));
  for (let time = 0; time < 2; time += 1)
    expect(await (await cancel()).json()).toMatchObject({ status: "cancelled", cancelled: true });
  expect((await waiting).status).toBe(409);
  first.go();
  await first.response.text();
  await eventually(async () =>
    expect((await itemsOf(authorization, "talk")).texts).toEqual(["user: first", "assistant: One two three"]),
  );
  await expectBill(authorization, 1, 13);
});

test.for([
  { path: "/v1/responses", body: { model: "auto", input: "Hi" } },
  { path: "/v1/chat/completions", body: { ...say("Hi", "gone"), store: true } },
])("a deletion at $path whose answer is lost is asked for again, and was one", async ({ path, body }) => {
  const authorization = await bearer(tenant, `fay${path.length}`);
  const response = await post(path, authorization, body);
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  await response.text();
  await settled();
  const original = env.GENERATION.getByName.bind(env.GENERATION);
  let deletions = 0;
  const spy = vi.spyOn(env.GENERATION, "getByName").mockImplementation((name) => {
    const stub = original(name);
    const remove = async (message: Parameters<typeof stub.delete>[0]) => {
      deletions += 1;
      const outcome = await stub.delete(message);
      if (deletions === 1) throw Object.assign(new Error("the object was moved"), { retryable: true });
      return outcome;
    };
    return new Proxy(stub, {
      get: (target, key) => (key === "delete" ? remove : Reflect.get(target, key)),
    });
  });
  onTestFinished(() => spy.mockRestore());
  const remove = () => send(`${path}/${id}`, { method: "DELETE", headers: { authorization } });
  const deleted = await remove();
  expect(deleted.status).toBe(200);
  expect(await deleted.json()).toMatchObject({ id, deleted: true });
  expect(deletions).toBe(2);
  expect((await remove()).status).toBe(404);
  await settled();
});

test.for([
  { kind: "response", path: "/v1/responses", body: { model: "auto", input: "Hi" } },
  { kind: "chat", path: "/v1/chat/completions", body: { ...say("Hi", "deleted"), store: true } },
] as const)(
  "whoever waits for a $kind that another device deletes is told so, and does not ask for it again",
  async ({ kind, path, body }) => {
    const authorization = await bearer(tenant, `bea-${kind}`);
    const gate = Promise.withResolvers<void>();
    engine.pause = { at: 2, until: gate.promise };
    const waiting = post(path, authorization, body, { "idempotency-key": "k" });
    await eventually(() => expect(engine.asked).toHaveLength(1));
    const id = await idOf(`bea-${kind}`, "k", kind);
    const deleted = await send(`${path}/${id}`, { method: "DELETE", headers: { authorization } });
    expect(deleted.status).toBe(200);
    const refused = await waiting;
    expect(refused.status).toBe(409);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(await refused.json()).toMatchObject({
      error: { code: "conflict", message: expect.stringContaining("deleted") },
    });
    gate.resolve();
    await settled();
  },
);

test("a conversation that is deleted while its first turn is written is never made", async () => {
  const authorization = await bearer(tenant, "dov");
  const erase = () => send("/v1/conversations/new", { method: "DELETE", headers: { authorization } });
  expect((await erase()).status).toBe(404);
  const first = await paused(authorization, "new");
  const id = first.response.headers.get("x-edgewise-response-id") ?? "";
  const deleted = await erase();
  expect(deleted.status).toBe(200);
  expect(await deleted.json()).toMatchObject({ id: "new", deleted: true, deletion: { items: 0 } });
  await expect(first.response.text()).rejects.toThrow();
  first.go();
  await expectBill(authorization, 1, 12);
  expect((await itemsOf(authorization, "new")).status).toBe(404);
  const turn = await send(`/v1/chat/completions/${id}`, { headers: { authorization } });
  expect(turn.status).toBe(404);
  expect((await erase()).status).toBe(404);
  // The name is free: what is asked under it now begins anew.
  await (await post("/v1/chat/completions", authorization, say("again", "new"))).text();
  await eventually(async () =>
    expect((await itemsOf(authorization, "new")).texts).toEqual(["user: again", "assistant: One two three"]),
  );
  await settled();
});

test("a conversation that is deleted does not come back with the turns that wait in it", async () => {
  const authorization = await bearer(tenant, "cem");
  await (await post("/v1/chat/completions", authorization, say("secret", "gone"))).text();
  await eventually(async () => expect((await itemsOf(authorization, "gone")).texts).toHaveLength(2));
  const first = await paused(authorization, "gone");
  const waiting = post(
    "/v1/responses",
    authorization,
    { model: "auto", conversation: "gone", input: "more" },
    { "idempotency-key": "k2" },
  );
  const id = await idOf("cem", "k2");
  await eventually(async () => {
    const shown = await send(`/v1/responses/${id}`, { headers: { authorization } });
    expect(shown.status).toBe(200);
  });
  const deleted = await send("/v1/conversations/gone", { method: "DELETE", headers: { authorization } });
  expect(deleted.status).toBe(200);
  const refused = await waiting;
  expect(refused.status).toBe(404);
  expect(await refused.json()).toMatchObject({ error: { param: "conversation" } });
  first.go();
  await first.response.text().catch(() => "");
  await settled();
  expect((await itemsOf(authorization, "gone")).status).toBe(404);
});
