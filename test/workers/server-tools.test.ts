import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import type { RequestRecord } from "../../src/shared/telemetry/request-record.ts";
import { bearer, post, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { collectRecords } from "./logged-records.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { verified } from "./receipt-reading.ts";
import { create, question, stream } from "./responses-fixture.ts";
import { besideEngine, calls, orderTool, refundTool, says } from "./tool-server.ts";

/** Tools that Edgewise runs itself: the model calls, is answered, and goes on, all in one response. */
const engine = scriptedEdge({
  tooled: {
    limits: limitless,
    tools: {
      calculator: true,
      http: [orderTool, refundTool],
      sql: {
        binding: "TOOLS_TOOLED__DB",
        dialect: "d1",
        description: "Orders.",
        tables: ["orders"],
        max_rows: 2,
      },
      max_rounds: 2,
      max_calls: 3,
    },
  },
  receipted: { limits: limitless, receipts: "on", tools: { calculator: true } },
  toolless: { limits: limitless },
  hungry: { limits: limitless, tools: { http: [{ ...orderTool, headers: [] }], max_calls: 64 } },
  masked: {
    limits: limitless,
    safety: { input: { kinds: { email: "mask" } }, output: { kinds: { email: "flag" } } },
    tools: { http: [{ ...orderTool, headers: [] }] },
  },
  judged: {
    limits: limitless,
    safety: { moderation: { input: "block", model: "guard" } },
    tools: { http: [{ ...orderTool, headers: [] }] },
  },
});
const server = besideEngine(engine);

const six = ["calculator", { expression: "2*3" }] as const;
const order = ["get_order", { id: "7" }] as const;

/** Messages of what the engine was asked last, behind its instructions. */
function lastMessages(): readonly Record<string, unknown>[] {
  const messages = engine.asked.at(-1)?.["messages"] as readonly Record<string, unknown>[];
  return messages.filter(({ role }) => role !== "system");
}

describe("one call", () => {
  test("of the calculator is answered, and the model goes on in the same response, on one bill", async () => {
    engine.rounds.push(calls(six), says("It is", " 6."));
    const authorization = await bearer("tooled", "alice");
    const response = await create(authorization, { input: "2*3?" });
    expect(response).toMatchObject({
      status: "completed",
      output: [
        {
          type: "mcp_call",
          status: "completed",
          server_label: "edgewise",
          name: "calculator",
          arguments: '{"expression":"2*3"}',
          output: "6",
          error: null,
        },
        { type: "message", status: "completed", content: [{ text: "It is 6." }] },
      ],
      usage: { input_tokens: 20, output_tokens: 3 },
      tools: [],
    });
    expect(engine.asked).toHaveLength(2);
    const offered = engine.asked[0]?.["tools"] as { readonly function: { readonly name: string } }[];
    expect(offered.map((tool) => tool.function.name)).toEqual([
      "calculator",
      "get_order",
      "refund",
      "query_database",
    ]);
    const id = response.output[0]?.id;
    expect(lastMessages()).toMatchObject([
      { role: "user", content: "2*3?" },
      { role: "assistant", tool_calls: [{ id, function: { name: "calculator" } }] },
      { role: "tool", tool_call_id: id, content: "6" },
    ]);
    await expectBill(authorization, 1, 23);
  });

  test("is told in OpenAI's events, numbered without a gap, with one end", async () => {
    engine.rounds.push(calls(six), says("It is", " 6."));
    const events = await stream(await bearer("tooled", "bob"), { input: "2*3?" });
    expect(events.map(({ name }) => name)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.mcp_call.in_progress",
      "response.mcp_call_arguments.delta",
      "response.mcp_call_arguments.done",
      "response.mcp_call.completed",
      "response.output_item.done",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, at) => at));
  });

  test("of a tenant's API goes out with its secret, which the model never sees, and its path can't be left", async () => {
    engine.rounds.push(calls(["get_order", { id: "../admin?x=#1", expand: true }]), says("Sent."));
    server.answers.set("/v1/orders/..%2Fadmin%3Fx%3D%231", () => Response.json({ state: "sent" }));
    const response = await create(await bearer("tooled", "carol"), {});
    expect(server.asked).toMatchObject([
      {
        method: "GET",
        url: "https://api.example.com/v1/orders/..%2Fadmin%3Fx%3D%231?expand=true",
        headers: { authorization: "Bearer key-of-orders" },
      },
    ]);
    expect(response.output[0]).toMatchObject({ output: '{"state":"sent"}' });
    expect(JSON.stringify([engine.asked, response])).not.toContain("key-of-orders");
  });

  test("that fails is told in our words: nothing of what the server said", async () => {
    engine.rounds.push(calls(order), says("Sorry."));
    server.answers.set("/v1/orders/7", () => new Response("stack trace: db-7.internal", { status: 500 }));
    const response = await create(await bearer("tooled", "dave"), {});
    expect(response).toMatchObject({
      status: "completed",
      output: [
        {
          type: "mcp_call",
          status: "failed",
          output: null,
          error: { type: "mcp_tool_execution_error", content: [{ type: "text" }] },
        },
        { content: [{ text: "Sorry." }] },
      ],
    });
    expect(lastMessages().at(-1)?.["content"]).toBe(
      "The tool gave no answer: the server answered with status 500.",
    );
    expect(JSON.stringify([engine.asked, response])).not.toContain("db-7");
  });

  test.each([
    ["no JSON", "{", "they are no JSON"],
    ["another type", { id: 7 }, "#/id"],
    ["what the schema does not know", { id: "7", url: "https://evil.example" }, "#"],
  ])("with arguments that are %s is not made", async (_name, args, told) => {
    engine.rounds.push(calls(["get_order", args]), says("Sorry."));
    await create(await bearer("tooled", "erin"), {});
    expect(server.asked).toEqual([]);
    expect(lastMessages().at(-1)?.["content"]).toContain(told);
  });

  test("is not led by a redirect to where it may not go, and takes no secret along", async () => {
    engine.rounds.push(calls(order), says("Sorry."));
    server.answers.set("/v1/orders/7", () =>
      Response.redirect("http://169.254.169.254/latest/meta-data", 302),
    );
    await create(await bearer("tooled", "frank"), {});
    expect(server.asked).toHaveLength(1);
    expect(lastMessages().at(-1)?.["content"]).toContain("a host that is not allowed");
  });

  test("has its answer screened as a prompt is, before the model and the client see it", async () => {
    engine.rounds.push(calls(order), says("Done."));
    server.answers.set("/v1/orders/7", () => Response.json({ mail: "alice@example.com" }));
    const log = vi.spyOn(console, "log");
    const response = await create(await bearer("masked", "alice"), {});
    const lines = log.mock.calls.flatMap(([text]) => String(text).split("\n"));
    const screened = lines.filter((line) => line.includes('"event":"screened"'));
    expect(screened.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { from: "tool", tenant: "masked", found: "email:1" },
    ]);
    expect(lines.join("\n")).not.toContain("alice@example.com");
    expect(JSON.stringify([engine.asked, response])).not.toContain("alice@example.com");
    expect(response.output[0]).toMatchObject({ status: "completed", type: "mcp_call" });
  });

  test("leaves in the record what the guard found before it was made", async () => {
    const called = calls(order);
    const deltas = [{ content: "I ask ann@example.org and bob@example.org. " }, ...called.deltas];
    engine.rounds.push({ ...called, deltas }, says("Ask", " cat@example.org."));
    server.answers.set("/v1/orders/7", () => Response.json({ state: "sent" }));
    const records: RequestRecord[] = [];
    collectRecords(records);
    await create(await bearer("masked", "dora"), {});
    await settled();
    await eventually(() => expect(records.map(({ guarded }) => guarded)).toContain("email:3"));
  });

  test("of which a guard model is not asked: it judges who speaks", async () => {
    engine.tokens = ["safe"];
    engine.rounds.push(calls(order), says("It was", " sent."));
    server.answers.set("/v1/orders/7", () => Response.json({ state: "sent" }));
    const response = await create(await bearer("judged", "alice"), {});
    expect(response.output[0]).toMatchObject({ status: "completed", output: '{"state":"sent"}' });
    expect(engine.asked).toHaveLength(3);
  });
});

