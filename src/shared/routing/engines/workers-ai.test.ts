import * as fc from "fast-check";
import { expect, test } from "vitest";
import { StopCutter } from "./stop-cutter.ts";
import type { WorkersAiInput } from "./workers-ai-input.ts";
import { workersAiTransport } from "./workers-ai-transport.ts";

const base = "https://workers-ai.invalid";
const model = "@cf/meta/llama-3.1-8b-instruct-fp8";

interface Run {
  readonly model: string;
  readonly input: WorkersAiInput;
  readonly signal: AbortSignal | undefined;
}

function mount(output: unknown) {
  const runs: Run[] = [];
  let ids = 0;
  const transport = workersAiTransport({
    ai: {
      run(name, input, { signal }) {
        runs.push({ model: name, input, signal });
        return output instanceof Error ? Promise.reject(output) : Promise.resolve(output);
      },
    },
    now: () => 1_790_000_000_000,
    newId: () => `id-${(ids += 1)}`,
  });
  const chat = (body: object, path = "/v1/chat/completions", init: RequestInit = {}) =>
    transport(base + path, {
      method: "POST",
      body: JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }], ...body }),
      ...init,
    });
  return { runs, chat };
}

/** As the binding streams them: bytes that need not end where an event does. */
function streamOf(text: string, size = 7): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, (at += size)));
    },
  });
}

async function chunksOf(response: Response): Promise<unknown[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((event) => event !== "")
    .map((event) => (event === "data: [DONE]" ? "[DONE]" : (JSON.parse(event.slice(6)) as unknown)));
}

const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };

test("a chat goes in by the binding's own fields, and comes out as OpenAI's answer", async () => {
  const { runs, chat } = mount({ response: "Hello", usage });
  const signal = new AbortController().signal;
  const response = await chat(
    {
      max_tokens: 10,
      temperature: 0,
      top_k: -1,
      stream: false,
      user: "u",
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
    },
    undefined,
    { signal },
  );
  expect(runs).toEqual([
    {
      model,
      input: { messages: [{ role: "user", content: "Hi" }], max_tokens: 10, temperature: 0, stream: false },
      signal,
    },
  ]);
  expect(await response.json()).toEqual({
    id: "id-1",
    object: "chat.completion",
    created: 1_790_000_000,
    model,
    choices: [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
    usage,
  });
});

test("its stream comes out as OpenAI's chunks, with a finish_reason, usage and [DONE], wherever the bytes are cut", async () => {
  const native =
    'data: {"response":"Grüß","p":"abc"}\n\ndata: {"response":" dich","p":"a"}\n\n' +
    `data: {"response":"","usage":${JSON.stringify(usage)}}\n\ndata: [DONE]\n\n`;
  for (const size of [1, 7, 1000]) {
    const { runs, chat } = mount(streamOf(native, size));
    const response = await chat({ stream: true });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(runs[0]?.input).toMatchObject({ stream: true });
    expect(await chunksOf(response)).toMatchObject([
      { object: "chat.completion.chunk", choices: [{ delta: { content: "Grüß" }, finish_reason: null }] },
      { choices: [{ delta: { content: " dich" } }] },
      { choices: [{ delta: {}, finish_reason: "stop" }] },
      { choices: [], usage },
      "[DONE]",
    ]);
  }
});

test("a newer model's stream, OpenAI's already, passes as it is", async () => {
  const events =
    'data: {"id":"x","choices":[{"index":0,"delta":{"content":"A"},"finish_reason":null}]}\n\n' +
    'data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
  const { chat } = mount(streamOf(events));
  expect(await (await chat({ stream: true })).text()).toBe(events);
});

test("a stream that ends without [DONE] gets no finish_reason: it broke", async () => {
  const { chat } = mount(streamOf('data: {"response":"half"}\n\n'));
  expect(await chunksOf(await chat({ stream: true }))).toMatchObject([
    { choices: [{ delta: { content: "half" }, finish_reason: null }] },
  ]);
});

test("an answer as long as it may be was cut", async () => {
  const { chat } = mount({ response: "a b", usage });
  expect(await (await chat({ max_tokens: 2 })).json()).toMatchObject({
    choices: [{ finish_reason: "length" }],
  });
});

test("tool calls come out as OpenAI's, from both of its forms", async () => {
  const tools = [{ type: "function", function: { name: "add" } }];
  const legacy = mount({ response: null, tool_calls: [{ name: "add", arguments: { a: 1 } }] });
  expect(await (await legacy.chat({ tools })).json()).toMatchObject({
    choices: [
      {
        finish_reason: "tool_calls",
        message: { tool_calls: [{ type: "function", function: { name: "add", arguments: '{"a":1}' } }] },
      },
    ],
  });
  expect(legacy.runs[0]?.input).toMatchObject({ tools });
  const streamed = mount(
    streamOf('data: {"response":"","tool_calls":[{"name":"add","arguments":{"a":1}}]}\n\ndata: [DONE]\n\n'),
  );
  expect(await chunksOf(await streamed.chat({ tools, stream: true }))).toMatchObject([
    { choices: [{ delta: { tool_calls: [{ index: 0, function: { name: "add", arguments: '{"a":1}' } }] } }] },
    { choices: [{ finish_reason: "tool_calls" }] },
    "[DONE]",
  ]);
});

test("a stop sequence, which the binding does not know, ends the stream here, and the run with it", async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: {"response":"ab"}\n\n')),
    cancel: () => void (cancelled = true),
  });
  const { chat } = mount(endless);
  const chunks = await chunksOf(await chat({ stream: true, stop: "bab" }));
  expect(chunks).toMatchObject([
    { choices: [{ delta: { content: "a" } }] },
    { choices: [{ finish_reason: "stop" }] },
    "[DONE]",
  ]);
  expect(cancelled).toBe(true);
});

