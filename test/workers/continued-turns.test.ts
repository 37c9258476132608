/**
 * An answer outlives its engine inside workerd: direct and durable turns through the whole Worker, and the relay over native
 * streams, whose pending reads only a cancel or an abort answers.
 */
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { AnswerPass } from "../../src/shared/stream/answer-pass.ts";
import type { Resumption } from "../../src/shared/stream/resumption.ts";
import { relayInto, relayStream } from "../../src/shared/stream/relay.ts";
import { Seam } from "../../src/shared/stream/seam.ts";
import { Transcript } from "../../src/shared/stream/transcript.ts";
import { bearer, putTenant, send } from "./edge-under-test.ts";
import { expectBill } from "./scripted-edge.ts";
import { readStream } from "./scripted-engine.ts";

const words = ["One", " two,", " \u{1F9EA}", "\n\n", "three", " four", "."];
const whole = words.join("");
const promptTokens = 10;

/** Breaks each answer after so many words, as often as that is in the list; then it says all. */
const breaks: number[] = [];
const asked: Record<string, unknown>[] = [];

const chunk = (delta: object, finish: string | null, completion: number, prompt: number) =>
  `data: ${JSON.stringify({
    id: "engine",
    object: "chat.completion.chunk",
    created: 1_760_000_000,
    model: "m",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion },
  })}\n\n`;

async function engine(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const { pathname } = new URL(new Request(input).url);
  if (pathname === "/health") return new Response(null);
  if (pathname === "/metrics") return new Response("vllm:num_requests_running 0\n");
  if (typeof init?.body !== "string") throw new Error(`nothing was sent to ${pathname}`);
  const body = JSON.parse(init.body) as { messages: { role: string; content: string }[] };
  asked.push(body);
  const last = body.messages.at(-1);
  const said = last?.role === "assistant" ? last.content : "";
  // As Llama's template and a deterministic model have it: on from the last visible word.
  let rest = words.slice();
  for (let length = 0; length < said.length; length += rest.shift()?.length ?? 1);
  const prompt = promptTokens + words.length - rest.length;
  const at = breaks.shift() ?? rest.length;
  const events = [
    chunk({ role: "assistant", content: "" }, null, 0, prompt),
    ...rest.slice(0, at).map((content, index) => chunk({ content }, null, index + 1, prompt)),
    ...(at < rest.length ? [] : [chunk({}, "stop", rest.length, prompt), "data: [DONE]\n\n"]),
  ];
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const next = events.shift();
        if (next !== undefined) controller.enqueue(new TextEncoder().encode(next));
        else if (at < rest.length) controller.error(new TypeError("connection lost"));
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}

beforeAll(async () => {
  vi.spyOn(globalThis, "fetch").mockImplementation(engine);
  vi.spyOn(console, "log").mockImplementation(() => undefined);
  await putTenant("continued", {});
});
beforeEach(() => {
  breaks.length = 0;
  asked.length = 0;
});
afterAll(() => void vi.restoreAllMocks());

const question = {
  model: "auto",
  max_tokens: 50,
  temperature: 0,
  messages: [{ role: "user", content: "Hi" }],
};

function ask(authorization: string, headers: Record<string, string>, body: object): Promise<Response> {
  return send("/v1/chat/completions", {
    method: "POST",
    headers: { authorization, "content-type": "application/json", "cache-control": "no-store", ...headers },
    body: JSON.stringify({ ...question, ...body }),
  });
}

const kinds = [
  ["direct", {}],
  ["durable", { "idempotency-key": "k" }],
] as const;

test.for(kinds)(
  "a %s stream is whole, and billed once, wherever its engines break",
  async ([name, headers]) => {
    for (let first = 1; first < words.length - 1; first += 1) {
      breaks.push(first, 1);
      asked.length = 0;
      const authorization = await bearer("continued", `${name}-${first}`);
      const response = await ask(authorization, headers, { stream: true });
      expect(readStream(await response.text())).toEqual({ content: whole, finish: "stop", done: true });
      expect(asked).toHaveLength(3);
      expect(asked[1]).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
      await expectBill(authorization, 1, promptTokens + words.length);
    }
  },
);

