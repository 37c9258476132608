/** Is every event and object of the Responses API one of OpenAI's own description? */
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { echoOf } from "../../src/shared/responses/response-object.ts";
import { withReceipt } from "../../src/shared/receipts/attach-receipt.ts";
import { inEventsResponse, ResponseWriter } from "../../src/shared/responses/response-writer.ts";
import { AnswerPass } from "../../src/shared/stream/answer-pass.ts";
import { completionStream, goodStreams } from "../../src/shared/stream/fixtures/engine-streams.ts";
import { journalEvents } from "../../src/shared/turn/durable/gathered.ts";
import { pageOfList } from "../../src/shared/responses/page-of-list.ts";
import { responseSchemas } from "../../src/shared/wire/responses-routes.ts";
import { takenResponse } from "../../src/shared/wire/responses-request-fixture.ts";
import { itemId } from "../../src/shared/responses/item.ts";
import { hasOpenAiSchema, openAiComplaints } from "./openai-schema.ts";

const full = {
  model: "auto",
  instructions: "Be brief.",
  input: [
    { role: "developer", content: "d" },
    {
      role: "user",
      content: [
        { type: "input_text", text: "u" },
        { type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=" },
      ],
    },
    { type: "reasoning", id: "rs_1", summary: [], content: [{ type: "reasoning_text", text: "hm" }] },
    { type: "function_call", call_id: "c", name: "look", arguments: "{}" },
    { type: "function_call_output", call_id: "c", output: "seen" },
    { type: "file_search_call", id: "fs_1", status: "completed", queries: ["q"], results: null },
    // As it came, with what is ours.
    { type: "file_search_call", id: "fs_2", status: "completed", queries: [], lacking: ["vectors"] },
    { role: "assistant", content: "a" },
    { role: "user", content: "u" },
  ],
  tools: [
    { type: "function", name: "look", description: "Looks.", parameters: { type: "object" }, strict: true },
  ],
  tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "look" }] },
  text: { format: { type: "json_schema", name: "n", schema: { type: "object" } }, verbosity: "low" },
  reasoning: { effort: "low", summary: "auto" },
  include: ["message.output_text.logprobs"],
  top_logprobs: 2,
  metadata: { a: "b" },
  temperature: 0.5,
  top_p: 0.5,
  max_output_tokens: 9,
  truncation: "auto",
  user: "u",
  store: true,
};
const plain = { model: "auto", input: "Hi" };

function writerOf(body: object, background: boolean): ResponseWriter {
  return new ResponseWriter({
    identity: { id: "resp_1", createdAt: 1_700_000_000, echo: echoOf(takenResponse(body)) },
    objectName: "o",
    model: "auto",
    background,
    guarded: false,
    isJson: false,
    now: () => 1_700_000_001_000,
  });
}

function eventsOf(
  stream: string,
  engineApi: "chat" | "completions",
  body: object,
  background: boolean,
): unknown[] {
  const writer = writerOf(body, background);
  const pass = new AnswerPass({
    engineApi,
    format: "none",
    encoder: writer,
    id: "resp_1",
    model: "m",
    createdMs: 1_700_000_000_000,
    choices: 1,
    includeUsage: false,
    promptTokens: 3,
  });
  writer.usage = () => ({ usage: pass.totals().usage, price: { input: 1, output: 2 } });
  const begun = (background ? writer.queued() : "") + writer.started();
  const rest = new TextDecoder().decode(pass.push(new TextEncoder().encode(stream)));
  return journalEvents(begun + rest).map(({ data }) => JSON.parse(data) as unknown);
}

const cases = [
  ...Object.entries(goodStreams)
    .filter(([name]) => name !== "twoChoices")
    .map(([name, stream]) => ({ name, stream, engineApi: "chat" as const })),
  { name: "completions", stream: completionStream, engineApi: "completions" as const },
];

const complaintsOf = (event: unknown): readonly string[] => {
  const { type, response } = event as { readonly type: string; readonly response?: unknown };
  return [
    ...openAiComplaints(schemaOf(type), event),
    ...(response === undefined
      ? []
      : [...openAiComplaints("Response", response), ...ownComplaints(response)]),
  ];
};

