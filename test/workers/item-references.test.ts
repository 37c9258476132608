/** Items of earlier responses that a request names in place of them (`item_reference`). */
import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { create, get, question } from "./responses-fixture.ts";
import { scriptedEdge } from "./scripted-edge.ts";

const engine = scriptedEdge({
  naming: {},
  masked: { safety: { input: { action: "mask" }, output: { action: "off" } } },
});

const tools = [{ type: "function", name: "add", parameters: { type: "object" } }];
const user = (content: string) => ({ role: "user", content });
const reference = (id: unknown) => ({ type: "item_reference", id });
const messages = () => engine.asked.at(-1)?.["messages"] as readonly object[];

async function refusedWith(authorization: string, input: readonly unknown[], path = "/v1/responses") {
  const { max_output_tokens: _, ...counted } = question;
  const body = path === "/v1/responses" ? question : counted;
  const response = await post(path, authorization, { ...body, input });
  const { error } = await response.json<{ error: { code: string; param: string } }>();
  return [response.status, error.code, error.param];
}

test("what a response thought, called and said goes on by its items' names as if it were sent back whole", async () => {
  const authorization = await bearer("naming", "ann");
  engine.script = {
    deltas: [
      { reasoning_content: "A sum." },
      {
        tool_calls: [
          { index: 0, id: "call_1", type: "function", function: { name: "add", arguments: '{"a":1}' } },
        ],
      },
    ],
    finish: "tool_calls",
  };
  const first = await create(authorization, { tools, input: [user("1 and 1?")] });
  const [thought, call] = first.output as readonly { id: string; type: string }[];
  expect([thought?.type, call?.type]).toEqual(["reasoning", "function_call"]);
  engine.script = null;
  const answer = { type: "function_call_output", call_id: "call_1", output: "2" };
  const named = [user("1 and 1?"), reference(thought?.id), { id: call?.id }, answer];
  const second = await create(authorization, { tools, input: named });
  const asNamed = messages();
  const whole = [user("1 and 1?"), thought, call, answer];
  await create(authorization, { tools, input: whole });
  expect(asNamed).toEqual(messages());
  expect(JSON.stringify(asNamed)).toContain("call_1");
  // The item is the new response's own as well: it stays when the one that it came from goes.
  await send(`/v1/responses/${first.id}`, { method: "DELETE", headers: { authorization } });
  const { body } = await get(authorization, `${second.id}/input_items`);
  expect((body as { data: { type: string }[] }).data.map(({ type }) => type)).toEqual([
    "function_call_output",
    "function_call",
    "reasoning",
    "message",
  ]);
  expect(await refusedWith(authorization, named)).toEqual([404, "not_found", "input[1].id"]);
  await settled();
});

test("an input can be named, too, and counted", async () => {
  const authorization = await bearer("naming", "counted");
  const first = await create(authorization, { input: [user("Remember 7.")] });
  const { body } = await get(authorization, `${first.id}/input_items`);
  const [asked] = (body as { data: { id: string }[] }).data;
  engine.counts = 33;
  const response = await post("/v1/responses/input_tokens", authorization, {
    model: "auto",
    input: [reference(asked?.id), user("Which?")],
  });
  expect(await response.json()).toMatchObject({ input_tokens: 33 });
  expect(engine.lastRead()).toContain("Remember 7.");
  await settled();
});

test("an item of another user, of an unstored response, or of none is refused in the same words, and costs nothing", async () => {
  const ann = await bearer("naming", "owner");
  const bob = await bearer("naming", "thief");
  const kept = await create(ann, {});
  const unkept = await create(ann, { store: false });
  const [mine] = kept.output as readonly { id: string }[];
  const [gone] = unkept.output as readonly { id: string }[];
  const unknown = [404, "not_found", "input[0].id"];
  const asked = engine.asked.length;
  for (const path of ["/v1/responses", "/v1/responses/input_tokens"]) {
    expect(await refusedWith(bob, [reference(mine?.id), user("Go on")], path)).toEqual(unknown);
    expect(await refusedWith(ann, [reference(gone?.id), user("Go on")], path)).toEqual(unknown);
    expect(await refusedWith(ann, [reference("msg_x"), user("Go on")], path)).toEqual(unknown);
    expect(await refusedWith(ann, [{ id: `${mine?.id}9` }, user("Go on")], path)).toEqual(unknown);
  }
  expect(engine.asked.length).toBe(asked);
  await settled();
});

test("a stored chat is no response, and none of its parts can be named", async () => {
  const authorization = await bearer("naming", "chatting");
  const stored = await post("/v1/chat/completions", authorization, {
    model: "auto",
    store: true,
    max_tokens: 9,
    messages: [user("Hi")],
  });
  const { id } = await stored.json<{ id: string }>();
  const name = `msg_${id.slice("chatcmpl-".length, "chatcmpl-".length + 27)}o0`;
  expect(await refusedWith(authorization, [reference(name), user("Go on")])).toEqual([
    404,
    "not_found",
    "input[0].id",
  ]);
  await settled();
});

test("items that are named are checked as those that are sent: once each, in order, calls with their results", async () => {
  const authorization = await bearer("naming", "order");
  const first = await create(authorization, {});
  const [said] = first.output as readonly { id: string }[];
  expect(await refusedWith(authorization, [reference(said?.id), reference(said?.id)])).toEqual([
    400,
    "invalid_value",
    "input[1].id",
  ]);
  expect(await refusedWith(authorization, [reference(undefined)])).toEqual([
    400,
    "invalid_value",
    "input[0].id",
  ]);
  expect(await refusedWith(authorization, [{ ...reference(said?.id), content: "x" }])).toEqual([
    400,
    "unknown_parameter",
    "input[0].content",
  ]);
  engine.script = {
    deltas: [
      {
        tool_calls: [
          { index: 0, id: "call_2", type: "function", function: { name: "add", arguments: "{}" } },
        ],
      },
    ],
    finish: "tool_calls",
  };
  const calling = await create(authorization, { tools });
  const [call] = calling.output as readonly { id: string }[];
  expect(await refusedWith(authorization, [reference(call?.id), user("And?")])).toEqual([
    400,
    "invalid_value",
    "input[0].call_id",
  ]);
  await settled();
});

test("what is named is screened as what is sent", async () => {
  const authorization = await bearer("masked", "ann");
  engine.tokens = ["Write to ", "bob@example.com."];
  const first = await create(authorization, {});
  const [said] = first.output as readonly { id: string }[];
  await create(authorization, { input: [reference(said?.id), user("Go on")] });
  expect(engine.lastRead()).toContain("[e-mail address]");
  expect(engine.lastRead()).not.toContain("example.com");
  await settled();
});
