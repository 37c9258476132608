/** A response that may search files and the web: one row of numbers, both kinds of annotations, wherever it is looked at. */
import { abortAllDurableObjects } from "cloudflare:test";
import { expect, test } from "vitest";
import { post, send, settled } from "./edge-under-test.ts";
import { closed, readerWithFiles } from "./grounding-fixture.ts";
import { readEvents } from "./response-events.ts";
import { limitless, scriptedEdge } from "./scripted-edge.ts";
import { openSocket } from "./test-socket.ts";
import { besideEngine, calls, says, toolOrigin } from "./tool-server.ts";
import { readUntil, wholeEvents } from "./read-until.ts";
import { eventually } from "./eventually.ts";

const tenant = "both-searches";
const engine = scriptedEdge({
  [tenant]: {
    limits: limitless,
    tools: { web_search: { url: `${toolOrigin}/search?q={query}`, results: "found" } },
  },
});
const server = besideEngine(engine);
const search = calls(["web_search", { query: "holidays in May" }]);
const words = ["Closed in May [1],", " and so are others [3, 4]", ". `[2]` says no more [9]."];
const text = words.join("");
const input = "On which Monday of May is the office closed, and who else is?";

function found(): void {
  server.answers.set("/search", () =>
    Response.json({
      found: [
        { url: "https://a.example/1", title: "First", description: "Shops are closed." },
        { url: "https://b.example/2", title: "Second", description: "Schools are closed." },
      ],
    }),
  );
}

const web = (url: string, title: string) => ({
  type: "url_citation",
  start_index: text.indexOf("[3"),
  end_index: text.indexOf("[3") + 6,
  url,
  title,
});
const annotations = (fileId: string | undefined) => [
  { type: "file_citation", index: text.indexOf("[1]"), file_id: fileId, filename: "closed.md" },
  web("https://a.example/1", "First"),
  web("https://b.example/2", "Second"),
];

const toolsOf = (storeId: string) => [
  { type: "file_search", vector_store_ids: [storeId] },
  { type: "web_search" },
];

interface Whole {
  readonly id: string;
  readonly output: readonly { readonly type: string; readonly content?: readonly object[] }[];
}

const messageOf = ({ output }: Whole) => output.find(({ type }) => type === "message")?.content?.[0];

test("what the web says is numbered behind the files, and each is cited in its own form, whole and kept", async () => {
  const { authorization, storeId, files } = await readerWithFiles(tenant, "whole");
  engine.rounds.push(search, says(...words));
  found();
  const body = { model: "auto", input, tools: toolsOf(storeId), conversation: "both" };
  const whole = await (await post("/v1/responses", authorization, body)).json<Whole>();
  expect(engine.lastRead()).toContain(closed);
  expect(engine.lastRead()).toContain("such as [3].");
  expect(engine.lastRead()).toContain("[3] First (https://a.example/1)");
  expect(engine.lastRead()).toContain("[4] Second");
  expect(whole.output.map(({ type }) => type)).toEqual(["file_search_call", "web_search_call", "message"]);
  expect(messageOf(whole)).toMatchObject({ text, annotations: annotations(files[0]) });
  const stored = await send(`/v1/responses/${whole.id}`, { headers: { authorization } });
  expect(await stored.json()).toEqual(whole);
  await settled();
  // It comes into its conversation behind its end.
  await eventually(async () => {
    const items = await send("/v1/conversations/both/items?order=desc&limit=1", {
      headers: { authorization },
    });
    expect(await items.json()).toMatchObject({
      data: [{ role: "assistant", content: [{ text, annotations: annotations(files[0]) }] }],
    });
  });
});