describe("a question to the tenant's database", () => {
  test.each([
    ["SELECT id, state FROM orders ORDER BY id", '{"rows":[{"id":1,"state":"open"},{"id":2,"state":"sent"}]'],
    ["SELECT count(*) AS n FROM orders", '{"rows":[{"n":3}]}'],
    ["SELECT * FROM secrets", "not among those that may be read"],
    ["DELETE FROM orders", "it is no SELECT"],
    ["SELECT price FROM orders", "a column that it names does not exist"],
  ])("%s is told %s", async (query, told) => {
    const { TOOLS_TOOLED__DB: database } = env as unknown as { readonly TOOLS_TOOLED__DB: D1Database };
    await database.exec("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, state TEXT)");
    await database.exec("INSERT OR REPLACE INTO orders VALUES (1, 'open'), (2, 'sent'), (3, 'open')");
    engine.rounds.push(calls(["query_database", { query }]), says("So."));
    await create(await bearer("tooled", "olga"), {});
    expect(lastMessages().at(-1)?.["content"]).toContain(told);
    expect(await database.prepare("SELECT count(*) AS n FROM orders").first()).toEqual({ n: 3 });
  });
});

describe("several calls", () => {
  test("of one round run beside each other", async () => {
    engine.rounds.push(calls(order, ["get_order", { id: "8" }]), says("Both."));
    const both = Promise.withResolvers<void>();
    const answer = async () => {
      if (server.asked.length === 2) both.resolve();
      await both.promise;
      return Response.json({ asked: server.asked.length });
    };
    server.answers.set("/v1/orders/7", answer);
    server.answers.set("/v1/orders/8", answer);
    const response = await create(await bearer("tooled", "grace"), {});
    expect(response.output.map(({ status }) => status)).toEqual(["completed", "completed", "completed"]);
  });

  test("over the rounds that are allowed are not made: the model is asked without tools, then not again", async () => {
    engine.rounds.push(calls(six));
    const response = await create(await bearer("tooled", "heidi"), {});
    expect(engine.asked.map(({ tools }) => tools !== undefined)).toEqual([true, true, false]);
    expect(response).toMatchObject({
      status: "completed",
      output: [{ output: "6" }, { output: "6" }, { status: "failed", output: null }],
      usage: { input_tokens: 30 },
    });
  });

  test("over max_tool_calls are refused, and the model is told", async () => {
    engine.rounds.push(calls(six, six), says("Enough."));
    const response = await create(await bearer("tooled", "ivan"), { max_tool_calls: 1 });
    expect(response.output).toMatchObject([{ output: "6" }, { status: "failed" }, { type: "message" }]);
    expect(engine.asked[1]?.["tools"]).toBeUndefined();
  });

  test("of ours and of the client's: ours are made, and the response ends with the client's, which goes on later", async () => {
    engine.rounds.push(calls(six, ["lamp", { on: true }]), says("Lit."));
    const authorization = await bearer("tooled", "judy");
    const tools = [{ type: "function", name: "lamp", parameters: { type: "object" } }];
    const response = await create(authorization, { tools });
    expect(response).toMatchObject({
      status: "completed",
      output: [
        { type: "function_call", name: "lamp", arguments: '{"on":true}', status: "completed" },
        { type: "mcp_call", name: "calculator", output: "6" },
      ],
      usage: { input_tokens: 10 },
    });
    expect(engine.asked).toHaveLength(1);
    const { call_id } = response.output[0] ?? {};
    const next = await create(authorization, {
      tools,
      previous_response_id: response.id,
      input: [{ type: "function_call_output", call_id, output: "on" }],
    });
    expect(next.output).toMatchObject([{ type: "message", content: [{ text: "Lit." }] }]);
    // Llama's template takes one call a message.
    expect(lastMessages()).toMatchObject([
      { role: "user" },
      { role: "assistant", tool_calls: [{ function: { name: "lamp" } }] },
      { role: "tool", content: "on" },
      { role: "assistant", tool_calls: [{ function: { name: "calculator" } }] },
      { role: "tool", content: "6" },
    ]);
  });
});

test("a usage receipt is of all rounds together, in the last event and in the response", async () => {
  engine.rounds.push(calls(six), says("It is", " 6."));
  const events = await stream(await bearer("receipted", "alice"), {});
  expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, at) => at));
  const last = events.at(-1)?.data.response as
    | { readonly edgewise?: { readonly receipt?: string } }
    | undefined;
  expect(await verified(last?.edgewise?.receipt ?? "")).toMatchObject({
    usage: { prompt_tokens: 20, completion_tokens: 3 },
  });
});

test("what an answer takes in has an end, so that its last event can hold it all", async () => {
  const authorization = await bearer("hungry", "alice");
  const long = "\u0001".repeat(8000);
  server.answers.set("/v1/orders/7", () => new Response(long, { headers: { "content-type": "text/plain" } }));
  engine.rounds.push(calls(order, order, order, order), says("Full."));
  const response = await create(authorization, {});
  expect(response.status).toBe("completed");
  expect(response.output.map(({ status }) => status)).toEqual([
    "completed",
    "completed",
    "completed",
    "failed",
    "completed",
  ]);
  expect(engine.lastRead()).toContain("has taken in all that it can");
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
