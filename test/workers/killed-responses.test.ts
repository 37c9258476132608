import { abortAllDurableObjects } from "cloudflare:test";
import { beforeEach, expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { expectBill, limitless, scriptedEdge } from "./scripted-edge.ts";
import { readEvents, terminalEvents } from "./response-events.ts";
import { readUntil, wholeEvents } from "./read-until.ts";

/** Responses whose object is killed in mid-answer: they go on as chat turns do, numbered as if nothing had happened. */
const engine = scriptedEdge({ "killed-responses": { limits: limitless } });
const words = ["One", " two,", " three", " – vier", " 五", " six", "."];
const whole = words.join("");

beforeEach(() => {
  engine.tokens = words;
});

const question = { model: "auto", max_output_tokens: 50, stream: true, input: "Count" };

test.for([
  ...Array.from({ length: words.length }, (_, at) => ({ k: at + 1, background: false })),
  { k: 3, background: true },
])(
  "killed after word $k (background: $background) a response goes on: numbered without a gap, one end, one bill",
  async ({ k, background }) => {
    const authorization = await bearer("killed-responses", `after-${k}-${background}`);
    engine.pause = { at: k, until: new Promise(() => undefined) };
    const response = await post("/v1/responses", authorization, { ...question, background });
    const id = response.headers.get("x-edgewise-response-id") ?? "";
    const { seen, reader } = await readUntil(response, wholeEvents(/"delta":/g, k));
    await abortAllDurableObjects();
    engine.pause = null;
    await reader.read().catch(() => undefined);
    const resumed = await send(`/v1/responses/${id}?stream=true`, {
      headers: { authorization, "last-event-id": String(readEvents(seen).at(-1)?.id) },
    });
    const all = seen + (await resumed.text());
    const events = readEvents(all);
    expect(events.map((event) => event.id)).toEqual(events.map((_, at) => at));
    expect(events.map((event) => event.data.sequence_number)).toEqual(events.map((_, at) => at));
    expect(events.filter((event) => terminalEvents.includes(event.name))).toHaveLength(1);
    expect(events.filter((event) => event.name === "response.output_item.added")).toHaveLength(1);
    expect(events.map((event) => event.data.delta ?? "").join("")).toBe(whole);
    const last = events.at(-1)?.data.response;
    expect(last).toMatchObject({
      status: "completed",
      output: [{ status: "completed", content: [{ text: whole }] }],
      usage: { output_tokens: words.length },
    });
    const stored = await send(`/v1/responses/${id}`, { headers: { authorization } });
    expect(await stored.json()).toEqual(last);
    expect(engine.asked).toHaveLength(2);
    expect(engine.asked[1]).toMatchObject({ continue_final_message: true, max_tokens: 50 - k });
    await expectBill(authorization, 1, 10 + words.length);
  },
);

test.for([
  ["stop", "completed"],
  ["length", "incomplete"],
] as const)("killed behind its finish reason (%s) a response only gets its end", async ([finish, status]) => {
  const authorization = await bearer("killed-responses", `finished-${finish}`);
  engine.script = { deltas: words.map((content) => ({ content })), finish };
  engine.pause = { at: words.length + 1, until: new Promise(() => undefined) };
  const response = await post("/v1/responses", authorization, question);
  const id = response.headers.get("x-edgewise-response-id") ?? "";
  const { seen, reader } = await readUntil(response, (text) => text.includes("response.output_item.done"));
  await abortAllDurableObjects();
  await reader.read().catch(() => undefined);
  const resumed = await send(`/v1/responses/${id}?stream=true`, { headers: { authorization } });
  const all = await resumed.text();
  expect(all.startsWith(seen)).toBe(true);
  const events = readEvents(all);
  expect(events.map((event) => event.id)).toEqual(events.map((_, at) => at));
  expect(events.at(-1)).toMatchObject({
    name: `response.${status}`,
    data: { response: { status, output: [{ status, content: [{ text: whole }] }] } },
  });
  expect(engine.asked).toHaveLength(1);
  engine.script = null;
  await settled();
});
