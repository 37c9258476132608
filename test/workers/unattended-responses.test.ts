/** Responses whose client does not stay to their end: made in the background, stopped, or gone on with after a crash. */
import { abortAllDurableObjects } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { eventually } from "./eventually.ts";
import { readEvents, terminalEvents } from "./response-events.ts";
import { create, get, question } from "./responses-fixture.ts";
import { expectBill, scriptedEdge } from "./scripted-edge.ts";
import { readUntil } from "./read-until.ts";

const engine = scriptedEdge({
  responding: { default_system_prompt: "Be kind." },
  masking: { safety: { output: { action: "mask" } } },
  uncontinued: { requests: { continue_answers: false } },
});

test("a background response is queued at once, runs, and is polled to its end", async () => {
  const authorization = await bearer("responding", "background");
  const gate = Promise.withResolvers<void>();
  engine.pause = { at: 1, until: gate.promise };
  const queued = await create(authorization, { background: true });
  expect(queued).toMatchObject({ status: "queued", output: [], background: true });
  await eventually(() => expect(engine.asked).toHaveLength(1));
  expect(await get(authorization, queued.id)).toMatchObject({ body: { status: "in_progress", output: [] } });
  gate.resolve();
  await eventually(async () =>
    expect(await get(authorization, queued.id)).toMatchObject({
      body: { status: "completed", output: [{ content: [{ text: "Hello there" }] }] },
    }),
  );
  const replay = await send(`/v1/responses/${queued.id}?stream=true`, { headers: { authorization } });
  expect(
    readEvents(await replay.text())
      .slice(0, 3)
      .map((event) => event.name),
  ).toEqual(["response.created", "response.queued", "response.in_progress"]);
  await expectBill(authorization, 1, 12);
});

test("a background response that is refused fails, and says why", async () => {
  const authorization = await bearer("responding", "background-refused");
  const queued = await create(authorization, { background: true, model: "none-such" });
  await eventually(async () =>
    expect(await get(authorization, queued.id)).toMatchObject({
      body: { status: "failed", error: { code: "invalid_prompt" }, output: [] },
    }),
  );
  await settled();
});

test("cancelling stops the engine; what was said stands, and the stream ends once", async () => {
  const authorization = await bearer("responding", "cancel");
  const gate = Promise.withResolvers<void>();
  engine.tokens = ["One", " two", " three"];
  engine.pause = { at: 2, until: gate.promise };
  const streaming = await post("/v1/responses", authorization, { ...question, stream: true });
  const id = streaming.headers.get("x-edgewise-response-id") ?? "";
  const cancel = () => send(`/v1/responses/${id}/cancel`, { method: "POST", headers: { authorization } });
  const cancelled = await (await cancel()).json();
  expect(cancelled).toMatchObject({
    id,
    status: "cancelled",
    output: [{ status: "incomplete", content: [{ text: "One two" }] }],
  });
  expect(await (await cancel()).json()).toEqual(cancelled);
  const events = readEvents(await streaming.text());
  expect(events.filter((event) => terminalEvents.includes(event.name))).toHaveLength(1);
  expect(events.at(-1)?.data.response).toEqual(cancelled);
  expect(events.map((event) => event.id)).toEqual(events.map((_, at) => at));
  gate.resolve();
  await eventually(() => expect(engine.cancelled).toBe(1));
  await expectBill(authorization, 1, 12);
});

test("the log of one that is cancelled says what it is charged, also where the guard still held back what the engine had said", async () => {
  const authorization = await bearer("masking", "cancel");
  const lines: string[] = [];
  const log = vi.spyOn(console, "log");
  log.mockImplementation((text: unknown) => void lines.push(...String(text).split("\n")));
  const gate = Promise.withResolvers<void>();
  // Held back: it may become an address.
  engine.tokens = ["ann", "@exam", "ple", ".org"];
  engine.pause = { at: 3, until: gate.promise };
  const streaming = await post("/v1/responses", authorization, { ...question, stream: true });
  const id = streaming.headers.get("x-edgewise-response-id") ?? "";
  const { reader } = await readUntil(streaming, (seen) => seen.includes("response.in_progress"));
  const cancelled = await send(`/v1/responses/${id}/cancel`, { method: "POST", headers: { authorization } });
  expect(await cancelled.json()).toMatchObject({ status: "cancelled" });
  gate.resolve();
  await eventually(() => expect(lines.join("\n")).toContain('"endpoint":"generation"'));
  log.mockRestore();
  const line = lines.find((one) => one.includes('"endpoint":"generation"')) ?? "{}";
  const { promptTokens, completionTokens } = JSON.parse(line) as Record<string, number>;
  await reader.cancel();
  await expectBill(authorization, 1, (promptTokens ?? 0) + (completionTokens ?? 0));
});

test("after a crash, where nobody may go on, every reader sees the same failed response, numbered without a gap", async () => {
  const authorization = await bearer("uncontinued", "crash");
  engine.tokens = ["One", " two", " three"];
  engine.pause = { at: 2, until: new Promise(() => undefined) };
  const streaming = await post("/v1/responses", authorization, { ...question, stream: true });
  const id = streaming.headers.get("x-edgewise-response-id") ?? "";
  const { seen } = await readUntil(streaming, (text) => text.includes(" two"));
  await abortAllDurableObjects();
  const replay = await (await send(`/v1/responses/${id}?stream=true`, { headers: { authorization } })).text();
  expect(replay.startsWith(seen)).toBe(true);
  const events = readEvents(replay);
  expect(events.map((event) => event.data.sequence_number)).toEqual(events.map((_, at) => at));
  expect(events.at(-1)).toMatchObject({
    name: "response.failed",
    data: { response: { output: [{ content: [{ text: "One two" }] }] } },
  });
  await expectBill(authorization, 1, 12);
});
