import { beforeEach, describe, expect, test } from "vitest";
import { bearer, post, send, settled } from "./edge-under-test.ts";
import { scriptedEdge } from "./scripted-edge.ts";
import { readEvents, terminalEvents } from "./response-events.ts";
import { openSocket } from "./test-socket.ts";

/**
 * The bar of resuming: a client drops at every event of an answer, while it is being written, and once more behind it. What
 * it had and what it gets when it comes back are, byte for byte, what a client that never dropped gets.
 */
const engine = scriptedEdge({
  grid: { journal: { interval_ms: 50 } },
});

const text = (...pieces: string[]) => pieces.map((content) => ({ content }));
const call = (index: number, more: object) => ({ tool_calls: [{ index, ...more }] });
const tools = [{ type: "function", name: "look", parameters: { type: "object", properties: {} } }];

const scripts = [
  { name: "text", deltas: text("Hello", " there", ", how", " are", " you?"), finish: "stop" },
  {
    name: "tools",
    deltas: [
      { reasoning: "Let me" },
      { reasoning: " see." },
      { content: "Looking." },
      call(0, { id: "call_a", type: "function", function: { name: "look", arguments: '{"at":' } }),
      call(0, { function: { arguments: '"sky"}' } }),
      call(1, { id: "call_b", type: "function", function: { name: "look", arguments: '{"at":"sea"}' } }),
    ],
    finish: "tool_calls",
  },
  { name: "error at the end", deltas: text("Half", " an", " ans"), finish: null },
  { name: "long", deltas: text(...Array.from({ length: 40 }, (_, at) => ` word${at}`)), finish: "stop" },
  {
    name: "unicode",
    deltas: text(
      "Grüße",
      " 👩‍👩‍👧‍👦",
      " \u2028\u2029\u0000\n\r\n",
      ' "\\"',
      " 漢字",
      " \ud83d",
      "\ude00",
      " مرحبا",
      "data: x\n\n",
    ),
    finish: "stop",
  },
] as const;

const question = { model: "auto", max_output_tokens: 500, input: "Hi", tools };

/** Events that come before the first of the answer's own. */
const before = 2;

/** How many events there are, known from a run that nobody interrupts. */
async function countOf(authorization: string): Promise<number> {
  const whole = await post("/v1/responses", authorization, { ...question, stream: true });
  return readEvents(await whole.text()).length;
}

/** The engine stops where a client that is to have `k` events has them, so that it drops in the middle of the writing. */
function gateFor(k: number, deltas: number): () => void {
  const gate = Promise.withResolvers<void>();
  const at = Math.max(0, k - before);
  engine.pause = at >= deltas ? null : { at, until: gate.promise };
  return () => gate.resolve();
}

/** Whole events, as bytes. */
const blocksOf = (sse: string): string[] =>
  sse
    .split("\n\n")
    .filter((block) => block.includes("data: "))
    .map((block) => `${block}\n\n`);

async function replay(authorization: string, id: string, after: number): Promise<string> {
  // Without an event seen, there is nothing to begin behind.
  const position = after < 0 ? "" : `&starting_after=${after}`;
  const response = await send(`/v1/responses/${id}?stream=true${position}`, {
    headers: { authorization },
  });
  expect(response.status).toBe(200);
  return blocksOf(await response.text()).join("");
}

async function readBlocks(response: Response, count: number): Promise<string[]> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let seen = "";
  while (blocksOf(seen.slice(0, seen.lastIndexOf("\n\n") + 2)).length < count) {
    const read = await reader?.read();
    if (read === undefined || read.done) break;
    seen += decoder.decode(read.value, { stream: true });
  }
  await reader?.cancel();
  return blocksOf(seen.slice(0, seen.lastIndexOf("\n\n") + 2)).slice(0, count);
}

function expectWhole(whole: string, count: number): void {
  const events = readEvents(whole);
  expect(events).toHaveLength(count);
  expect(events.map((event) => event.id)).toEqual(events.map((_, at) => at));
  expect(events.map((event) => event.data.sequence_number)).toEqual(events.map((_, at) => at));
  expect(events.filter((event) => terminalEvents.includes(event.name))).toHaveLength(1);
  expect(terminalEvents).toContain(events.at(-1)?.name);
}

describe.each(scripts)("$name", { timeout: 120_000 }, ({ name, deltas, finish }) => {
  beforeEach(() => {
    engine.script = { deltas, finish };
  });

  test("server-sent events, dropped at every one", async () => {
    const authorization = await bearer("grid", `sse-${name}`, { tier: "enterprise" });
    const count = await countOf(authorization);
    for (let k = 0; k <= count; k += 1) {
      const open = gateFor(k, deltas.length);
      const response = await post("/v1/responses", authorization, { ...question, stream: true });
      const id = response.headers.get("x-edgewise-response-id") ?? "";
      const seen = (await readBlocks(response, k)).join("");
      open();
      const rest = await replay(authorization, id, k - 1);
      const whole = await replay(authorization, id, -1);
      expectWhole(whole, count);
      expect(seen + rest).toBe(whole);
      // And once more, behind the end: there is nothing, and it ends.
      expect(await replay(authorization, id, count - 1)).toBe("");
    }
    await settled();
  });

  test("a socket, dropped at every event", async () => {
    const authorization = await bearer("grid", `socket-${name}`, { tier: "enterprise" });
    const count = await countOf(authorization);
    let resumed = await openSocket(authorization);
    for (let k = 0; k <= count; k += 1) {
      if (k % 8 === 0) {
        // A socket resumes so often and no more.
        resumed.leave();
        resumed = await openSocket(authorization);
      }
      const open = gateFor(k, deltas.length);
      const socket = await openSocket(authorization);
      socket.say({ type: "response.create", ...question });
      // Its id is in the first event: who has not seen it can't come back, and asks again.
      await socket.until(({ texts }) => texts.length >= Math.max(1, k));
      socket.leave();
      const seen = socket.texts.slice(0, Math.max(1, k));
      const id = socket.events[0]?.response?.id ?? "";
      open();
      const from = resumed.texts.length;
      const resume = { type: "response.resume", response_id: id };
      resumed.say({ ...resume, starting_after: seen.length - 1 });
      resumed.say({ ...resume, starting_after: count - 1 });
      resumed.say(resume);
      await resumed.until(({ texts }) => texts.length >= from + (count - seen.length) + count);
      const rest = resumed.texts.slice(from, from + count - seen.length);
      const whole = resumed.texts.slice(from + count - seen.length);
      expect([...seen, ...rest]).toEqual(whole);
      const overSse = readEvents(await replay(authorization, id, -1));
      expect(whole.map((one) => JSON.parse(one) as unknown)).toEqual(overSse.map(({ data }) => data));
    }
    resumed.leave();
    await settled();
  });
});
