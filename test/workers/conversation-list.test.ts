import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { eventually } from "./eventually.ts";

const engine = scriptedEdge({
  lists: {},
  others: {},
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function ask(method: string, path: string, authorization: string, body?: object): Promise<Answer> {
  const response = await send(path, {
    method,
    headers: { authorization, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

interface Listed {
  readonly id: string;
  readonly title: string | null;
  readonly metadata: Record<string, string>;
}

async function list(authorization: string, query = ""): Promise<readonly Listed[]> {
  const { status, body } = await ask("GET", `/v1/conversations${query}`, authorization);
  expect([status, body["object"]]).toEqual([200, "list"]);
  return body["data"] as Listed[];
}

async function create(authorization: string, body: object = {}): Promise<string> {
  return (await ask("POST", "/v1/conversations", authorization, body)).body["id"] as string;
}

const chat = (conversation: string, content: string, more: object = {}) => ({
  model: "auto",
  max_tokens: 20,
  conversation_id: conversation,
  messages: [{ role: "user", content }],
  ...more,
});

const message = (content: string) => ({ type: "message", role: "user", content });

test("the caller's own are listed, newest first, with their titles, those of its own naming as well", async () => {
  const ann = await bearer("lists", "ann");
  expect(await list(ann)).toEqual([]);
  const made = await create(ann, { metadata: { topic: "x" }, items: [message("Plan a trip to Rome")] });
  await eventually(async () => expect(await list(ann)).toHaveLength(1));
  const answer = await post("/v1/chat/completions", ann, chat("my own", "Explain tides\nin short"));
  await answer.text();
  await eventually(async () =>
    expect((await list(ann)).map(({ id, title }) => [id, title])).toEqual([
      ["my own", "Explain tides"],
      [made, "Plan a trip to Rome"],
    ]),
  );
  expect((await list(ann))[1]?.metadata).toEqual({ topic: "x" });
  expect((await list(ann, "?order=asc&limit=1")).map(({ id }) => id)).toEqual([made]);
  expect((await list(ann, `?after=${encodeURIComponent("my own")}`)).map(({ id }) => id)).toEqual([made]);
  expect(await list(await bearer("lists", "bob"))).toEqual([]);
  expect(await list(await bearer("others", "ann"))).toEqual([]);
  await settled();
});

test.for(["?limit=0", "?limit=101", "?limit=x", "?order=new", "?after=conv_nothing"])(
  "a page that can't be is refused: %s",
  async (query) => {
    const { status, body } = await ask("GET", `/v1/conversations${query}`, await bearer("lists", "cat"));
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: "invalid_value" } });
  },
);

test("a title and metadata that change, change in the list; a title of one's own stays", async () => {
  const ann = await bearer("lists", "dee");
  const id = await create(ann, { items: [message("First words")] });
  const path = `/v1/conversations/${id}`;
  expect((await ask("POST", path, ann, { title: "  Mine \n" })).body).toMatchObject({
    title: "Mine",
    metadata: {},
  });
  await ask("POST", path, ann, { metadata: { a: "b" } });
  await (await post("/v1/chat/completions", ann, chat(id, "More words"))).text();
  await eventually(async () =>
    expect(await list(ann)).toMatchObject([{ id, title: "Mine", metadata: { a: "b" } }]),
  );
  expect((await ask("POST", path, ann, { active_branch: "br_9" })).body).toMatchObject({
    error: { param: "active_branch" },
  });
  await settled();
});

test("items are added, looked at and taken out; twice with one key is once", async () => {
  const ann = await bearer("lists", "eve");
  const id = await create(ann);
  const path = `/v1/conversations/${id}/items`;
  const body = JSON.stringify({ items: [message("one"), { role: "assistant", content: "ONE" }] });
  const headers = { authorization: ann, "content-type": "application/json", "idempotency-key": "k1" };
  const [first, again] = await Promise.all(
    [1, 2].map(async () => (await send(path, { method: "POST", headers, body })).json()),
  );
  expect(first).toEqual(again);
  expect(first).toMatchObject({
    object: "list",
    has_more: false,
    data: [{ role: "user" }, { role: "assistant" }],
  });
  const all = (await ask("GET", `${path}?order=asc`, ann)).body["data"] as { id: string }[];
  expect(all).toHaveLength(2);
  const taken = await ask("DELETE", `${path}/${all[0]?.id}?include[]=message.output_text.logprobs`, ann);
  expect(taken).toMatchObject({ status: 200, body: { id, object: "conversation" } });
  expect((await ask("DELETE", `${path}/${all[0]?.id}`, ann)).status).toBe(404);
  expect((await ask("GET", path, ann)).body).toMatchObject({ data: [{ role: "assistant" }] });
  for (const query of ["?include[]=nothing", "?include=nothing"])
    expect((await ask("GET", path + query, ann)).status).toBe(400);
  expect((await ask("GET", `${path}?include[]=reasoning.encrypted_content`, ann)).status).toBe(200);
  for (const [wrong, param] of [
    [{ items: [] }, "items"],
    [{}, "items"],
    [{ items: Array.from({ length: 21 }, () => message("x")) }, "items"],
    [{ items: [{ ...message("x"), colour: "red" }] }, "items[0].colour"],
  ] as const)
    expect((await ask("POST", path, ann, wrong)).body).toMatchObject({ error: { param } });
  expect((await ask("GET", path, ann)).body["data"]).toHaveLength(1);
});

test.for(["", "a b", "x".repeat(256)])(
  "a key that could be another request's as well (%j) is refused, and nothing is added",
  async (key) => {
    const ann = await bearer("lists", `key-${key.length}`);
    const path = `/v1/conversations/${await create(ann)}/items`;
    const headers = { authorization: ann, "content-type": "application/json", "idempotency-key": key };
    const body = JSON.stringify({ items: [message("one")] });
    const refused = await send(path, { method: "POST", headers, body });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { param: "Idempotency-Key" } });
    expect((await ask("GET", path, ann)).body["data"]).toEqual([]);
    await settled();
  },
);

test("calls with their results, and pictures, are kept as they are", async () => {
  const ann = await bearer("lists", "joe");
  const picture = "data:image/png;base64,iVBORw0KGgo=";
  const items = [
    {
      type: "message",
      role: "user",
      content: [
        { type: "input_text", text: "How warm is it here?" },
        { type: "input_image", image_url: picture },
      ],
    },
    { type: "function_call", call_id: "c1", name: "weather", arguments: '{"in":"Rome"}' },
    { type: "function_call_output", call_id: "c1", output: "21" },
    { role: "assistant", content: "21 degrees." },
  ];
  const id = await create(ann, { items });
  const { body } = await ask("GET", `/v1/conversations/${id}/items?order=asc`, ann);
  expect(body["data"]).toMatchObject([
    {
      role: "user",
      content: [{ text: "How warm is it here?" }, { type: "input_image", image_url: picture }],
    },
    { type: "function_call", call_id: "c1", name: "weather", arguments: '{"in":"Rome"}' },
    { type: "function_call_output", call_id: "c1", output: "21" },
    { role: "assistant", content: [{ type: "output_text", text: "21 degrees." }] },
  ]);
  // Nobody here can see.
  const refused = await post("/v1/chat/completions", ann, chat(id, "Thanks"));
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param: "model" } }]);
  const words = { type: "message", role: "user", content: "How warm is it in Rome?" };
  const spoken = await create(ann, { items: [words, ...items.slice(1)] });
  await (await post("/v1/chat/completions", ann, chat(spoken, "Thanks"))).text();
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system" },
    { role: "user" },
    { role: "assistant", tool_calls: [{ id: "c1", function: { name: "weather" } }] },
    { role: "tool", tool_call_id: "c1", content: "21" },
    { role: "assistant", content: "21 degrees." },
    { role: "user", content: "Thanks" },
  ]);
  const elsewhere = {
    ...items[0],
    content: [{ type: "input_image", image_url: "https://inside.example/x.png" }],
  };
  expect((await ask("POST", "/v1/conversations", ann, { items: [elsewhere] })).status).toBe(400);
  await settled();
});

