import { expect, test } from "vitest";
import { chunksOf, model, mount, streamOf } from "./workers-ai-fixture.ts";

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
