import { describe, expect, test } from "vitest";
import { bearer, post } from "./edge-under-test.ts";
import { create, question } from "./responses-fixture.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";
import { besideEngine, calls, messagesBehind, orderTool, refundTool, says } from "./tool-server.ts";

/** Which tools of the server's own a response's model is shown, and what those that come after it know of their calls. */
const engine = scriptedEdge({
  tooled: { limits: limitless, tools: { calculator: true, http: [orderTool, refundTool] } },
  toolless: { limits: limitless },
});
besideEngine(engine);
const lastMessages = () => messagesBehind(engine);

const six = ["calculator", { expression: "2*3" }] as const;

describe("what is offered", () => {
  test("nothing where the client says which tools may be called, or that none may", async () => {
    engine.rounds.push(says("Hi."));
    const authorization = await bearer("tooled", "mia");
    await create(authorization, { tool_choice: "none" });
    const tools = [{ type: "function", name: "lamp", parameters: { type: "object" } }];
    await create(authorization, { tools, tool_choice: { type: "function", name: "lamp" } });
    expect(engine.asked.map((asked) => (asked["tools"] as object[] | undefined)?.length ?? 0)).toEqual([
      0, 1,
    ]);
  });

  test("nothing to a tenant that has no tools; what it is called by is free there", async () => {
    engine.rounds.push(says("Hi."));
    const authorization = await bearer("toolless", "alice");
    await create(authorization, {});
    expect(engine.asked[0]?.["tools"]).toBeUndefined();
    await create(authorization, { tools: [{ type: "function", name: "calculator" }] });
  });

  test("nothing of ours to a model that can call no tools: it answers as it did before", async () => {
    const authorization = await bearer("tooled", "pat");
    const response = await create(authorization, { model: "llama-3.1-8b-raw" });
    expect(response).toMatchObject({ status: "completed", model: "llama-3.1-8b-raw" });
    const counted = await post("/v1/responses/input_tokens", authorization, {
      model: "llama-3.1-8b-raw",
      input: "Hi",
    });
    expect(counted.status).toBe(200);
    const tools = [{ type: "function", name: "lamp", parameters: { type: "object" } }];
    const refused = await post("/v1/responses", authorization, {
      ...question,
      model: "llama-3.1-8b-raw",
      tools,
    });
    expect(await refused.json()).toMatchObject({ error: { code: "unsupported_parameter", param: "model" } });
  });

  test("a function of the client by the name of a tool of ours is refused by its place", async () => {
    const authorization = await bearer("tooled", "nick");
    const tools = [{ type: "web_search" }, { type: "function", name: "refund" }];
    const search = await post("/v1/responses", authorization, { ...question, tools });
    expect(search.status).toBe(400);
    expect(await search.json()).toMatchObject({
      error: { code: "unsupported_parameter", param: "tools[0].type" },
    });
    const clash = await post("/v1/responses", authorization, { ...question, tools: tools.slice(1) });
    expect(clash.status).toBe(400);
    expect(await clash.json()).toMatchObject({ error: { code: "invalid_value", param: "tools[0].name" } });
  });
});

describe("what comes after", () => {
  test("a response that goes on from it knows what the tools said; so does one that gets its items back", async () => {
    engine.rounds.push(calls(six), says("It is 6."), says("Yes."));
    const authorization = await bearer("tooled", "kim");
    const first = await create(authorization, { input: "2*3?" });
    await create(authorization, { previous_response_id: first.id, input: "Sure?" });
    const expected = [
      { role: "user", content: "2*3?" },
      { role: "assistant", tool_calls: [{ function: { name: "calculator" } }] },
      { role: "tool", content: "6" },
      { role: "assistant", content: "It is 6." },
      { role: "user", content: "Sure?" },
    ];
    expect(lastMessages()).toMatchObject(expected);
    await create(authorization, {
      input: [{ role: "user", content: "2*3?" }, ...first.output, { role: "user", content: "Sure?" }],
    });
    expect(lastMessages()).toMatchObject(expected);
  });

  test("so does the next turn of its conversation", async () => {
    engine.rounds.push(calls(six), says("It is 6."), says("Yes."));
    const authorization = await bearer("tooled", "leo");
    await create(authorization, { input: "2*3?", conversation: "sums" });
    await create(authorization, { input: "Sure?", conversation: "sums" });
    expect(lastMessages()).toMatchObject([
      { role: "user", content: "2*3?" },
      { role: "assistant", tool_calls: [{ function: { name: "calculator" } }] },
      { role: "tool", content: "6" },
      { role: "assistant", content: "It is 6." },
      { role: "user", content: "Sure?" },
    ]);
  });
});
