/** What a guard model was asked for counts as a request, whatever comes of it. */
import { expect, test } from "vitest";
import { bearer, post } from "./edge-under-test.ts";
import { ask, chat } from "./moderation-fixture.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";
import { openSocket } from "./test-socket.ts";

const guarded = { input: "block", output: "off", model: "guard" } as const;
const engine = scriptedEdge({
  "harm-blocks": { safety: { moderation: { input: "block", output: "block" } } },
  "harm-guard": { safety: { moderation: guarded } },
  "harm-guard-once": {
    safety: { moderation: guarded },
    limits: { user: { pro: { requests_per_day: 1, concurrent_requests: 1 } } },
  },
  "harm-noted": { safety: { moderation: { input: "flag", model: "guard" } } },
});

test.each([
  ["/v1/chat/completions", chat("Hello"), 400],
  ["/v1/responses", { model: "auto", input: "Hello" }, 400],
  ["/v1/conversations", { items: [{ type: "message", role: "user", content: "Hello" }] }, 400],
])("%s: a prompt that it blocks counts as a request", async (path, body, status) => {
  engine.tokens = ["unsafe", "\n", "S9"];
  const user = crypto.randomUUID();
  const blocked = await ask("harm-guard-once", body, path, user);
  expect(blocked.status).toBe(status);
  await blocked.body?.cancel();
  await expectBill(await bearer("harm-guard-once", user), 1, 0);
  // The day's one request is used up, so that it is not asked again, nor counted.
  const again = await ask("harm-guard-once", body, path, user);
  expect(again.status).toBe(429);
  await again.body?.cancel();
  expect(engine.asked).toHaveLength(1);
  await expectBill(await bearer("harm-guard-once", user), 1, 0);
});

test("what it let pass counts as a request where no turn comes of it: an unknown model, an item, a turn that was asked before", async () => {
  engine.tokens = ["safe"];
  const user = crypto.randomUUID();
  const authorization = await bearer("harm-guard", user);
  const unknown = await ask("harm-guard", { ...chat("Hello"), model: "nope" }, undefined, user);
  expect(unknown.status).toBe(404);
  await unknown.body?.cancel();
  await expectBill(authorization, 1, 0);
  const items = [{ type: "message", role: "user", content: "Hello" }];
  const made = await ask("harm-guard", { items }, "/v1/conversations", user);
  expect(made.status).toBe(200);
  const { id } = (await made.json()) as { id: string };
  await expectBill(authorization, 2, 0);
  const added = await ask("harm-guard", { items }, `/v1/conversations/${id}/items`, user);
  expect(added.status).toBe(200);
  await added.body?.cancel();
  await expectBill(authorization, 3, 0);
  const keyed = { "idempotency-key": "once" };
  for (const requests of [4, 5]) {
    const answered = await post("/v1/chat/completions", authorization, chat("Hello"), keyed);
    expect(answered.status).toBe(200);
    await answered.text();
    await expectBill(authorization, requests, 11);
  }
});

test("a prompt that is flagged by it, and then refused, counts as a request; nothing does that it was not asked for", async () => {
  engine.tokens = ["safe"];
  const user = crypto.randomUUID();
  const refused = await ask("harm-noted", { ...chat("Hello"), model: "nope" }, undefined, user);
  expect(refused.status).toBe(404);
  await refused.body?.cancel();
  await expectBill(await bearer("harm-noted", user), 1, 0);
  const free = await ask("harm-blocks", { ...chat("Hello"), model: "nope" }, undefined, user);
  expect(free.status).toBe(404);
  await free.body?.cancel();
  await expectBill(await bearer("harm-blocks", user), 0, 0);
});

test("on a socket as well: a prompt that it blocks counts as a request", async () => {
  engine.tokens = ["unsafe", "\n", "S9"];
  const authorization = await bearer("harm-guard", crypto.randomUUID());
  const socket = await openSocket(authorization);
  socket.say({ type: "response.create", model: "auto", input: "Hello" });
  await socket.untilEvents("error");
  expect(socket.events).toMatchObject([{ status: 400, error: { code: "content_policy_violation" } }]);
  socket.leave();
  await expectBill(authorization, 1, 0);
});
