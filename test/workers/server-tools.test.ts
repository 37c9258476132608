import { describe, expect, test, vi } from "vitest";
import type { RequestRecord } from "../../src/shared/telemetry/request-record.ts";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { collectRecords } from "./logged-records.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { create, stream } from "./responses-fixture.ts";
import { besideEngine, calls, messagesBehind, orderTool, refundTool, says } from "./tool-server.ts";

/** Tools that Edgewise runs itself: the model calls, is answered, and goes on, all in one response. */
const engine = scriptedEdge({
  tooled: {
    limits: limitless,
    tools: { calculator: true, http: [orderTool, refundTool] },
  },
  masked: {
    limits: limitless,
    safety: { input: { kinds: { email: "mask" } }, output: { kinds: { email: "flag" } } },
    tools: { http: [{ ...orderTool, headers: [] }] },
  },
  shielded: {
    limits: limitless,
    safety: { output: { kinds: { email: "mask" } } },
    tools: { http: [{ ...orderTool, headers: [] }] },
  },
  judged: {
    limits: limitless,
    safety: { moderation: { input: "block", model: "guard" } },
    tools: { http: [{ ...orderTool, headers: [] }] },
  },
});
const server = besideEngine(engine);
const lastMessages = () => messagesBehind(engine);

const six = ["calculator", { expression: "2*3" }] as const;
const order = ["get_order", { id: "7" }] as const;

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
    expect(offered.map((tool) => tool.function.name)).toEqual(["calculator", "get_order", "refund"]);
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

  test("is shown as answers may be, also in its conversation, and read by the model as it is", async () => {
    const authorization = await bearer("shielded", "alice");
    const made = await post("/v1/conversations", authorization, {});
    const { id } = (await made.json()) as { id: string };
    engine.rounds.push(calls(order), says("It was", " sent."));
    server.answers.set("/v1/orders/7", () => Response.json({ mail: "ann@example.com" }));
    const response = await create(authorization, { conversation: id });
    expect(response.output[0]).toMatchObject({
      status: "completed",
      output: '{"mail":"[e-mail address]"}',
    });
    expect(engine.lastRead()).toContain("ann@example.com");
    await settled();
    await eventually(async () => {
      const items = await send(`/v1/conversations/${id}/items`, { headers: { authorization } });
      const text = await items.text();
      expect(text).toContain("[e-mail address]");
      expect(text).not.toContain("ann@");
    });
  });

  test("whose arguments were masked on their way is not made with what stands in their place", async () => {
    engine.rounds.push(calls(["get_order", { id: "ann@example.com" }]), says("I may not."));
    const response = await create(await bearer("shielded", "bob"), {});
    expect(server.asked).toEqual([]);
    expect(response.output[0]).toMatchObject({
      status: "failed",
      arguments: '{"id":"[e-mail address]"}',
      error: { content: [{ text: expect.stringContaining("masked") as string }] },
    });
    expect(engine.lastRead()).toContain("masked before they came to it");
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