test("an edit is a branch: the model reads the history up to there, and the list shows the new one", async () => {
  const ann = await bearer("lists", "fay");
  for (const words of ["one", "two"])
    await (await post("/v1/chat/completions", ann, chat("b", words))).text();
  const items = async (query = "") =>
    ((await ask("GET", `/v1/conversations/b/items?order=asc${query}`, ann)).body["data"] ?? []) as {
      id: string;
      content: { text: string }[];
    }[];
  await eventually(async () => expect(await items()).toHaveLength(4));
  const behind = (await items())[1]?.id;
  await (await post("/v1/chat/completions", ann, chat("b", "TWO", { parent_item_id: behind }))).text();
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([
    { role: "system" },
    { role: "user", content: "one" },
    { role: "assistant", content: "Hello there" },
    { role: "user", content: "TWO" },
  ]);
  await eventually(async () => expect((await items())[2]?.content[0]?.text).toBe("TWO"));
  expect((await items("&branch=br_0"))[2]?.content[0]?.text).toBe("two");
  expect((await ask("GET", "/v1/conversations/b/items?branch=br_7", ann)).status).toBe(400);
  const back = await ask("POST", "/v1/conversations/b", ann, { active_branch: "br_0" });
  expect(back.body).toMatchObject({ active_branch: "br_0", metadata: {} });
  expect((await items())[2]?.content[0]?.text).toBe("two");
  const wrong = await post("/v1/chat/completions", ann, chat("b", "x", { parent_item_id: "msg_no" }));
  expect([wrong.status, await wrong.json()]).toMatchObject([400, { error: { param: "parent_item_id" } }]);
  await settled();
});