test("a newer model's answers, OpenAI's already, end at a stop sequence as well", async () => {
  const whole = mount({
    id: "x",
    choices: [
      { index: 0, message: { role: "assistant", content: "one two three" }, finish_reason: "length" },
    ],
    usage,
  });
  expect(await (await whole.chat({ stop: [" two"] })).json()).toMatchObject({
    choices: [{ message: { content: "one" }, finish_reason: "stop" }],
    usage,
  });
  const chunk = (content: string, finish: string | null = null) =>
    `data: ${JSON.stringify({ id: "x", choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;
  const cut = mount(streamOf(`${chunk("one t")}${chunk("wo th")}${chunk("ree", "stop")}data: [DONE]\n\n`));
  expect(await chunksOf(await cut.chat({ stream: true, stop: "two" }))).toMatchObject([
    { choices: [{ delta: { content: "one " }, finish_reason: null }] },
    { choices: [{ delta: { content: "" }, finish_reason: "stop" }] },
    "[DONE]",
  ]);
  const uncut = mount(streamOf(`${chunk("one t")}${chunk("", "stop")}data: [DONE]\n\n`));
  expect(await chunksOf(await uncut.chat({ stream: true, stop: "two" }))).toMatchObject([
    { choices: [{ delta: { content: "one " } }] },
    { choices: [{ delta: { content: "t" }, finish_reason: "stop" }] },
    "[DONE]",
  ]);
});

test("a token that is a number is not lost", async () => {
  const { chat } = mount(
    streamOf('data: {"response":"1 + 1 = "}\n\ndata: {"response":2}\n\ndata: [DONE]\n\n'),
  );
  expect(await chunksOf(await chat({ stream: true }))).toMatchObject([
    { choices: [{ delta: { content: "1 + 1 = " } }] },
    { choices: [{ delta: { content: "2" } }] },
    { choices: [{ finish_reason: "stop" }] },
    "[DONE]",
  ]);
});

test("calls whose arguments come in pieces are put together under their index, and one without any has an empty object", async () => {
  const piece = (index: number, more: object) =>
    `data: ${JSON.stringify({ response: "", tool_calls: [{ index, ...more }] })}\n\n`;
  const { chat } = mount(
    streamOf(
      piece(0, { id: "a", type: "function", function: { name: "add" } }) +
        piece(0, { function: { arguments: '{"a":' } }) +
        piece(0, { function: { arguments: "1}" } }) +
        piece(1, { id: "b", type: "function", function: { name: "now" } }) +
        piece(1, { id: null, function: { name: null, arguments: "" } }) +
        "data: [DONE]\n\n",
    ),
  );
  const chunks = (await chunksOf(await chat({ stream: true }))) as readonly {
    choices: { delta: { tool_calls?: { index: number; id?: string; function: { arguments: string } }[] } }[];
  }[];
  const calls = new Map<number, { id: string; text: string }>();
  for (const one of chunks.filter((chunk) => typeof chunk === "object"))
    for (const { index, id, function: called } of one.choices[0]?.delta.tool_calls ?? []) {
      const call = calls.get(index) ?? { id: id ?? "", text: "" };
      calls.set(index, { ...call, text: call.text + called.arguments });
    }
  expect([...calls]).toEqual([
    [0, { id: "a", text: '{"a":1}' }],
    [1, { id: "b", text: "{}" }],
  ]);
});

test("an answer without a length ends at the binding's own, and says so", async () => {
  const { chat } = mount({ response: "x", usage: { ...usage, completion_tokens: 256 } });
  expect(await (await chat({})).json()).toMatchObject({ choices: [{ finish_reason: "length" }] });
});

test("a reader that leaves ends the run", async () => {
  const ended = Promise.withResolvers<void>();
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: {"response":"ab"}\n\n')),
    cancel: () => ended.resolve(),
  });
  const { chat } = mount(endless);
  const reader = (await chat({ stream: true })).body?.getReader();
  await reader?.read();
  await reader?.cancel();
  await ended.promise;
});

test.each([
  ["AiError: 3040: Capacity temporarily exceeded, please try again.", 429],
  ["3036: You have used up your daily free allocation", 429],
  ["5007: No such model @cf/x or task", 404],
  ["3006: Request is too large", 413],
])("%s is status %i, without its words", async (message, status) => {
  const { chat } = mount(new Error(message));
  const response = await chat({});
  expect(response.status).toBe(status);
  expect(await response.text()).not.toContain(message.slice(-20));
});

test("an error without a known code is a connection that failed", async () => {
  const { chat } = mount(new Error("internal error; reference = abc"));
  await expect(chat({})).rejects.toThrow("internal error");
});

test.each([
  [{ n: 2 }],
  [{ logprobs: true }],
  [{ logit_bias: { "1": 5 } }],
  [{ tool_choice: "required" }],
  [{ structured_outputs: { regex: "a" } }],
  [{ allowed_token_ids: [1] }],
])("%j, which the binding has no word for, is refused and not ignored", async (body) => {
  const { runs, chat } = mount({ response: "x" });
  expect((await chat(body)).status).toBe(400);
  expect(runs).toEqual([]);
});

test("a JSON schema stands alone there, and an object comes out as text", async () => {
  const schema = { type: "object" };
  const { runs, chat } = mount({ response: { a: 1 } });
  const format = { type: "json_schema", json_schema: { name: "n", schema } };
  expect(await (await chat({ response_format: format })).json()).toMatchObject({
    choices: [{ message: { content: '{"a":1}' } }],
  });
  expect(runs[0]?.input).toMatchObject({ response_format: { type: "json_schema", json_schema: schema } });
});

test("plain completions go in raw, and embeddings as texts", async () => {
  const plain = mount({ response: " world" });
  expect(await (await plain.chat({ prompt: "Hello" }, "/v1/completions")).json()).toMatchObject({
    object: "text_completion",
    choices: [{ text: " world", finish_reason: "stop" }],
  });
  expect(plain.runs[0]?.input).toMatchObject({ prompt: "Hello", raw: true });
  const embedding = mount({ shape: [1, 2], data: [[0.1, 0.2]] });
  expect(await (await embedding.chat({ input: "a" }, "/v1/embeddings")).json()).toEqual({
    object: "list",
    model,
    data: [{ object: "embedding", index: 0, embedding: [0.1, 0.2] }],
  });
  expect(embedding.runs[0]?.input).toEqual({ text: ["a"] });
  // A vector of another length than was asked for would be found out much later.
  expect((await embedding.chat({ input: "a", dimensions: 1 }, "/v1/embeddings")).status).toBe(400);
  expect((await plain.chat({ prompt: "Hello", echo: true }, "/v1/completions")).status).toBe(400);
  expect(plain.runs).toHaveLength(1);
});

test("reranking goes in as contexts and comes out as scores by index", async () => {
  const { runs, chat } = mount({
    response: [
      { id: 1, score: 0.9 },
      { id: 0, score: 0.1 },
    ],
  });
  const asked = await chat({ query: "q", documents: ["a", "b"], top_n: 1 }, "/v1/rerank");
  expect(await asked.json()).toEqual({
    model,
    results: [
      { index: 1, relevance_score: 0.9 },
      { index: 0, relevance_score: 0.1 },
    ],
  });
  expect(runs[0]?.input).toEqual({ query: "q", contexts: [{ text: "a" }, { text: "b" }], top_k: 2 });
  for (const body of [{ query: "q", documents: [{ text: "a" }] }, { query: "q" }, { documents: ["a"] }])
    expect((await chat(body, "/v1/rerank")).status).toBe(400);
  expect((await mount({}).chat({ query: "q", documents: ["a"] }, "/v1/rerank")).status).toBe(502);
});

test("a text is cut at its first stop sequence, however it is dealt out", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 4 }), { maxLength: 12 }),
      fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 3 }), { maxLength: 3 }),
      (pieces, stops) => {
        const cutter = new StopCutter(stops);
        const shown = pieces.map((piece) => cutter.add(piece)).join("") + cutter.flush();
        const whole = pieces.join("");
        const ends = stops.map((stop) => whole.indexOf(stop)).filter((at) => at !== -1);
        expect(cutter.stopped).toBe(ends.length > 0);
        if (ends.length === 0) expect(shown).toBe(whole);
        // Cut at one of them, and nothing of what it showed holds one.
        else {
          expect(whole.startsWith(shown)).toBe(true);
          expect(stops.some((stop) => whole.startsWith(shown + stop))).toBe(true);
        }
      },
    ),
  );
});
