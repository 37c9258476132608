import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnswerCollector } from "./answer-collector.ts";
import { type Chunk, chunks, contentOf, cuts, events, nOf, send } from "./answer-pass-fixture.ts";
import { brokenStreams, chatText, completionStream, goodStreams } from "./fixtures/engine-streams.ts";

describe.each(Object.entries(goodStreams))("the stream %s", (name, stream) => {
  const whole = send(stream, [], { choices: nOf(name) });

  test("says and counts the same however it is cut", () => {
    fc.assert(
      fc.property(cuts, (at) => {
        const cut = send(stream, at, { choices: nOf(name) });
        expect(cut.text).toBe(whole.text);
        expect(cut.totals).toEqual(whole.totals);
      }),
    );
    const bytes = new TextEncoder().encode(stream).length;
    for (let at = 0; at < bytes; at++)
      expect(send(stream, [at], { choices: nOf(name) }).text).toBe(whole.text);
    const single = send(
      stream,
      Array.from({ length: bytes }, (_, at) => at),
      { choices: nOf(name) },
    );
    expect(single.text).toBe(whole.text);
  });

  test("ends with a finish reason a choice, then usage, then [DONE]", () => {
    const all = events(whole.text);
    expect(all.at(-1)).toBe("[DONE]");
    const usage = JSON.parse(all.at(-2) ?? "") as Chunk;
    expect(usage.choices).toEqual([]);
    expect(usage.usage).toMatchObject({ total_tokens: expect.any(Number) });
    expect(whole.pass.ended).toBe("done");
    expect(whole.totals.finishReasons).not.toContain(null);
  });

  test("carries our id and model, and nothing of the engine's own", () => {
    for (const chunk of chunks(whole.text))
      expect(chunk).toMatchObject({
        id: "chatcmpl-ours",
        model: "llama-3.1-8b",
        object: "chat.completion.chunk",
      });
    expect(whole.text).not.toMatch(/stop_reason|token_ids|chatcmpl-engine|Llama-3\.1-8B/);
  });

  test("every chunk names the usage that was asked for, with null until the last", () => {
    const usages = chunks(whole.text).map((chunk) => chunk.usage);
    expect(usages.slice(0, -1)).toEqual(usages.slice(1).map(() => null));
    expect(usages.at(-1)).toMatchObject({ total_tokens: expect.any(Number) });
  });

  test("keeps usage to itself unless the client asked", () => {
    const { text } = send(stream, [], { choices: nOf(name), includeUsage: false });
    expect(text).not.toContain("usage");
    expect(events(text).at(-1)).toBe("[DONE]");
  });
});

test("text passes unchanged, by the fast path and by the slow one", () => {
  for (const stream of [goodStreams.vllmChat, goodStreams.plainServer, goodStreams.oddForms])
    expect(contentOf(send(stream, []).text)).toBe(chatText);
});

test("the fast path says what parsing says, whatever the text", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" }), { minLength: 3 }), (pieces) => {
      const head =
        'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,';
      const stream = `${pieces
        .map(
          (piece) =>
            `${head}"delta":{"content":${JSON.stringify(piece)}},"logprobs":null,"finish_reason":null}]}\n\n`,
        )
        .join("")}${head}"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;
      const { text, totals } = send(stream, []);
      expect(contentOf(text)).toBe(pieces.join(""));
      expect(totals.usage.completionTokens).toBe(pieces.filter((piece) => piece !== "").length);
    }),
  );
});

test("usage comes with OpenAI's details, the reasoning's share and the cost", () => {
  const { text, totals } = send(goodStreams.reasoning, [], { price: { input: 1, output: 2 } });
  expect(totals).toEqual({
    usage: { promptTokens: 23, completionTokens: 5, cachedTokens: 0, reasoningTokens: 4 },
    basis: "exact",
    finishReasons: ["stop"],
    firstTokenAtMs: 5,
  });
  expect(chunks(text).at(-1)?.usage).toEqual({
    prompt_tokens: 23,
    completion_tokens: 5,
    total_tokens: 28,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 4 },
    cost: 0.000033,
  });
});

test("reasoning passes under both names", () => {
  const deltas = chunks(send(goodStreams.reasoning, []).text).flatMap((chunk) => chunk.choices);
  const reasoning = deltas.map((choice) => choice.delta).filter((delta) => "reasoning" in delta);
  expect(reasoning).toEqual([
    { reasoning: "Let me ", reasoning_content: "Let me " },
    { reasoning: "think.", reasoning_content: "think." },
  ]);
});

test("the text format ends with what is billed and without [DONE]", () => {
  const { text } = send(goodStreams.vllmChat, [], { format: "text" });
  const all = events(text).map((event) => JSON.parse(event) as Record<string, unknown>);
  expect(all[0]).toEqual({ text: "Quan", done: false });
  expect(all.map((event) => event["text"]).join("")).toBe(chatText);
  expect(all.at(-1)).toMatchObject({ text: "", done: true, tokens: 9, finish_reason: "stop" });
});

test("the text format tells a failure in its last event", () => {
  const { text } = send(brokenStreams["broken JSON"], [], { format: "text" });
  expect(JSON.parse(events(text).at(-1) ?? "")).toMatchObject({
    text: "",
    done: true,
    error: { code: "service_unavailable" },
  });
});

test("a completions engine can answer a chat: the role comes first", () => {
  const { text } = send(completionStream, [], { engineApi: "completions" });
  expect(chunks(text)[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "" });
  expect(contentOf(text)).toBe(chatText);
});

test("a completion streams as text_completion objects", () => {
  const { text } = send(completionStream, [], {
    engineApi: "completions",
    format: "openai-completion",
    id: "cmpl-ours",
  });
  const all = chunks(text);
  expect(all.every((chunk) => chunk.object === "text_completion" && chunk.id === "cmpl-ours")).toBe(true);
  expect(contentOf(text)).toBe(chatText);
  expect(events(text).at(-1)).toBe("[DONE]");
});

test("a completion too names the usage that was asked for in every chunk, with null until the last", () => {
  const { text } = send(completionStream, [40, 200], {
    engineApi: "completions",
    format: "openai-completion",
  });
  const usages = chunks(text).map((chunk) => chunk.usage);
  expect(usages.slice(0, -1)).toEqual(usages.slice(1).map(() => null));
  expect(usages.at(-1)).toMatchObject({ total_tokens: expect.any(Number) });
});

test("a whole answer is gathered as the client saw it", () => {
  const collect = new AnswerCollector(10_000, false);
  const { totals } = send(goodStreams.toolCalls, [], { collect });
  expect(collect.toCached("m", 1, totals.usage)).toEqual({
    model: "m",
    createdMs: 1,
    usage: totals.usage,
    choices: [
      {
        content: null,
        reasoning: null,
        toolCalls: [
          { id: "call_1", name: "weather", arguments: '{"city":"Paris"}' },
          { id: "call_2", name: "time", arguments: "{}" },
        ],
        finishReason: "tool_calls",
      },
    ],
  });
});

test("an answer over the collector's cap is forgotten, not cut", () => {
  const collect = new AnswerCollector(5, false);
  const { pass, totals } = send(goodStreams.vllmChat, [], { collect });
  expect(pass.ended).toBe("done");
  expect(collect.toCached("m", 1, totals.usage)).toBeNull();
});
