import { expect, test } from "vitest";
import { bearer } from "./edge-under-test.ts";
import { fetched, verified } from "./receipt-reading.ts";
import { create, stream } from "./responses-fixture.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { besideEngine, calls, messagesBehind, orderTool, says } from "./tool-server.ts";

/** What one response with tools of the server's own may use and take in, all rounds together. */
const engine = scriptedEdge({
  tooled: { limits: limitless, tools: { calculator: true, max_rounds: 2, max_calls: 3 } },
  receipted: { limits: limitless, receipts: "on", tools: { calculator: true } },
  hungry: { limits: limitless, tools: { http: [{ ...orderTool, headers: [] }], max_calls: 64 } },
});
const server = besideEngine(engine);

const six = ["calculator", { expression: "2*3" }] as const;
const order = ["get_order", { id: "7" }] as const;

test("calls over the rounds that are allowed are not made: the model is asked without tools, then not again", async () => {
  engine.rounds.push(calls(six));
  const response = await create(await bearer("tooled", "heidi"), {});
  expect(engine.asked.map(({ tools }) => tools !== undefined)).toEqual([true, true, false]);
  expect(response).toMatchObject({
    status: "completed",
    output: [{ output: "6" }, { output: "6" }, { status: "failed", output: null }],
    usage: { input_tokens: 30 },
  });
});

test("calls over max_tool_calls are refused, and the model is told", async () => {
  engine.rounds.push(calls(six, six), says("Enough."));
  const response = await create(await bearer("tooled", "ivan"), { max_tool_calls: 1 });
  expect(response.output).toMatchObject([{ output: "6" }, { status: "failed" }, { type: "message" }]);
  expect(engine.asked[1]?.["tools"]).toBeUndefined();
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

test("all rounds together say no more than max_output_tokens", async () => {
  const authorization = await bearer("tooled", "judy");
  const thinking = {
    deltas: [{ content: "Let" }, { content: " me." }, ...calls(six).deltas],
    finish: "tool_calls",
  };
  engine.rounds.push(thinking, says("It is 6."));
  const response = await create(authorization, { max_output_tokens: 5 });
  expect(response.status).toBe("completed");
  expect(engine.asked.map(({ max_tokens: most }) => most)).toEqual([5, 2]);
});

test("a response whose tokens are spent behind a round is incomplete, and its model is not asked again", async () => {
  const authorization = await bearer("tooled", "kim");
  engine.rounds.push(calls(six), says("never asked"));
  const response = await create(authorization, { max_output_tokens: 1 });
  expect(response).toMatchObject({
    status: "incomplete",
    incomplete_details: { reason: "max_output_tokens" },
    output: [{ type: "mcp_call", output: "6" }],
    usage: { output_tokens: 1 },
  });
  expect(engine.asked).toHaveLength(1);
  await expectBill(authorization, 1, 11);
});

test("a response whose model is cut off in a call leaves no trace of it, in its conversation neither", async () => {
  const authorization = await bearer("tooled", "leo");
  engine.rounds.push(
    { deltas: [{ content: "Let me." }, ...calls(six).deltas], finish: "length" },
    says("Hi."),
  );
  const cut = await create(authorization, { conversation: "sums" });
  expect(cut).toMatchObject({ status: "incomplete", output: [{ type: "message" }] });
  await create(authorization, { conversation: "sums", input: "Go on" });
  expect(engine.lastRead()).not.toContain("tool_calls");
});

test("what tools said that does not fit the model's window is read in part, and the response goes on", async () => {
  const authorization = await bearer("hungry", "bob");
  const page = "1 ".repeat(4000);
  server.answers.set("/v1/orders/7", () => new Response(page, { headers: { "content-type": "text/plain" } }));
  const sixteen = Array.from({ length: 16 }, () => order);
  engine.rounds.push(calls(...sixteen), says("Read."));
  const response = await create(authorization, { model: "llama-3.1-8b" });
  expect(response).toMatchObject({ status: "completed" });
  expect(response.output.filter(({ type }) => type === "mcp_call")).toHaveLength(16);
  const read = messagesBehind(engine).filter(({ role }) => role === "tool");
  expect(read).toHaveLength(16);
  expect(String(read[0]?.["content"])).toContain("[cut: 8000 characters in all]");
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

test("a response that no engine goes on with behind a round has failed, and is paid and receipted as far as it came", async () => {
  const authorization = await bearer("receipted", "bob");
  engine.rounds.push(calls(six), { deltas: [], finish: "stop", status: 400 });
  const events = await stream(authorization, {});
  const last = events.at(-1);
  expect(last).toMatchObject({
    name: "response.failed",
    data: {
      response: { status: "failed", usage: { input_tokens: 10, output_tokens: 1 } },
    },
  });
  expect(engine.asked).toHaveLength(2);
  await expectBill(authorization, 1, 11);
  const receipt = await fetched(
    authorization,
    String((last?.data.response as { id?: string } | undefined)?.id),
  );
  expect(receipt.status).toBe(200);
  const { receipt: signed } = (await receipt.json()) as { readonly receipt: string };
  expect(await verified(signed)).toMatchObject({
    status: "failed",
    usage: { prompt_tokens: 10, completion_tokens: 1 },
  });
});