test("the stream tells each annotation behind the words that complete it, and so do its replay and a socket", async () => {
  const { authorization, storeId, files } = await readerWithFiles(tenant, "streamed");
  engine.rounds.push(search, says(...words));
  found();
  const body = { model: "auto", input, tools: toolsOf(storeId), stream: true };
  const response = await post("/v1/responses", authorization, body);
  const told = await response.text();
  const events = readEvents(told);
  const named = events.map(({ name }) => name);
  const first = named.indexOf("response.output_text.delta");
  expect(named.slice(first, first + 6).map((name) => name.slice("response.output_text.".length))).toEqual([
    "delta",
    "annotation.added",
    "delta",
    "annotation.added",
    "annotation.added",
    "delta",
  ]);
  const added = events.filter(({ name }) => name === "response.output_text.annotation.added");
  expect(added.map(({ data }) => data)).toMatchObject(
    annotations(files[0]).map((annotation, at) => ({ annotation_index: at, annotation, output_index: 2 })),
  );
  const last = events.at(-1)?.data.response as unknown as Whole;
  expect(messageOf(last)).toMatchObject({ annotations: annotations(files[0]) });
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  const replayed = await send(`/v1/responses/${id}?stream=true`, { headers: { authorization } });
  expect(await replayed.text()).toBe(told);

  engine.rounds.splice(0, engine.rounds.length, search, says(...words));
  const socket = await openSocket(authorization);
  socket.say({ type: "response.create", model: "auto", input, tools: toolsOf(storeId) });
  await socket.untilEvents("response.completed");
  const ended = socket.events.at(-1)?.response as unknown as Whole;
  expect(messageOf(ended)).toMatchObject({ annotations: annotations(files[0]) });
  socket.leave();
  await settled();
});

test.for([1, 2])(
  "killed after word %i of the last round it goes on with the same numbers, though the files are gone",
  async (k) => {
    const { caller, authorization, storeId, files } = await readerWithFiles(tenant, `killed ${k}`);
    found();
    engine.rounds.push(search, {
      ...says(...words),
      pause: { at: k, until: new Promise(() => undefined) },
    });
    const body = { model: "auto", input, tools: toolsOf(storeId), stream: true, conversation: `k${k}` };
    const response = await post("/v1/responses", authorization, body);
    const id = response.headers.get("x-edgewise-response-id") ?? "";
    const { reader } = await readUntil(response, wholeEvents(/event: response.output_text.delta/g, k));
    await caller.ask("DELETE", `/v1/vector_stores/${storeId}`);
    await abortAllDurableObjects();
    await reader.read().catch(() => undefined);
    engine.rounds.length = 0;
    engine.tokens = words;
    const resumed = await send(`/v1/responses/${id}?stream=true`, { headers: { authorization } });
    const events = readEvents(await resumed.text());
    expect(server.asked).toHaveLength(1);
    expect(engine.lastRead()).toContain("[3] First");
    const last = events.at(-1)?.data.response as unknown as Whole;
    expect(messageOf(last)).toMatchObject({ text, annotations: annotations(files[0]) });
    const added = events.filter(({ name }) => name === "response.output_text.annotation.added");
    expect(added).toHaveLength(3);
    await settled();
    // It comes into its conversation behind its end.
    await eventually(async () => {
      const items = await send(`/v1/conversations/k${k}/items?order=desc&limit=1`, {
        headers: { authorization },
      });
      expect(await items.json()).toMatchObject({
        data: [{ content: [{ text, annotations: annotations(files[0]) }] }],
      });
    });
  },
);

test("cancelled behind a search, its conversation keeps what the search said, and what was cited", async () => {
  const { authorization, storeId, files } = await readerWithFiles(tenant, "cancelled");
  found();
  engine.rounds.push(search, { ...says(...words), pause: { at: 2, until: new Promise(() => undefined) } });
  const body = { model: "auto", input, tools: toolsOf(storeId), stream: true, conversation: "stopped" };
  const response = await post("/v1/responses", authorization, body);
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  const { reader } = await readUntil(response, (seen) => seen.includes("so are others"));
  await post(`/v1/responses/${id}/cancel`, authorization, {});
  await reader.cancel();
  await settled();
  // It comes into its conversation behind its end.
  await eventually(async () => {
    const listed = await send("/v1/conversations/stopped/items?order=asc", { headers: { authorization } });
    const { data } = await listed.json<{ readonly data: readonly object[] }>();
    expect(data.find((item) => "output" in item)).toMatchObject({
      output: expect.stringContaining("[3] First") as string,
    });
    expect(data.at(-1)).toMatchObject({ content: [{ annotations: annotations(files[0]) }] });
  });
});
