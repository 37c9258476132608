import { abortAllDurableObjects } from "cloudflare:test";
import { expect, test } from "vitest";
import { bearer, post, send } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { readEvents, terminalEvents } from "./response-events.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { besideEngine, calls, orderTool, refundTool, says } from "./tool-server.ts";
import { readUntil } from "./read-until.ts";

/** Responses with tools of the server's own whose object is killed: they go on, and no call that ended is made again. */
const engine = scriptedEdge({
  "killed-tools": {
    limits: limitless,
    tools: { calculator: true, http: [{ ...orderTool, headers: [] }, refundTool] },
  },
  "killed-shielded": {
    limits: limitless,
    safety: { output: { kinds: { email: "mask" } } },
    tools: { http: [{ ...orderTool, headers: [] }] },
  },
});
const server = besideEngine(engine);

const question = { model: "auto", max_output_tokens: 50, stream: true, input: "Go" };

interface Killed {
  readonly id: string;
  readonly seen: string;
}

/** Reads until `until` holds of what was seen, and kills every object. */
async function killedWhen(
  authorization: string,
  until: (seen: string) => boolean | Promise<boolean>,
  body: object = {},
): Promise<Killed> {
  const response = await post("/v1/responses", authorization, { ...question, ...body });
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  const { seen, reader } = await readUntil(response, (text) => text.endsWith("\n\n") && until(text));
  await abortAllDurableObjects();
  engine.pause = null;
  await reader.read().catch(() => undefined);
  return { id, seen };
}

async function rest(authorization: string, { id, seen }: Killed) {
  const resumed = await send(`/v1/responses/${id}?stream=true`, {
    headers: { authorization, "last-event-id": String(readEvents(seen).at(-1)?.id) },
  });
  const events = readEvents(seen + (await resumed.text()));
  expect(events.map((event) => event.id)).toEqual(events.map((_, at) => at));
  expect(events.map((event) => event.data.sequence_number)).toEqual(events.map((_, at) => at));
  expect(events.filter((event) => terminalEvents.includes(event.name))).toHaveLength(1);
  const last = events.at(-1)?.data.response;
  const stored = await send(`/v1/responses/${id}`, { headers: { authorization } });
  expect(await stored.json()).toEqual(last);
  return { events, last };
}

function said(seen: string): readonly string[] {
  return seen.match(/^event: response\.output_text\.delta$/gm) ?? [];
}

const never = new Promise<never>(() => undefined);

test("killed while a call runs that may be repeated, the call is made again, once, and the response goes on", async () => {
  const authorization = await bearer("killed-tools", "repeatable");
  engine.rounds.push(calls(["get_order", { id: "7" }]), says("Sent."));
  server.answers.set("/v1/orders/7", () => never);
  const killed = await killedWhen(
    authorization,
    (seen) => seen.includes("response.mcp_call_arguments.done") && server.asked.length === 1,
  );
  server.answers.set("/v1/orders/7", () => Response.json({ state: "sent" }));
  const { last, events } = await rest(authorization, killed);
  expect(server.asked).toHaveLength(2);
  expect(events.filter(({ name }) => name === "response.mcp_call.in_progress")).toHaveLength(1);
  expect(last).toMatchObject({
    status: "completed",
    output: [
      { type: "mcp_call", status: "completed", name: "get_order", output: '{"state":"sent"}' },
      { type: "message", content: [{ text: "Sent." }] },
    ],
    usage: { input_tokens: 20, output_tokens: 2 },
  });
  await expectBill(authorization, 1, 22);
});

test("killed while a call runs that may not, it is not made again: the model is told that its outcome is lost", async () => {
  const authorization = await bearer("killed-tools", "once");
  engine.rounds.push(calls(["refund", { order: "7" }]), says("I don't know."));
  server.answers.set("/refunds", () => never);
  const killed = await killedWhen(
    authorization,
    (seen) => seen.includes("response.mcp_call_arguments.done") && server.asked.length === 1,
  );
  server.answers.set("/refunds", () => Response.json({ paid: true }));
  const { last } = await rest(authorization, killed);
  expect(server.asked).toHaveLength(1);
  expect(last?.output).toMatchObject([
    { type: "mcp_call", status: "failed", output: null },
    { type: "message", content: [{ text: "I don't know." }] },
  ]);
  expect(engine.lastRead()).toContain("may have taken effect");
  await expectBill(authorization, 1, 22);
});

test("killed behind a call of whose result its client sees less, the model is told all of it again", async () => {
  const authorization = await bearer("killed-shielded", "alice");
  const words = ["It ", "was ", "sent ", "to ", "her."];
  engine.rounds.push(calls(["get_order", { id: "7" }]), {
    ...says(...words),
    pause: { at: 3, until: never },
  });
  server.answers.set("/v1/orders/7", () => Response.json({ mail: "ann@example.com" }));
  const killed = await killedWhen(authorization, (seen) => said(seen).length > 0);
  engine.rounds.length = 0;
  engine.tokens = words;
  const { last } = await rest(authorization, killed);
  expect(server.asked).toHaveLength(1);
  expect(engine.lastRead()).toContain("ann@example.com");
  expect(last).toMatchObject({
    status: "completed",
    output: [{ output: '{"mail":"[e-mail address]"}' }, { content: [{ text: words.join("") }] }],
  });
});

