/** Responses that search a user's files (`file_search`), through the whole Worker: events, objects, chains, sockets' replay, kills. */
import { abortAllDurableObjects } from "cloudflare:test";
import { beforeEach, describe, expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { closed, readerRequests, readerWithFiles } from "./grounding-fixture.ts";
import { readEvents, terminalEvents } from "./response-events.ts";
import { openSocket } from "./test-socket.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { readUntil, wholeEvents } from "./read-until.ts";

const engine = scriptedEdge({ searches: { limits: limitless } });

beforeEach(() => {
  engine.tokens = ["Closed", " in May [", "1]", "."];
});

const input = "On which Monday of May is the office closed, please?";

function asking(storeId: string, more: object = {}): object {
  const tools = [{ type: "file_search", vector_store_ids: [storeId], max_num_results: 5 }];
  return { model: "auto", max_output_tokens: 50, input, tools, ...more };
}

interface Response {
  readonly id: string;
  readonly output: readonly Readonly<Record<string, unknown>>[];
}

test("a response has its search in front of the answer, and the answer its annotations", async () => {
  const { authorization, storeId, files } = await readerWithFiles("searches", "whole");
  const response = await post("/v1/responses", authorization, asking(storeId));
  const whole = await response.json<Response>();
  expect(response.headers.get("server-timing")).toMatch(/ground;dur=\d+;desc="found:2"/);
  expect(whole.output).toMatchObject([
    { type: "file_search_call", status: "completed", queries: [input], results: null },
    {
      type: "message",
      content: [
        {
          text: "Closed in May [1].",
          annotations: [{ type: "file_citation", index: 14, file_id: files[0], filename: "closed.md" }],
        },
      ],
    },
  ]);
  expect(whole).toMatchObject({ tools: [{ type: "file_search", vector_store_ids: [storeId] }] });
  expect(engine.lastRead()).toContain(closed);
  for (const field of ["tools", "tool_choice", "retrieval"])
    expect(engine.asked[0]).not.toHaveProperty(field);
  const stored = await send(`/v1/responses/${whole.id}`, { headers: { authorization } });
  expect(await stored.json()).toEqual(whole);
  await expectBill(authorization, readerRequests + 1, 10 + engine.tokens.length);
});

test("its events tell the search before the answer, replayed as they were told", async () => {
  const { authorization, storeId } = await readerWithFiles("searches", "streamed");
  const body = asking(storeId, { stream: true, include: ["file_search_call.results"] });
  const response = await post("/v1/responses", authorization, body);
  const told = await response.text();
  const events = readEvents(told);
  expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, at) => at));
  const names = events.map(({ name }) => name.replace("response.", ""));
  expect(names.slice(0, 8)).toEqual([
    "created",
    "in_progress",
    "output_item.added",
    "file_search_call.in_progress",
    "file_search_call.searching",
    "file_search_call.completed",
    "output_item.done",
    "output_item.added",
  ]);
  expect(names.filter((name) => name === "output_text.annotation.added")).toHaveLength(1);
  expect(events.at(-1)?.data.response?.output[0]).toMatchObject({
    results: [{ filename: "closed.md", text: closed }, { filename: "trains.md" }],
  });
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  const replayed = await send(`/v1/responses/${id}?stream=true`, { headers: { authorization } });
  expect(await replayed.text()).toBe(told);
});

test("what is sent back of it, and what goes on from it, is asked as if it had not been there", async () => {
  const { authorization, storeId } = await readerWithFiles("searches", "chain");
  const first = (await (await post("/v1/responses", authorization, asking(storeId))).json()) as Response;
  const again = [{ role: "user", content: input }, ...first.output, { role: "user", content: "Thanks." }];
  const sent = await post("/v1/responses", authorization, { model: "auto", input: again });
  expect(sent.status).toBe(200);
  const readBack = engine.lastRead();
  const { id } = await sent.json<Response>();
  const items = await send(`/v1/responses/${id}/input_items?order=asc`, { headers: { authorization } });
  expect(await items.json()).toMatchObject({ data: [{}, { type: "file_search_call" }, {}, {}] });
  for (const store of [true, false]) {
    const more = { model: "auto", input: "Thanks.", previous_response_id: first.id, store };
    const next = (await (await post("/v1/responses", authorization, more)).json()) as Response;
    expect(engine.lastRead()).toBe(readBack);
    const after = { model: "auto", input: "Bye.", previous_response_id: next.id, store };
    expect((await post("/v1/responses", authorization, after)).status).toBe(200);
    expect(engine.lastRead()).not.toContain("passage");
  }
});

test("a socket tells the same, and its next turn searches again", async () => {
  const { authorization, storeId } = await readerWithFiles("searches", "socket");
  const socket = await openSocket(authorization);
  for (const turn of [1, 2]) {
    socket.say({ type: "response.create", ...asking(storeId) });
    await socket.untilEvents("response.completed", turn);
  }
  const types = socket.events.map(({ type }) => type);
  expect(types.filter((type) => type === "response.file_search_call.completed")).toHaveLength(2);
  expect(types.filter((type) => type === "response.output_text.annotation.added")).toHaveLength(2);
  const last = socket.events.at(-1)?.response;
  const stored = await send(`/v1/responses/${last?.id}`, { headers: { authorization } });
  expect(await stored.json()).toEqual(last);
  socket.leave();
  await settled();
});

