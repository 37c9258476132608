/** Usage receipts of the Responses API: in the response object, wherever it is told. */
import { expect, it } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { fetched, verified } from "./receipt-reading.ts";
import { readEvents } from "./response-events.ts";
import { openSocket } from "./test-socket.ts";

const engine = scriptedEdge({
  receipted: { receipts: "on" },
  unreceipted: {},
});

interface Carrier {
  readonly id: string;
  readonly status: string;
  readonly edgewise?: { readonly receipt: string };
}

const question = { model: "auto", max_output_tokens: 50, input: "Hi" };

async function retrieved(authorization: string, id: string): Promise<Carrier> {
  return (await send(`/v1/responses/${id}`, { headers: { authorization } })).json();
}

/** The one in the last event; no event before it has one. */
function told(text: string): Carrier {
  const responses = readEvents(text).map(({ data }) => data.response as Carrier | undefined);
  expect(responses.slice(0, -1).every((response) => response?.edgewise === undefined)).toBe(true);
  const last = responses.at(-1);
  if (last === undefined) throw new Error("the last event holds no response");
  return last;
}

it("is in the last event's response, in the one that is kept, and fetched by its id: the same bytes", async () => {
  const authorization = await bearer("receipted", "streaming");
  const response = await post("/v1/responses", authorization, { ...question, stream: true });
  const last = told(await response.text());
  await settled();
  const claims = await verified(last.edgewise?.receipt ?? "");
  expect(claims).toMatchObject({
    jti: last.id,
    status: "completed",
    attempts: 1,
    usage: { prompt_tokens: 10, completion_tokens: 2 },
  });
  expect(await (await fetched(authorization, last.id)).json()).toMatchObject({
    receipt: last.edgewise?.receipt,
  });
  expect(await retrieved(authorization, last.id)).toEqual(last);
  const replayed = await send(`/v1/responses/${last.id}?stream=true`, { headers: { authorization } });
  expect(told(await replayed.text())).toEqual(last);
  const items = await send(`/v1/responses/${last.id}/input_items`, { headers: { authorization } });
  expect(await items.json()).toMatchObject({ data: [{ type: "message", role: "user" }] });
});

it("is in an answer that does not stream, and in the next one's, which goes on from it", async () => {
  const authorization = await bearer("receipted", "whole");
  const first: Carrier = await (await post("/v1/responses", authorization, question)).json();
  const more = { ...question, input: "And?", previous_response_id: first.id };
  const second: Carrier = await (await post("/v1/responses", authorization, more)).json();
  for (const { id, edgewise } of [first, second])
    expect((await verified(edgewise?.receipt ?? "")).jti).toBe(id);
  expect(await retrieved(authorization, second.id)).toEqual(second);
  expect(engine.lastRead()).toContain("Hello there");
  await settled();
});

it.each([
  ["incomplete", { deltas: [{ content: "Hel" }], finish: "length" }],
  ["failed", { deltas: [{ content: "Hel" }], finish: null }],
] as const)("is in the last event of a response that ends %s", async (status, script) => {
  const authorization = await bearer("receipted", status);
  engine.script = script;
  const response = await post("/v1/responses", authorization, { ...question, stream: true });
  const last = told(await response.text());
  expect(last.status).toBe(status);
  expect(await verified(last.edgewise?.receipt ?? "")).toMatchObject({ jti: last.id, status });
  expect(await retrieved(authorization, last.id)).toEqual(last);
  await settled();
});

it("is in the last event on a socket", async () => {
  const socket = await openSocket(await bearer("receipted", "socket"));
  socket.say({ type: "response.create", ...question });
  await socket.untilEvents("response.completed");
  const last: Carrier | undefined = socket.events.at(-1)?.response;
  expect((await verified(last?.edgewise?.receipt ?? "")).jti).toBe(last?.id);
  socket.leave();
  await settled();
});

it("is not there where the tenant wants none", async () => {
  const authorization = await bearer("unreceipted", "nobody");
  const response = await post("/v1/responses", authorization, { ...question, stream: true });
  expect(await response.text()).not.toContain("edgewise");
  await settled();
});
