import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";
import { eventually } from "./eventually.ts";

const engine = scriptedEdge({
  keeps: {},
  masks: { safety: { input: { action: "mask" } } },
  thrice: { limits: { user: { pro: { requests_per_day: 3 } } } },
});

async function create(authorization: string, body: object): Promise<{ id: string }> {
  const response = await post("/v1/conversations", authorization, body);
  expect(response.status).toBe(200);
  return response.json();
}

async function read(path: string, authorization: string, method = "GET") {
  const response = await send(path, { method, headers: { authorization } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const beginning = {
  metadata: { topic: "names" },
  items: [
    { type: "message", role: "user", content: "I am Ann." },
    { role: "assistant", content: [{ type: "output_text", text: "Hello Ann." }] },
  ],
};

test("a conversation is made with what was said before, and goes on from there", async () => {
  const authorization = await bearer("keeps", "ann");
  const made = await create(authorization, beginning);
  expect(made).toEqual({
    id: expect.stringMatching(/^conv_[0-9a-z]{47}$/) as string,
    object: "conversation",
    created_at: expect.any(Number) as number,
    metadata: { topic: "names" },
    title: "I am Ann.",
    active_branch: "br_0",
  });
  expect((await read(`/v1/conversations/${made.id}`, authorization)).body).toEqual(made);
  const answer = await post("/v1/chat/completions", authorization, {
    model: "auto",
    conversation_id: made.id,
    messages: [{ role: "user", content: "Who am I?" }],
  });
  expect(answer.status).toBe(200);
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system" },
    { role: "user", content: "I am Ann." },
    { role: "assistant", content: "Hello Ann." },
    { role: "user", content: "Who am I?" },
  ]);
  await settled();
});

test("a name that its owner chose is read and deleted by its URL, a slash in it encoded as clients do", async () => {
  const authorization = await bearer("keeps", "ada");
  const name = "CORP\\support/42: system prompt (v2) & 50%2B more 💬";
  const answer = await post("/v1/chat/completions", authorization, {
    model: "auto",
    conversation_id: name,
    messages: [{ role: "user", content: "I am Ada." }],
  });
  expect(answer.status).toBe(200);
  await settled();
  const path = `/v1/conversations/${encodeURIComponent(name)}`;
  // The turn comes into it behind its end.
  await eventually(async () =>
    expect(await read(path, authorization)).toMatchObject({ status: 200, body: { id: name } }),
  );
  expect((await read(`${path}/items`, authorization)).body["data"]).toHaveLength(2);
  expect((await read(path, authorization, "DELETE")).body).toMatchObject({ id: name, deleted: true });
  expect((await read(path, authorization)).status).toBe(404);
});

test("metadata are changed whole, and an item is found by its id", async () => {
  const authorization = await bearer("keeps", "bea");
  const { id } = await create(authorization, beginning);
  const changed = await post(`/v1/conversations/${id}`, authorization, { metadata: { mood: "good" } });
  expect(await changed.json()).toMatchObject({ id, metadata: { mood: "good" } });
  expect((await read(`/v1/conversations/${id}`, authorization)).body["metadata"]).toEqual({ mood: "good" });
  const { body } = await read(`/v1/conversations/${id}/items?order=asc`, authorization);
  const items = body["data"] as { id: string }[];
  expect(items).toMatchObject([{ role: "user" }, { role: "assistant" }]);
  const itemPath = `/v1/conversations/${id}/items/${items[1]?.id}`;
  expect((await read(itemPath, authorization)).body).toEqual(items[1]);
  expect((await read(`${itemPath}x`, authorization)).status).toBe(404);
});

test("what was deleted is gone, and can't go on", async () => {
  const authorization = await bearer("keeps", "cem");
  const { id } = await create(authorization, beginning);
  const { body: list } = await read(`/v1/conversations/${id}/items`, authorization);
  const deleted = await read(`/v1/conversations/${id}`, authorization, "DELETE");
  expect(deleted.body).toMatchObject({ id, object: "conversation.deleted", deleted: true });
  for (const path of ["", "/items", `/items/${String(list["first_id"])}`])
    expect((await read(`/v1/conversations/${id}${path}`, authorization)).status).toBe(404);
  expect((await read(`/v1/conversations/${id}`, authorization, "DELETE")).status).toBe(404);
  expect((await post(`/v1/conversations/${id}`, authorization, { metadata: {} })).status).toBe(404);
  const answer = await post("/v1/chat/completions", authorization, {
    model: "auto",
    conversation_id: id,
    messages: [{ role: "user", content: "Who am I?" }],
  });
  expect(answer.status).toBe(404);
  await settled();
});

test("another user's conversation answers as none does, whatever is asked of it", async () => {
  const { id } = await create(await bearer("keeps", "dov"), beginning);
  const stranger = await bearer("keeps", "eve");
  const none = await read("/v1/conversations/conv_none", stranger);
  for (const method of ["GET", "DELETE"])
    expect((await read(`/v1/conversations/${id}`, stranger, method)).body).toEqual(none.body);
  expect((await post(`/v1/conversations/${id}`, stranger, { metadata: {} })).status).toBe(404);
});

test("a name of the caller's own that was never used is not there", async () => {
  const authorization = await bearer("keeps", "fay");
  expect((await read("/v1/conversations/mine", authorization)).status).toBe(404);
});

test.for([
  [{ metadata: { a: 1 } }, "metadata.a"],
  [{ topic: "x" }, "topic"],
  [{ items: [{ role: "system", content: "Obey." }] }, "items[0].role"],
  [{ items: [{ type: "function_call", call_id: "c", name: "f", arguments: "{}" }] }, "items[0].call_id"],
  [{ items: [{ type: "item_reference", id: "x" }] }, "items[0].type"],
  [{ items: Array.from({ length: 21 }, () => ({ role: "user", content: "x" })) }, "items"],
] as const)("a body that is wrong is refused by name: %j", async ([body, param]) => {
  const response = await post("/v1/conversations", await bearer("keeps", "gus"), body);
  expect(response.status).toBe(400);
  const message = expect.stringContaining(`'${param}'`) as string;
  expect(await response.json()).toMatchObject({ error: { param, message } });
});

test("a whole answer of a reasoning model is taken, as sessions of clients send it, and what it thought is not kept", async () => {
  const authorization = await bearer("keeps", "thinks");
  const thought = {
    type: "reasoning",
    id: "rs_1",
    summary: [],
    content: [{ type: "reasoning_text", text: "Hm." }],
  };
  const { id } = await create(authorization, { items: [thought] });
  const added = await post(`/v1/conversations/${id}/items`, authorization, {
    items: [{ role: "user", content: "Who?" }, thought, { role: "assistant", content: "Ann." }],
  });
  expect(added.status).toBe(200);
  expect(await added.json()).toMatchObject({ data: [{ role: "user" }, { role: "assistant" }] });
  const alone = await post(`/v1/conversations/${id}/items`, authorization, { items: [thought] });
  expect(await alone.json()).toMatchObject({ object: "list", data: [], has_more: false });
  const { body } = await read(`/v1/conversations/${id}/items`, authorization);
  expect(JSON.stringify(body)).not.toContain("Hm.");
  expect(body["data"]).toHaveLength(2);
});

test("an update without metadata changes nothing", async () => {
  const authorization = await bearer("keeps", "hal");
  const { id } = await create(authorization, beginning);
  expect((await post(`/v1/conversations/${id}`, authorization, {})).status).toBe(400);
  expect((await read(`/v1/conversations/${id}`, authorization)).body["metadata"]).toEqual({ topic: "names" });
});

test("what a conversation begins with is screened as prompts are", async () => {
  const authorization = await bearer("masks", "ida");
  const { id } = await create(authorization, {
    items: [{ role: "user", content: "Write to ida@example.org, please." }],
  });
  const { body } = await read(`/v1/conversations/${id}/items`, authorization);
  expect(JSON.stringify(body)).not.toContain("ida@example.org");
});

test("who makes conversations, or adds to them, is bounded by the requests that he may make; what came to nothing counts for nobody", async () => {
  const authorization = await bearer("thrice", "hoarder");
  const { id } = await create(authorization, {});
  const items = [{ type: "message", role: "user", content: "I am Ann." }];
  const add = (name: string) => post(`/v1/conversations/${name}/items`, authorization, { items });
  for (const [name, status] of [
    [id, 200],
    ["never-used", 404],
    [id, 200],
  ] as const) {
    const added = await add(name);
    expect(added.status).toBe(status);
    await added.body?.cancel();
  }
  await expectBill(authorization, 3, 0);
  for (const refused of [await add(id), await post("/v1/conversations", authorization, {})]) {
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ error: { code: "insufficient_quota" } });
  }
  await expectBill(authorization, 3, 0);
  expect((await read(`/v1/conversations/${id}/items`, authorization)).body).toMatchObject({
    data: [{ role: "user" }, { role: "user" }],
  });
});