describe("whether it is searched", () => {
  const tool = { type: "function", name: "look", parameters: { type: "object" } };
  test.each([
    ["none", false, undefined],
    ["auto", true, "auto"],
    ["required", true, "auto"],
    [{ type: "file_search" }, true, "auto"],
    [{ type: "function", name: "look" }, false, { type: "function", function: { name: "look" } }],
    [{ type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "look" }] }, false, "auto"],
    [{ type: "allowed_tools", mode: "required", tools: [{ type: "file_search" }] }, true, "none"],
  ])("tool_choice %j", async (choice, searches, asked) => {
    const { authorization, storeId } = await readerWithFiles("searches", JSON.stringify(choice).slice(0, 90));
    const search = { type: "file_search", vector_store_ids: [storeId] };
    const body = asking(storeId, { tools: [tool, search], tool_choice: choice });
    const response = await post("/v1/responses", authorization, body);
    const { output } = await response.json<Response>();
    expect(output.some(({ type }) => type === "file_search_call")).toBe(searches);
    if (asked !== undefined) expect(engine.asked[0]).toMatchObject({ tool_choice: asked });
    expect(JSON.stringify(engine.asked[0]?.["tools"] ?? [])).not.toContain("file_search");
  });
});

test.each([
  [{ tools: [{ type: "file_search", vector_store_ids: [] }] }, 400, "tools[0].vector_store_ids"],
  [{ tools: [{ type: "file_search", vector_store_ids: ["vs_none"] }] }, 404, "tools[0].vector_store_ids[0]"],
  [{ tools: [{ type: "web_search" }] }, 400, "tools[0].type"],
  [
    {
      tools: [
        { type: "file_search", vector_store_ids: ["vs_1"] },
        { type: "file_search", vector_store_ids: ["vs_2"] },
      ],
    },
    400,
    "tools[1]",
  ],
  [{ tools: undefined, tool_choice: { type: "file_search" } }, 400, "tool_choice"],
])("%j is refused by its place", async (more, status, param) => {
  const authorization = await bearer("searches", "refused");
  const response = await post("/v1/responses", authorization, asking("vs_none", more));
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { param } });
  expect(engine.asked).toEqual([]);
});

test("a store that was deleted since refuses a response by its place, also one in the background, which fails", async () => {
  const { caller, authorization, storeId } = await readerWithFiles("searches", "deleted");
  await caller.ask("DELETE", `/v1/vector_stores/${storeId}`);
  const response = await post("/v1/responses", authorization, asking(storeId));
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { param: "tools[0].vector_store_ids[0]" } });
  const queued = await post("/v1/responses", authorization, asking(storeId, { background: true }));
  const { id } = await queued.json<Response>();
  await expect
    .poll(async () => {
      const polled = await send(`/v1/responses/${id}`, { headers: { authorization } });
      return (await polled.json<{ status: string }>()).status;
    })
    .toBe("failed");
  await expectBill(authorization, readerRequests, 0);
});

test.for([
  { k: 1, background: false },
  { k: 2, background: false },
  { k: 3, background: true },
])(
  "killed after word $k (background: $background) a response goes on with the same passages, numbered without a gap",
  async ({ k, background }) => {
    const { caller, authorization, storeId } = await readerWithFiles("searches", `killed ${k}`);
    engine.pause = { at: k, until: new Promise(() => undefined) };
    const body = asking(storeId, { stream: true, background, include: ["file_search_call.results"] });
    const response = await post("/v1/responses", authorization, body);
    const id = response.headers.get("x-edgewise-response-id") ?? "";
    const { seen, reader } = await readUntil(response, wholeEvents(/"delta":/g, k));
    await caller.ask("DELETE", `/v1/vector_stores/${storeId}`);
    await abortAllDurableObjects();
    engine.pause = null;
    await reader.read().catch(() => undefined);
    const resumed = await send(`/v1/responses/${id}?stream=true`, {
      headers: { authorization, "last-event-id": String(readEvents(seen).at(-1)?.id) },
    });
    const events = readEvents(seen + (await resumed.text()));
    expect(events.map((event) => event.id)).toEqual(events.map((_, at) => at));
    expect(events.map((event) => event.data.sequence_number)).toEqual(events.map((_, at) => at));
    expect(events.filter((event) => terminalEvents.includes(event.name))).toHaveLength(1);
    expect(events.filter(({ name }) => name === "response.output_text.annotation.added")).toHaveLength(1);
    expect(events.at(-1)?.data.response?.output).toMatchObject([
      { type: "file_search_call", status: "completed", results: [{ text: closed }, {}] },
      {
        status: "completed",
        content: [{ text: "Closed in May [1].", annotations: [{ filename: "closed.md", index: 14 }] }],
      },
    ]);
    expect(engine.asked).toHaveLength(2);
    await expectBill(authorization, readerRequests + 1, 10 + engine.tokens.length);
  },
);
