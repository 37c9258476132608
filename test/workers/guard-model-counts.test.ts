/** What a guard model was asked for counts as a request, whatever comes of it. */
import { expect, test } from "vitest";
import { resultsOf, startBatch, untilStatus } from "./batch-fixture.ts";
import { bearer, post, send } from "./edge-under-test.ts";
import { callerOf } from "./knowledge-fixture.ts";
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
  "harm-guard-few": {
    safety: { moderation: guarded },
    limits: { user: { pro: { tokens_per_month: 150 } } },
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

/** A conversation that its user made and deleted: only its object knows. It costs a request. */
async function deletedConversation(tenant: string, user: string): Promise<string> {
  const made = await ask(tenant, {}, "/v1/conversations", user);
  expect(made.status).toBe(200);
  const { id } = (await made.json()) as { id: string };
  const headers = { authorization: await bearer(tenant, user) };
  const deleted = await send(`/v1/conversations/${id}`, { method: "DELETE", headers });
  expect(deleted.status).toBe(200);
  await deleted.body?.cancel();
  return id;
}

test("what it let pass counts as a request where no turn comes of it: a deleted conversation, an item; what was asked before does not: it is not asked again", async () => {
  engine.tokens = ["safe"];
  const user = crypto.randomUUID();
  const authorization = await bearer("harm-guard", user);
  const gone = await deletedConversation("harm-guard", user);
  const unknown = await ask("harm-guard", chat("Hello", { conversation_id: gone }), undefined, user);
  expect(unknown.status).toBe(404);
  await unknown.body?.cancel();
  await expectBill(authorization, 2, 0);
  const items = [{ type: "message", role: "user", content: "Hello" }];
  const made = await ask("harm-guard", { items }, "/v1/conversations", user);
  expect(made.status).toBe(200);
  const { id } = (await made.json()) as { id: string };
  await expectBill(authorization, 3, 0);
  const added = await ask("harm-guard", { items }, `/v1/conversations/${id}/items`, user);
  expect(added.status).toBe(200);
  await added.body?.cancel();
  await expectBill(authorization, 4, 0);
  const keyed = { "idempotency-key": "once" };
  const { length } = engine.asked;
  for (const _ of ["first", "again"]) {
    const answered = await post("/v1/chat/completions", authorization, chat("Hello"), keyed);
    expect(answered.status).toBe(200);
    await answered.text();
    await expectBill(authorization, 5, 11);
  }
  // The guard, and the model.
  expect(engine.asked).toHaveLength(length + 2);
});

test("a prompt that is flagged by it, and then refused, counts as a request; nothing does that it was not asked for", async () => {
  engine.tokens = ["safe"];
  const user = crypto.randomUUID();
  const gone = await deletedConversation("harm-noted", user);
  const refused = await ask("harm-noted", chat("Hello", { conversation_id: gone }), undefined, user);
  expect(refused.status).toBe(404);
  await refused.body?.cancel();
  await expectBill(await bearer("harm-noted", user), 2, 0);
  const free = await ask("harm-blocks", { ...chat("Hello"), model: "nope" }, undefined, user);
  expect(free.status).toBe(404);
  await free.body?.cancel();
  await expectBill(await bearer("harm-blocks", user), 0, 0);
});

test.each([
  ["/v1/chat/completions", chat("Hello", { stream: true })],
  ["/v1/responses", { model: "auto", input: "Hello", max_output_tokens: 200 }],
])(
  "%s: it is not asked for whoever has too few tokens left for what the turn reserves",
  async (path, body) => {
    const user = crypto.randomUUID();
    const refused = await ask("harm-guard-few", body, path, user);
    expect(refused.status).toBe(429);
    await refused.body?.cancel();
    expect(engine.asked).toHaveLength(0);
    await expectBill(await bearer("harm-guard-few", user), 0, 0);
    engine.tokens = ["safe"];
    const short = path.endsWith("responses") ? { max_output_tokens: 20 } : { max_tokens: 20 };
    const answered = await ask("harm-guard-few", { ...body, ...short }, path, user);
    expect(answered.status).toBe(200);
    await answered.text();
  },
);

const nowhere = "conv_nothing";
const long = "All is well. ".repeat(10_000);
const noStore = { vector_store_ids: ["vs_nothing"] };
const search = { type: "file_search", vector_store_ids: ["vs_nothing"] };

test.each<[param: string | null, code: string, path: string, body: object]>([
  ["model", "model_not_found", "/v1/chat/completions", { ...chat("Hello"), model: "nope" }],
  ["messages", "context_length_exceeded", "/v1/chat/completions", chat(long)],
  ["conversation_id", "not_found", "/v1/chat/completions", chat("Hello", { conversation_id: nowhere })],
  [
    "retrieval.vector_store_ids[0]",
    "not_found",
    "/v1/chat/completions",
    chat("Hello", { retrieval: noStore }),
  ],
  ["model", "model_not_found", "/v1/completions", { model: "nope", prompt: "Hello" }],
  ["prompt", "context_length_exceeded", "/v1/completions", { model: "auto", prompt: long }],
  ["model", "model_not_found", "/v1/responses", { model: "nope", input: "Hello" }],
  ["input", "context_length_exceeded", "/v1/responses", { model: "auto", input: long }],
  ["conversation", "not_found", "/v1/responses", { model: "auto", input: "Hello", conversation: nowhere }],
  [
    "tools[0].vector_store_ids[0]",
    "not_found",
    "/v1/responses",
    { model: "auto", input: "Hello", tools: [search] },
  ],
  [
    "previous_response_id",
    "not_found",
    "/v1/responses",
    { model: "auto", input: "Hello", previous_response_id: "resp_nothing" },
  ],
])(
  "a refusal for %s (%s) at %s comes before it is asked, and costs nothing",
  async (param, code, path, body) => {
    for (const tenant of ["harm-guard", "harm-noted"]) {
      const user = crypto.randomUUID();
      const refused = await ask(tenant, body, path, user);
      expect(await refused.json()).toMatchObject({ error: { param, code } });
      await expectBill(await bearer(tenant, user), 0, 0);
      expect(engine.asked).toHaveLength(0);
    }
  },
);

test.each([
  ["/v1/chat/completions", chat],
  ["/v1/completions", (prompt: string) => ({ model: "auto", prompt })],
  ["/v1/responses", (input: string) => ({ model: "auto", input })],
])(
  "a batch's line to %s that fits no window is told so before it is asked, and costs nothing",
  async (url, bodyOf) => {
    engine.tokens = ["safe"];
    const user = crypto.randomUUID();
    const caller = await callerOf("harm-guard", user);
    const lines = Object.entries({ short: "Hello", long }).map(([name, text]) =>
      JSON.stringify({ custom_id: name, method: "POST", url, body: bodyOf(text) }),
    );
    const batch = await untilStatus(caller, await startBatch(caller, lines, { endpoint: url }), "completed");
    expect(batch.request_counts).toEqual({ total: 2, completed: 1, failed: 1 });
    expect(await resultsOf(caller, batch.error_file_id)).toMatchObject([
      { custom_id: "long", response: { body: { error: { code: "context_length_exceeded" } } } },
    ]);
    // The guard and the model, about the short one.
    expect(engine.asked).toHaveLength(2);
    // It, the batch and its file.
    await expectBill(await bearer("harm-guard", user), 3, 11);
  },
);

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