/** The same by what our own description says, from which others make their clients. */
function ownComplaints(response: unknown): readonly string[] {
  const read = responseSchemas.Response.safeParse(response);
  return read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

/** By name, since "some event of all" would tell nothing where one is wrong. */
function schemaOf(type: string): string {
  const words = type.replace(/output_text(?!\.annotation)/, "text").split(/[._]/);
  const named = words.map((word) => (word === "mcp" ? "MCP" : word.charAt(0).toUpperCase() + word.slice(1)));
  return `${named.join("")}Event`;
}

describe.skipIf(!hasOpenAiSchema).each(cases)("the stream $name", ({ stream, engineApi }) => {
  test.each([
    ["a plain request", plain, false],
    ["every field", full, false],
    ["a background request", plain, true],
  ])("gives events and objects as OpenAI describes them, to %s", (_, body, background) => {
    const events = eventsOf(stream, engineApi, body, background);
    expect(events.length).toBeGreaterThan(5);
    expect(events.flatMap(complaintsOf)).toEqual([]);
  });
});

test.skipIf(!hasOpenAiSchema)("failed and cancelled responses are as OpenAI describes them", () => {
  const failing = writerOf(full, false);
  const failed =
    failing.started() + failing.content(0, '"Half"') + failing.failed("server_error", "It broke.");
  const cancelling = writerOf(full, true);
  const cancelled = cancelling.queued() + cancelling.cancelled();
  const events = journalEvents(failed + cancelled).map(({ data }) => JSON.parse(data) as unknown);
  expect(events.flatMap(complaintsOf)).toEqual([]);
});

const searching = {
  ...full,
  tools: [
    ...full.tools,
    {
      type: "file_search",
      vector_store_ids: ["vs_1"],
      max_num_results: 4,
      filters: { type: "and", filters: [{ type: "eq", key: "year", value: 2026 }] },
      ranking_options: { ranker: "auto", score_threshold: 0.1 },
    },
  ],
  include: ["file_search_call.results"],
};

describe.skipIf(!hasOpenAiSchema).each([null, "late"] as const)("a search of files (fault: %s)", (fault) => {
  test("gives events and objects as OpenAI describes them, with citations", () => {
    const writer = writerOf(searching, false);
    const passage = { fileId: "file-1", filename: "a.md", attributes: { year: 2026 }, ordinal: 0 };
    const found = { ...passage, text: "The sky is blue.", start: 0, end: 16, score: 0.7 };
    const text =
      writer.started() +
      writer.searched({ queries: ["sky"], passages: [found], fault }) +
      writer.content(0, '"Blue [1]."') +
      writer.finish(0, "stop") +
      writer.end(undefined, "stop");
    const events = journalEvents(text).map(({ data }) => JSON.parse(data) as unknown);
    expect(events.flatMap(complaintsOf)).toEqual([]);
    expect(text).toContain('"type":"file_citation","index":5');
  });
});

test("the official client's stream helper takes a search of files and its citations", async () => {
  const writer = writerOf(searching, false);
  const passage = { fileId: "file-1", filename: "a.md", attributes: {}, ordinal: 0, start: 0, end: 16 };
  const found = { ...passage, text: "The sky is blue.", score: 0.7 };
  const text =
    writer.started() +
    writer.searched({ queries: ["sky"], passages: [found], fault: null }) +
    writer.content(0, '"Blue "') +
    writer.content(0, '"[1]"') +
    writer.finish(0, "stop") +
    writer.end(undefined, "stop");
  const client = new OpenAI({
    apiKey: "none",
    baseURL: "http://127.0.0.1/v1",
    fetch: () => Promise.resolve(new Response(text, { headers: { "content-type": "text/event-stream" } })),
  });
  const response = await client.responses.stream({ model: "auto", input: "Hi" }).finalResponse();
  expect(response.output_text).toBe("Blue [1]");
  expect(response.output).toMatchObject([
    { type: "file_search_call", status: "completed", queries: ["sky"] },
    { content: [{ annotations: [{ type: "file_citation", file_id: "file-1", index: 5 }] }] },
  ]);
});

test("the official client's stream helper takes a response with a usage receipt, and hands it on", async () => {
  const writer = writerOf(plain, false);
  const text =
    writer.started() + writer.content(0, '"Half"') + writer.finish(0, "stop") + writer.end(undefined, "stop");
  const told = journalEvents(text);
  const sealed = told.map(({ name, data }, at) => {
    const last = at === told.length - 1;
    return `event: ${name}\ndata: ${last ? inEventsResponse(data, (json) => withReceipt(json, "a.b.c")) : data}\n\n`;
  });
  const client = new OpenAI({
    apiKey: "none",
    baseURL: "http://127.0.0.1/v1",
    fetch: () =>
      Promise.resolve(new Response(sealed.join(""), { headers: { "content-type": "text/event-stream" } })),
  });
  const response = await client.responses.stream({ model: "auto", input: "Hi" }).finalResponse();
  expect(response).toMatchObject({ output_text: "Half", edgewise: { receipt: "a.b.c" } });
});

test.skipIf(!hasOpenAiSchema)("a terminal event with a usage receipt is as OpenAI describes it", () => {
  const writer = writerOf(full, false);
  const told = journalEvents(writer.started() + writer.content(0, '"Half"') + writer.end(undefined, "stop"));
  const sealed = inEventsResponse(told.at(-1)?.data ?? "", (json) => withReceipt(json, "a.b.c"));
  const event = JSON.parse(sealed) as { readonly response: { readonly edgewise?: object } };
  expect(event.response.edgewise).toEqual({ receipt: "a.b.c" });
  expect(complaintsOf(event)).toEqual([]);
});

test.skipIf(!hasOpenAiSchema)("input items are listed as OpenAI describes them", () => {
  const items = takenResponse(full).input.map((item, at) => ({
    id: itemId(item.type, "o", "i", at),
    ...item,
  }));
  const page = pageOfList(items, { after: null, limit: 20, order: "asc" });
  const list = { object: "list", data: page?.data, has_more: false, first_id: "a", last_id: "b" };
  expect(openAiComplaints("ResponseItemList", list)).toEqual([]);
});

test.skipIf(!hasOpenAiSchema)(
  "calls that the server makes itself, and what is cited of a search, are as OpenAI describes them",
  () => {
    const searching = { ...plain, tools: [{ type: "web_search", search_context_size: "low" }] };
    const writer = writerOf(searching, false);
    let said = writer.started();
    const computed = writer.openServerCall({
      type: "mcp_call",
      name: "calculator",
      arguments: '{"expression":"1"}',
    });
    const refused = writer.openServerCall({ type: "mcp_call", name: "refund", arguments: "{" });
    const searched = writer.openServerCall({
      type: "web_search_call",
      name: "web_search",
      arguments: '{"query":"q"}',
    });
    said += computed.said + refused.said + searched.said;
    said += writer.closeServerCall(computed.id, { status: "completed", output: "1", error: null });
    said += writer.closeServerCall(refused.id, { status: "failed", output: null, error: "No." });
    writer.sources = [{ url: "https://a.example/", title: "A" }];
    said += writer.closeServerCall(searched.id, { status: "completed", output: "[1] A", error: null });
    said += writer.content(0, '"So [1]."') + writer.finish(0, "stop") + writer.end(undefined, "stop");
    const events = journalEvents(said).map(({ data }) => JSON.parse(data) as unknown);
    expect(events.flatMap(complaintsOf)).toEqual([]);
    expect(JSON.parse(writer.final ?? "null")).toMatchObject({
      output: [
        { type: "mcp_call" },
        { type: "mcp_call", error: { type: "mcp_tool_execution_error" } },
        { type: "web_search_call" },
        { content: [{ annotations: [{ type: "url_citation", start_index: 3, end_index: 6 }] }] },
      ],
    });
    // Whoever goes on from the journal says the same.
    const again = writerOf(searching, false);
    again.sources = [{ url: "https://a.example/", title: "A" }];
    for (const { data } of journalEvents(said)) again.restore(data);
    again.end(undefined, "stop");
    expect(JSON.parse(again.final ?? "null")).toMatchObject({
      output: (JSON.parse(writer.final ?? "null") as { readonly output: object[] }).output,
    });
  },
);
