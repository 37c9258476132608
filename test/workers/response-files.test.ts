/** Files inside a request for a response, through the whole Worker: what is read, gone on from, counted, shown, and what is refused. */
import { expect, test } from "vitest";
import { report, reportUrl, writtenReport } from "./attached-files-fixture.ts";
import { bearer, post, send } from "./edge-under-test.ts";
import { callerOf } from "./knowledge-fixture.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { openSocket } from "./test-socket.ts";

const engine = scriptedEdge({
  reading: { limits: limitless },
  "reading-masks": { limits: limitless, safety: { input: { action: "mask" } } },
});

const asked = { type: "input_text", text: "When is the bridge closed?" };
const sent = { type: "input_file", filename: "report.pdf", file_data: reportUrl };

function responseOf(file: object, more: object = {}): object {
  return { model: "auto", input: [{ role: "user", content: [asked, file] }], ...more };
}

interface Made {
  readonly id: string;
  readonly status: string;
  readonly error?: { readonly param: string; readonly code: string; readonly message: string };
}

async function respond(authorization: string, body: object): Promise<Made> {
  return (await post("/v1/responses", authorization, body)).json();
}

async function inputOf(authorization: string, id: string): Promise<{ id: string; content: object[] }[]> {
  const listed = await send(`/v1/responses/${id}/input_items?order=asc`, { headers: { authorization } });
  return (await listed.json<{ data: { id: string; content: object[] }[] }>()).data;
}

/** As the engine was given it. */
const written = JSON.stringify(writtenReport).slice(1, -1);

test("a response reads its file, shows what was sent, and is gone on from with it", async () => {
  const authorization = await bearer("reading", "chain");
  const first = await respond(authorization, responseOf(sent));
  expect(first.status).toBe("completed");
  expect(engine.lastRead()).toContain(written);
  const [item] = await inputOf(authorization, first.id);
  expect(item?.content).toEqual([
    asked,
    { type: "input_file", filename: "report.pdf", file_data: reportUrl },
  ]);
  const second = await respond(authorization, {
    model: "auto",
    input: "And whom do I write to?",
    previous_response_id: first.id,
  });
  expect(second.status).toBe("completed");
  expect(engine.lastRead()).toContain(written);
  expect(engine.lastRead()).not.toContain("base64");
  await expectBill(authorization, 2, 2 * (10 + engine.tokens.length));
});

test("responses that are not kept go on with their file as well, and what was sent can be sent back", async () => {
  const authorization = await bearer("reading", "unkept");
  const first = await respond(authorization, responseOf(sent, { store: false }));
  const next = { model: "auto", input: "And?", previous_response_id: first.id, store: false };
  expect((await respond(authorization, next)).status).toBe("completed");
  expect(engine.lastRead()).toContain(written);
  const kept = await respond(authorization, responseOf(sent));
  const input = await inputOf(authorization, kept.id);
  expect((await respond(authorization, { model: "auto", input })).status).toBe("completed");
  expect(engine.lastRead()).toContain(written);
});

test("an uploaded file is read by its id; its item can be named when the file is deleted", async () => {
  const caller = await callerOf("reading", "by-id");
  const authorization = await bearer("reading", "by-id");
  const fileId = await caller.upload("report.pdf", report, { purpose: "user_data" });
  const first = await respond(authorization, responseOf({ type: "input_file", file_id: fileId }));
  expect(first.status).toBe("completed");
  const [item] = await inputOf(authorization, first.id);
  expect(item?.content).toEqual([asked, { type: "input_file", filename: "report.pdf", file_id: fileId }]);
  await caller.ask("DELETE", `/v1/files/${fileId}`);
  const named = {
    model: "auto",
    input: [
      { type: "item_reference", id: item?.id },
      { role: "user", content: "And?" },
    ],
  };
  const second = await respond(authorization, named);
  expect(second.status).toBe("completed");
  expect(engine.lastRead()).toContain(written);
  const again = await inputOf(authorization, second.id);
  expect(again[0]?.content).toEqual(item?.content);
});

test("in a conversation the file is kept, and shown without its text", async () => {
  const authorization = await bearer("reading", "conversation");
  const { id: conversation } = await (
    await post("/v1/conversations", authorization, {})
  ).json<{ id: string }>();
  await respond(authorization, responseOf(sent, { conversation }));
  await respond(authorization, { model: "auto", input: "And?", conversation });
  expect(engine.lastRead()).toContain(written);
  const items = await send(`/v1/conversations/${conversation}/items?order=asc`, {
    headers: { authorization },
  });
  const { data } = await items.json<{ data: { content: object[] }[] }>();
  expect(data[0]?.content).toEqual([asked, { type: "input_file", filename: "report.pdf" }]);
});

