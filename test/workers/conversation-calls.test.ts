/** Tool calls in a conversation: what the next turn's engine is given of them, and what a turn may answer. */
import { expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { eventually } from "./eventually.ts";

const engine = scriptedEdge({ calls: {} });

const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
const ask = (authorization: string, messages: object[], more: object = {}): Promise<Response> =>
  post("/v1/chat/completions", authorization, {
    model: "auto",
    max_tokens: 50,
    conversation_id: "c",
    tools,
    messages,
    ...more,
  });
const user = (content: string) => ({ role: "user", content });
const result = (id: string) => ({ role: "tool", tool_call_id: id, content: "rain" });
const instructions = { role: "system", content: "Be short." };

async function items(authorization: string): Promise<Record<string, unknown>[]> {
  const response = await send("/v1/conversations/c/items?order=asc", { headers: { authorization } });
  const { data = [] } = (await response.json()) as { data?: Record<string, unknown>[] };
  return data;
}

/** The engine calls a tool, and stops so in mid-arguments or at their end. */
async function called(authorization: string, given: string, finish: string): Promise<void> {
  const call = { index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: given } };
  engine.script = { deltas: [{ tool_calls: [call] }], finish };
  expect((await ask(authorization, [user("Kyoto?")])).status).toBe(200);
  engine.script = null;
  await eventually(async () => expect(await items(authorization)).toHaveLength(2));
}

const read = () => engine.asked.at(-1)?.["messages"] as { role: string; tool_calls?: object[] }[];

test("an answer that was cut in the middle of a call does not spoil the conversation: the call stays, and is not read again", async () => {
  const authorization = await bearer("calls", "cut");
  await called(authorization, '{"city":"Kyo', "length");
  expect((await ask(authorization, [user("Never mind.")])).status).toBe(200);
  expect(read().map(({ role }) => role)).toEqual(["system", "user", "user"]);
  await eventually(async () =>
    expect((await items(authorization)).map(({ type }) => type)).toEqual([
      "message",
      "function_call",
      "message",
      "message",
    ]),
  );
  await settled();
});

test("a call is answered behind the instructions that a turn sends each time", async () => {
  const authorization = await bearer("calls", "answered");
  await called(authorization, '{"city":"Kyoto"}', "tool_calls");
  expect((await ask(authorization, [instructions, result("call_1")])).status).toBe(200);
  expect(read().map(({ role }) => role)).toEqual(["system", "user", "assistant", "tool"]);
  await settled();
});

test("arguments that are no JSON, which the client has answered so, are none for the engine", async () => {
  const authorization = await bearer("calls", "broken");
  await called(authorization, "city: Kyoto", "tool_calls");
  expect((await ask(authorization, [result("call_1")])).status).toBe(200);
  expect(read()[2]?.tool_calls).toMatchObject([{ function: { name: "weather", arguments: "{}" } }]);
  expect((await items(authorization))[1]).toMatchObject({ arguments: "city: Kyoto" });
  await settled();
});

test("a result of a call that the conversation has not is refused by its field, and nothing is asked or kept", async () => {
  const authorization = await bearer("calls", "unasked");
  await called(authorization, "{}", "tool_calls");
  const asked = engine.asked.length;
  const refused = await ask(authorization, [instructions, result("call_2")]);
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { error: { param: "messages[1].tool_call_id" } },
  ]);
  const response = await post("/v1/responses", authorization, {
    model: "auto",
    max_output_tokens: 50,
    conversation: "c",
    input: [{ type: "function_call_output", call_id: "call_2", output: "rain" }],
  });
  expect([response.status, await response.json()]).toMatchObject([400, { error: { param: "input" } }]);
  expect(engine.asked).toHaveLength(asked);
  expect(await items(authorization)).toHaveLength(2);
  await settled();
});
