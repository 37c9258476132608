import { expect, test } from "vitest";
import { itemsOf, say } from "./named-turn.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";
import { eventually } from "./eventually.ts";

const engine = scriptedEdge({
  talks: { default_system_prompt: "Be kind." },
});

test("a conversation goes on where it was, under the tenant's system prompt, and is charged once a turn", async () => {
  const authorization = await bearer("talks", "ann");
  const first = await post("/v1/chat/completions", authorization, say("I am Ann.", "c1"));
  expect(await first.json()).toMatchObject({
    choices: [{ message: { content: "Hello there" }, finish_reason: "stop" }],
  });
  await eventually(async () => expect((await itemsOf(authorization, "c1")).texts).toHaveLength(2));
  const second = await post("/v1/chat/completions", authorization, say("Who am I?", "c1", { stream: true }));
  expect(readStream(await second.text())).toEqual({ content: "Hello there", finish: "stop", done: true });
  expect(engine.asked.at(-1)?.["messages"]).toEqual([
    { role: "system", content: "Be kind." },
    { role: "user", content: "I am Ann." },
    { role: "assistant", content: "Hello there" },
    { role: "user", content: "Who am I?" },
  ]);
  await eventually(async () =>
    expect((await itemsOf(authorization, "c1")).texts).toEqual([
      "user: I am Ann.",
      "assistant: Hello there",
      "user: Who am I?",
      "assistant: Hello there",
    ]),
  );
  await expectBill(authorization, 2, 24);
});

test("a conversation whose answer ended in half a call goes on: no engine could read that, at any later turn", async () => {
  const authorization = await bearer("talks", "half");
  const call = (more: object) => ({ tool_calls: [{ index: 0, ...more }] });
  engine.script = {
    deltas: [
      call({ id: "call_a", type: "function", function: { name: "look", arguments: "" } }),
      call({ function: { arguments: '{"at":"sk' } }),
    ],
    finish: "length",
  };
  const tools = [{ type: "function", function: { name: "look" } }];
  const first = await post("/v1/chat/completions", authorization, say("Look.", "half", { tools }));
  expect(await first.json()).toMatchObject({ choices: [{ finish_reason: "length" }] });
  await eventually(async () => expect((await itemsOf(authorization, "half")).texts).toHaveLength(2));
  engine.script = null;
  const second = await post("/v1/chat/completions", authorization, say("Go on.", "half"));
  expect(second.status).toBe(200);
  await second.text();
  expect(engine.asked.at(-1)?.["messages"]).toEqual([
    { role: "system", content: "Be kind." },
    { role: "user", content: "Look." },
    { role: "user", content: "Go on." },
  ]);
  await settled();
});

test("a tool's result that answers no call of the conversation is refused, and no engine asked", async () => {
  const authorization = await bearer("talks", "orphan");
  const messages = [{ role: "tool", tool_call_id: "call_x", content: "blue" }];
  const response = await post("/v1/chat/completions", authorization, say("", "orphan", { messages }));
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { code: "invalid_value", param: "messages[0].tool_call_id" },
  });
  expect(engine.asked).toEqual([]);
  await settled();
});

test("another user's conversation of the same name is another one, and its answers do not exist for others", async () => {
  const ann = await bearer("talks", "ann2");
  const bob = await bearer("talks", "bob2");
  const response = await post(
    "/v1/chat/completions",
    ann,
    say("My secret is 7.", "shared-name", { stream: true }),
  );
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  await response.text();
  await eventually(async () => expect((await itemsOf(ann, "shared-name")).texts).toHaveLength(2));
  await post("/v1/chat/completions", bob, say("What is the secret?", "shared-name"));
  expect(engine.lastRead()).not.toContain("7");
  const theirs = await send(`/v1/chat/completions/${id}`, { headers: { authorization: bob } });
  const none = await send(`/v1/chat/completions/${id.slice(0, -1)}x`, { headers: { authorization: bob } });
  expect(theirs.status).toBe(404);
  expect(await theirs.json()).toEqual(await none.json());
  await settled();
});