test("a conversation begins with a file, and one is added to it: the model reads both, and a bad one is named", async () => {
  const authorization = await bearer("reading", "items");
  const saying = (file: object) => ({ items: [{ type: "message", role: "user", content: [asked, file] }] });
  const made = await post("/v1/conversations", authorization, saying(sent));
  const { id } = await made.json<{ id: string }>();
  const path = `/v1/conversations/${id}/items`;
  const note = { type: "input_file", filename: "note.txt", file_data: btoa("And in June as well.") };
  const added = await post(path, authorization, saying(note));
  expect([added.status, await added.json()]).toMatchObject([
    200,
    { data: [{ content: [asked, { type: "input_file", filename: "note.txt" }] }] },
  ]);
  await respond(authorization, { model: "auto", input: "And?", conversation: id });
  expect(engine.lastRead()).toContain(written);
  expect(engine.lastRead()).toContain("And in June as well.");
  const refused = await post(path, authorization, saying({ ...sent, file_data: "%%%" }));
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { error: { code: "invalid_value", param: "items[0].content[1].file_data" } },
  ]);
});

test("what is masked in a file is masked in what is kept, and the bytes that say it are not kept", async () => {
  const authorization = await bearer("reading-masks", "m");
  const first = await respond(authorization, responseOf(sent));
  expect(engine.lastRead()).toContain("The bridge is closed in May.");
  const [item] = await inputOf(authorization, first.id);
  expect(item?.content).toEqual([asked, { type: "input_file", filename: "report.pdf" }]);
  await respond(authorization, { model: "auto", input: "And?", previous_response_id: first.id });
  expect(engine.lastRead()).toContain("The bridge is closed in May.");
  expect(engine.lastRead()).not.toContain("ann@example.com");
});

test("input_tokens counts a file as the response would", async () => {
  const authorization = await bearer("reading", "counted");
  const counted = async (body: object) =>
    (await (await post("/v1/responses/input_tokens", authorization, body)).json<{ input_tokens: number }>())
      .input_tokens;
  engine.countsOf = (prompt) => (prompt.includes(written) ? 200 : 10);
  expect(await counted(responseOf(sent))).toBe(200);
  expect(await counted({ model: "auto", input: [{ role: "user", content: [asked] }] })).toBe(10);
  await expectBill(authorization, 2, 0);
});

test("a file comes over a socket as well", async () => {
  const socket = await openSocket(await bearer("reading", "socket"));
  socket.say({ type: "response.create", ...responseOf(sent) });
  await socket.untilEvents("response.completed");
  expect(engine.lastRead()).toContain(written);
  socket.leave();
});

const place = "input[0].content[1]";

test.each([
  ["no base64", { ...sent, file_data: "%%%" }, "invalid_value", `${place}.file_data`, "base64"],
  [
    "a damaged document",
    { ...sent, file_data: `data:application/pdf;base64,${btoa("%PDF-1.7\nno")}` },
    "invalid_value",
    `${place}.file_data`,
    "damaged",
  ],
  ["no file at all", { type: "input_file" }, "invalid_value", `${place}.file_data`, "required"],
  ["two files in one", { ...sent, file_id: "file-1" }, "invalid_value", `${place}.file_id`, "beside"],
  [
    "an address",
    { type: "input_file", file_url: "https://x.example/a.pdf" },
    "unsupported_parameter",
    `${place}.file_url`,
    "nothing is fetched",
  ],
  [
    "an unknown file",
    { type: "input_file", file_id: "file-nothing" },
    "not_found",
    `${place}.file_id`,
    "no object",
  ],
  [
    "a text of the client's own",
    { ...sent, texts: ["mine"] },
    "unknown_parameter",
    `${place}.texts`,
    "texts",
  ],
])("%s is refused by its place and its reason", async (_, file, code, param, words) => {
  const { error } = await respond(await bearer("reading", "refused"), responseOf(file));
  expect([error?.code, error?.param]).toEqual([code, param]);
  expect(error?.message).toContain(words);
  expect(engine.asked).toHaveLength(0);
});

test("files come in messages of the user alone, and so many", async () => {
  const authorization = await bearer("reading", "many");
  const system = {
    model: "auto",
    input: [
      { role: "system", content: [sent] },
      { role: "user", content: "Hi" },
    ],
  };
  expect((await respond(authorization, system)).error).toMatchObject({ param: "input[0].content[0].type" });
  const small = { type: "input_file", filename: "a.txt", file_data: btoa("a") };
  const many = { model: "auto", input: [{ role: "user", content: Array.from({ length: 33 }, () => small) }] };
  expect((await respond(authorization, many)).error).toMatchObject({ param: "input[0].content" });
});
