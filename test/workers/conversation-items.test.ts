/** The items of a conversation: added, looked at, taken out, and edited into branches. */
import { expect, test } from "vitest";
import { ask, chat, create, message } from "./conversation-calls.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { eventually } from "./eventually.ts";

const engine = scriptedEdge({
  lists: {},
  others: {},
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

test("pictures among items are bounded as a chat's are, and a wrong one is named by its place", async () => {
  const ann = await bearer("lists", "pictures");
  const id = await create(ann);
  const picture = { type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=" };
  const call = { type: "function_call", call_id: "c", name: "f", arguments: "{}" };
  const output = { type: "function_call_output", call_id: "c", output: "1" };
  const message = (...content: readonly object[]) => ({ type: "message", role: "user", content });
  const many = Array.from({ length: 17 }, () => picture);
  const wrong = { ...picture, image_url: "data:image/png;base64,AAAA" };
  for (const path of ["/v1/conversations", `/v1/conversations/${id}/items`])
    for (const [items, param] of [
      [[message(...many), message(...many)], "items[1].content"],
      [[call, output, message(picture, wrong)], "items[2].content[1].image_url"],
    ] as const)
      expect(await ask("POST", path, ann, { items })).toMatchObject({
        status: 400,
        body: { error: { code: "invalid_value", param } },
      });
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