test("a stop ends the turn with what was said, stops the engine and bills what was delivered", async () => {
  const authorization = await bearer("talks", "cem");
  const gate = Promise.withResolvers<void>();
  engine.tokens = ["One", " two", " three", " four"];
  engine.pause = { at: 2, until: gate.promise };
  const response = await post(
    "/v1/chat/completions",
    authorization,
    say("Count", "counting", { stream: true }),
  );
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  const cancelled = await send(`/v1/chat/completions/${id}/cancel`, {
    method: "POST",
    headers: { authorization },
  });
  expect(await cancelled.json()).toMatchObject({ status: "cancelled", cancelled: true });
  const again = await send(`/v1/chat/completions/${id}/cancel`, {
    method: "POST",
    headers: { authorization },
  });
  expect(await again.json()).toMatchObject({ status: "cancelled" });
  expect(readStream(await response.text())).toEqual({ content: "One two", finish: "stop", done: true });
  gate.resolve();
  await eventually(() => expect(engine.cancelled).toBe(1));
  await eventually(async () =>
    expect((await itemsOf(authorization, "counting")).texts).toEqual(["user: Count", "assistant: One two"]),
  );
  await settled();
  await eventually(async () => {
    const usage = await send("/v1/usage", { headers: { authorization } });
    expect(await usage.json()).toMatchObject({ user: { used: { requests: 1, tokens: 12 } } });
  });
});

test("a stopped answer ends without naming its role a second time", async () => {
  const authorization = await bearer("talks", "dilek");
  const gate = Promise.withResolvers<void>();
  engine.tokens = ["One", " two", " three"];
  engine.pause = { at: 2, until: gate.promise };
  const asked = say("Count", "counting-once", { stream: true });
  const response = await post("/v1/chat/completions", authorization, asked);
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  await send(`/v1/chat/completions/${id}/cancel`, { method: "POST", headers: { authorization } });
  const told = await response.text();
  expect(told.match(/"role"/g)).toHaveLength(1);
  expect(readStream(told)).toEqual({ content: "One two", finish: "stop", done: true });
  gate.resolve();
  await settled();
});

test("a client that drops can follow the same answer again, from where it was", async () => {
  const authorization = await bearer("talks", "dov");
  engine.tokens = ["a", "b", "c"];
  const response = await post("/v1/chat/completions", authorization, say("Go", "resumed", { stream: true }));
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  const whole = await response.text();
  const blocks = whole.split("\n\n").filter(Boolean);
  const resumed = await send(`/v1/chat/completions/${id}?stream=true`, {
    headers: { authorization, "last-event-id": "1" },
  });
  expect((await resumed.text()).split("\n\n").filter(Boolean)).toEqual(blocks.slice(2));
  const stored = await send(`/v1/chat/completions/${id}`, { headers: { authorization } });
  expect(await stored.json()).toMatchObject({ id, choices: [{ message: { content: "abc" } }] });
  const forgotten = await send(`/v1/chat/completions/${id}`, {
    method: "DELETE",
    headers: { authorization },
  });
  expect(await forgotten.json()).toEqual({ id, object: "chat.completion.deleted", deleted: true });
  expect((await send(`/v1/chat/completions/${id}`, { headers: { authorization } })).status).toBe(404);
  await settled();
});

test("a turn is saved on the branch that it answers to, whichever is chosen meanwhile or was chosen before", async () => {
  const authorization = await bearer("talks", "branches");
  const talk = async (content: string, more: object = {}): Promise<void> => {
    await (await post("/v1/chat/completions", authorization, say(content, "b", more))).text();
    await settled();
  };
  const choose = (branch: string) => post("/v1/conversations/b", authorization, { active_branch: branch });
  const questions = async (branch: string) => {
    const response = await send(`/v1/conversations/b/items?order=asc&branch=${branch}`, {
      headers: { authorization },
    });
    const { data = [] } = (await response.json()) as {
      data?: { role: string; content: { text: string }[] }[];
    };
    return data.filter(({ role }) => role === "user").map(({ content }) => content[0]?.text);
  };
  await talk("one");
  await eventually(async () => expect(await questions("br_0")).toEqual(["one"]));
  await talk("ONE", { parent_item_id: "root" });
  await eventually(async () => expect(await questions("br_1")).toEqual(["ONE"]));
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 1, until: gate.promise };
  const turn = await post("/v1/chat/completions", authorization, say("TWO", "b", { stream: true }));
  engine.pause = null;
  expect((await choose("br_0")).status).toBe(200);
  gate.resolve();
  await turn.text();
  await eventually(async () => expect(await questions("br_1")).toEqual(["ONE", "TWO"]));
  expect(await questions("br_0")).toEqual(["one"]);
  // A page shows one branch, and another tab has chosen the other since.
  expect((await choose("br_1")).status).toBe(200);
  await talk("two", { parent_item_id: "br_0" });
  expect(engine.asked.at(-1)?.["messages"]).toMatchObject([{}, { content: "one" }, {}, { content: "two" }]);
  await eventually(async () => expect(await questions("br_0")).toEqual(["one", "two"]));
});