test("a deletion takes the stored answers of its turns along, and leaves a record without content", async () => {
  const ann = await bearer("lists", "gus");
  const first = await post("/v1/chat/completions", ann, chat("secret name", "one"));
  const responseId = first.headers.get("x-edgewise-response-id") ?? "";
  await first.text();
  await eventually(async () => expect(await list(ann)).toHaveLength(1));
  expect((await ask("GET", `/v1/chat/completions/${responseId}`, ann)).status).toBe(200);
  const deleted = await ask("DELETE", "/v1/conversations/secret%20name", ann);
  expect(deleted.body).toMatchObject({
    id: "secret name",
    object: "conversation.deleted",
    deleted: true,
    deletion: { object: "conversation.deletion", conversation_id: null, items: 2, turns: 1 },
  });
  for (const [method, path] of [
    ["GET", ""],
    ["POST", ""],
    ["DELETE", ""],
    ["GET", "/items"],
  ] as const)
    expect(
      (
        await ask(
          method,
          `/v1/conversations/secret%20name${path}`,
          ann,
          method === "POST" ? { title: "x" } : undefined,
        )
      ).status,
    ).toBe(404);
  await eventually(async () => {
    expect((await ask("GET", `/v1/chat/completions/${responseId}`, ann)).status).toBe(404);
    expect(await list(ann)).toEqual([]);
    const records = (await ask("GET", "/v1/conversation_deletions", ann)).body["data"] as Record<
      string,
      number
    >[];
    expect(records).toMatchObject([{ turns: 1, turns_pending: 0 }]);
    expect((records[0]?.["recoverable_until"] ?? 0) - (records[0]?.["deleted_at"] ?? 0)).toBe(30 * 86_400);
    expect(JSON.stringify(records)).not.toContain("secret");
  });
  // What was charged stays.
  await eventually(async () => {
    const usage = await ask("GET", "/v1/usage", ann);
    expect(usage.body).toMatchObject({ user: { used: { requests: 1 } } });
  });
  await settled();
});

test("another user's or tenant's conversation answers on every verb as none does", async () => {
  const ann = await bearer("lists", "hal");
  const id = await create(ann, { items: [message("mine")] });
  const item = ((await ask("GET", `/v1/conversations/${id}/items`, ann)).body["data"] as { id: string }[])[0]
    ?.id;
  for (const stranger of [await bearer("lists", "ike"), await bearer("others", "hal")])
    for (const [method, path, body] of [
      ["GET", ""],
      ["POST", "", { title: "stolen" }],
      ["DELETE", ""],
      ["GET", "/items"],
      ["GET", "/branches"],
      ["GET", "/export"],
      ["GET", "/watch"],
      ["POST", "/items", { items: [message("x")] }],
      ["GET", `/items/${item}`],
      ["DELETE", `/items/${item}`],
    ] as const) {
      const theirs = await ask(method, `/v1/conversations/${id}${path}`, stranger, body);
      const none = await ask(method, `/v1/conversations/${id.slice(0, -1)}_${path}`, stranger, body);
      expect([method, path, theirs.status]).toEqual([method, path, 404]);
      expect(theirs).toEqual(none);
    }
  const turn = await post("/v1/chat/completions", await bearer("lists", "ike"), chat(id, "hello"));
  expect(turn.status).toBe(404);
  await turn.text();
  expect((await ask("GET", `/v1/conversations/${id}`, ann)).body).toMatchObject({ title: "mine" });
});

test("whoever takes out what each page shows meets all of it: items, and conversations", async () => {
  const ann = await bearer("lists", "tidy");
  const made: string[] = [];
  for (const at of [1, 2, 3]) made.push(await create(ann, { items: [message(`${at}`), message(`${at}!`)] }));
  await eventually(async () => expect(await list(ann)).toHaveLength(3));
  const met: unknown[] = [];
  for (const path of [`/v1/conversations/${made[0]}/items`, "/v1/conversations"]) {
    let after = "";
    for (let more = true; more;) {
      const page = await ask("GET", `${path}?limit=1${after}`, ann);
      expect(page.status).toBe(200);
      const [entry] = page.body["data"] as { id: string }[];
      met.push(entry?.id);
      expect((await ask("DELETE", `${path}/${entry?.id}`, ann)).status).toBe(200);
      await settled();
      if (path === "/v1/conversations")
        await eventually(async () => expect((await list(ann)).map(({ id }) => id)).not.toContain(entry?.id));
      after = `&after=${entry?.id}`;
      more = page.body["has_more"] === true;
    }
  }
  expect(met).toHaveLength(2 + 3);
  expect(await list(ann)).toEqual([]);
});