test.for(kinds)("a %s answer that is waited for is whole", async ([name, headers]) => {
  breaks.push(2);
  const authorization = await bearer("continued", `waits-${name}`);
  // Long enough that the engine is asked to stream.
  const response = await ask(authorization, headers, { max_tokens: 4000 });
  expect(await response.json()).toMatchObject({
    choices: [{ message: { content: whole }, finish_reason: "stop" }],
    usage: { prompt_tokens: promptTokens, completion_tokens: words.length },
  });
  expect(asked).toHaveLength(2);
});

test("a response of the Responses API goes on, too", async () => {
  breaks.push(2, 2);
  const authorization = await bearer("continued", "responses");
  const response = await send("/v1/responses", {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ model: "auto", input: "Hi", temperature: 0, stream: true }),
  });
  const events = (await response.text())
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line) => JSON.parse(line.slice("data: ".length)) as { type: string; delta?: string });
  expect(events.map(({ type, delta }) => (type === "response.output_text.delta" ? delta : "")).join("")).toBe(
    whole,
  );
  expect(events.filter(({ type }) => type === "response.output_item.added")).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({
    type: "response.completed",
    response: { usage: { input_tokens: promptTokens, output_tokens: words.length } },
  });
  expect(asked).toHaveLength(3);
});

test("a durable turn whose engines all break ends with one error event and keeps what was said", async () => {
  breaks.push(1, 1, 1, 1);
  const authorization = await bearer("continued", "broken");
  const response = await ask(authorization, { "idempotency-key": "k" }, { stream: true });
  const text = await response.text();
  expect(readStream(text)).toMatchObject({ finish: null, done: false });
  expect(text.match(/"error"/g)).toHaveLength(1);
  expect(asked).toHaveLength(4);
});

const fronts = [
  ["pulled", relayStream],
  [
    "into a pipe",
    (...given: Parameters<typeof relayStream>) => relayInto(new IdentityTransformStream(), ...given),
  ],
] as const;

test.for(fronts)(
  "a native stream that fell silent is left for another, though its read was pending: %s",
  async ([, front]) => {
    const silent = new IdentityTransformStream();
    const writer = silent.writable.getWriter();
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    const transcript = new Transcript();
    const other = new IdentityTransformStream();
    const found: Resumption = {
      kind: "source",
      cut: { prefix: "One", ahead: "", keptTokens: 1 },
      seam: new Seam({ prefix: "One", ahead: "", stops: [], includeStop: false }),
      firstChunk: encode(chunk({ content: " two," }, null, 1, 12)),
      body: other.readable,
    };
    const pass = new AnswerPass({
      engineApi: "chat",
      format: "openai-chat",
      id: "chatcmpl-native",
      model: "m",
      createdMs: 0,
      choices: 1,
      includeUsage: false,
      promptTokens,
      continuer: { transcript, keptTokens: () => null, goOn: () => Promise.resolve(found) },
    });
    const body = front(silent.readable, pass, {
      keepAliveMs: Number.POSITIVE_INFINITY,
      gatherMs: 0,
      firstTokenTimeoutMs: 60_000,
      gapTimeoutMs: 20,
      deadlineMs: 60_000,
      onEnd: () => undefined,
    });
    const reading = new Response(body).text();
    await writer.write(encode(chunk({ content: "One" }, null, 1, promptTokens)));
    // Nothing more is ever written to it.
    const rest = other.writable.getWriter();
    await rest.write(encode(chunk({}, "stop", 1, 12)));
    await rest.close();
    expect(readStream(await reading)).toMatchObject({ content: "One two,", finish: "stop", done: true });
    await expect(writer.write(encode("late"))).rejects.toThrow();
  },
);