test("killed behind one call that ended and one that did not, only the second is made again", async () => {
  const authorization = await bearer("killed-tools", "half");
  engine.rounds.push(calls(["refund", { order: "7" }], ["get_order", { id: "8" }]), says("Done."));
  server.answers.set("/refunds", () => Response.json({ paid: true }));
  server.answers.set("/v1/orders/8", () => never);
  const killed = await killedWhen(
    authorization,
    (seen) => seen.includes("response.mcp_call.completed") && server.asked.length === 2,
  );
  server.answers.set("/v1/orders/8", () => Response.json({ state: "back" }));
  const { last } = await rest(authorization, killed);
  expect(server.asked.map(({ method }) => method)).toEqual(["POST", "GET", "GET"]);
  expect(last).toMatchObject({
    status: "completed",
    output: [
      { name: "refund", status: "completed", output: '{"paid":true}' },
      { name: "get_order", status: "completed", output: '{"state":"back"}' },
      { type: "message", content: [{ text: "Done." }] },
    ],
    usage: { input_tokens: 20, output_tokens: 2 },
  });
  await expectBill(authorization, 1, 22);
});

test.for([1, 2, 3])(
  "killed after word %s of the answer behind a call, it goes on where it was",
  async (k) => {
    const authorization = await bearer("killed-tools", `words-${k}`);
    const words = ["One", " two,", " three", " four."];
    const hanging = { ...says(...words), pause: { at: k, until: never } };
    engine.rounds.push(calls(["calculator", { expression: "1+1" }]), hanging);
    const killed = await killedWhen(authorization, (seen) => said(seen).length >= k);
    expect(said(killed.seen)).toHaveLength(k);
    engine.tokens = words;
    engine.rounds.length = 0;
    const { last } = await rest(authorization, killed);
    expect(last).toMatchObject({
      status: "completed",
      output: [
        { name: "calculator", output: "2" },
        { type: "message", content: [{ text: words.join("") }] },
      ],
      usage: { input_tokens: 20, output_tokens: 1 + words.length },
    });
    expect(engine.asked).toHaveLength(3);
    expect(engine.asked[2]).toMatchObject({ continue_final_message: true });
    await expectBill(authorization, 1, 21 + words.length);
  },
);

test("killed while a call of ours runs beside one of the client's, the response ends with both", async () => {
  const authorization = await bearer("killed-tools", "mixed");
  engine.rounds.push(calls(["get_order", { id: "7" }], ["lamp", { on: true }]), says("never asked"));
  server.answers.set("/v1/orders/7", () => never);
  const tools = [{ type: "function", name: "lamp", parameters: { type: "object" } }];
  const killed = await killedWhen(
    authorization,
    (seen) => seen.includes("response.mcp_call_arguments.done") && server.asked.length === 1,
    { tools, conversation: "lamps" },
  );
  server.answers.set("/v1/orders/7", () => Response.json({ state: "sent" }));
  const { last } = await rest(authorization, killed);
  expect(last).toMatchObject({
    status: "completed",
    output: [
      { type: "function_call", name: "lamp", status: "completed" },
      { type: "mcp_call", name: "get_order", output: '{"state":"sent"}' },
    ],
    usage: { input_tokens: 10, output_tokens: 1 },
  });
  expect(engine.asked).toHaveLength(1);
  await expectBill(authorization, 1, 11);
  // It comes into its conversation behind its end.
  await eventually(async () => {
    const items = await send("/v1/conversations/lamps/items?order=asc", { headers: { authorization } });
    expect(await items.json()).toMatchObject({
      data: [
        { type: "message", role: "user" },
        { type: "function_call", name: "lamp" },
        { type: "function_call", name: "get_order" },
        { type: "function_call_output", output: '{"state":"sent"}' },
      ],
    });
  });
});

test("cancelled while a call runs, the response ends at once, and its call with it", async () => {
  const authorization = await bearer("killed-tools", "cancelled");
  engine.rounds.push(calls(["get_order", { id: "7" }]), says("Sent."));
  server.answers.set("/v1/orders/7", () => never);
  const response = await post("/v1/responses", authorization, { ...question, background: true });
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  await eventually(async () => expect(server.asked).toHaveLength(1));
  const cancelled = await send(`/v1/responses/${id}/cancel`, { method: "POST", headers: { authorization } });
  expect(await cancelled.json()).toMatchObject({
    status: "cancelled",
    output: [{ type: "mcp_call", status: "incomplete", name: "get_order" }],
  });
  await response.body?.cancel();
  await expectBill(authorization, 1, 11);
});
