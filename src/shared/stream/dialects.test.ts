import * as fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { createAnswerGuard } from "../safety/answer-guard.ts";
import { safetyPolicySchema } from "../safety/safety-policy.ts";
import { lineOf } from "../turn/durable/journal.ts";
import { journalEvents } from "../turn/durable/gathered.ts";
import { AnswerCollector } from "./answer-collector.ts";
import { chunks, send } from "./answer-pass-fixture.ts";
import { dialects } from "./fixtures/dialect-streams.ts";
import { inPieces, mostEventCharacters } from "./long-delta.ts";
import { rewriteAnswer } from "./rewrite-answer.ts";

const sse = (events: readonly object[], lineEnd = "\n"): string =>
  [...events.map((event) => JSON.stringify(event)), "[DONE]"]
    .map((data) => `data: ${data}${lineEnd}${lineEnd}`)
    .join("");

describe.each(Object.entries(dialects))("%s", (_, dialect) => {
  test.each(["\n", "\r\n", "\r"])(
    "is read as OpenAI's, with lines that end in %j, however it is cut",
    (lineEnd) => {
      const stream = sse(dialect.events, lineEnd);
      fc.assert(
        fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
          const collect = new AnswerCollector(10_000, true);
          const { text, pass, totals } = send(stream, cuts, { collect });
          expect(collect.choices).toMatchObject([
            {
              content: dialect.content ?? null,
              reasoning: dialect.reasoning ?? null,
              toolCalls: dialect.toolCalls ?? [],
              finishReason: dialect.finish,
            },
          ]);
          expect(pass.ended).toBe("done");
          expect(totals.usage.completionTokens).toBe(dialect.completionTokens);
          if (dialect.promptTokens !== undefined)
            expect(totals.usage.promptTokens).toBe(dialect.promptTokens);
          const told = chunks(text).flatMap(({ choices }) => choices);
          expect(told.filter(({ finish_reason: reason }) => reason !== null)).toHaveLength(1);
          expect(told.filter(({ delta }) => "role" in delta)).toHaveLength(1);
          const calls = told.flatMap(
            ({ delta }) => (delta["tool_calls"] ?? []) as { index: number; id?: string }[],
          );
          expect(calls.filter(({ id }) => id !== undefined).map(({ index }) => index)).toEqual(
            (dialect.toolCalls ?? []).map((_call, at) => at),
          );
        }),
        { numRuns: 30 },
      );
    },
  );
});

test("a tool that the client named ends with stop, as OpenAI has it", () => {
  const [, ollama] = Object.values(dialects);
  const named = send(sse(ollama?.events ?? []), [], { namesTool: true });
  expect(named.text).toContain('"finish_reason":"stop"');
});

test.each([
  [undefined, "tool_calls"],
  [true, "stop"],
])(
  "a whole answer's calls stand where they stand, whatever their numbers are: named %s",
  (namesTool, finish) => {
    const called = (id: string, name: string, text: unknown) => ({
      id,
      index: 0,
      function: { name, arguments: text },
    });
    const message = {
      role: "assistant",
      tool_calls: [called("call_a", "weather", { city: "Paris" }), called("call_b", "time", "{}")],
    };
    const read = rewriteAnswer(JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] }), {
      engineApi: "chat",
      shape: "chat",
      id: "chatcmpl-1",
      model: "m",
      createdMs: 0,
      promptTokens: 1,
      ...(namesTool === undefined ? {} : { namesTool }),
    });
    if (!read.ok) throw new Error(read.error);
    expect(read.value.collected.choices).toMatchObject([
      {
        toolCalls: [
          { id: "call_a", name: "weather", arguments: '{"city":"Paris"}' },
          { id: "call_b", name: "time", arguments: "{}" },
        ],
        finishReason: finish,
      },
    ]);
  },
);

test("behind its end nothing of a choice is told: the guard has let go of what it held", () => {
  const filter = createAnswerGuard(safetyPolicySchema.parse({ output: { action: "mask" } }), {
    contentIsJson: false,
  });
  if (filter === undefined) throw new Error("a guard is on");
  const said = (content: string, finish: string | null = null) => ({
    choices: [{ index: 0, delta: { content }, finish_reason: finish }],
  });
  const { text } = send(
    sse([said("It is"), said(" 4111"), said(" 1111", "stop"), said(" 1111"), said(" 1111")]),
    [],
    { filter },
  );
  expect(text).toContain('"[DONE]"'.slice(1, -1));
  expect(text.match(/1111/g)).toHaveLength(1);
});

test("a whole answer's parts are read as a stream's are", () => {
  const message = {
    role: "assistant",
    content: [
      { type: "thinking", thinking: [{ type: "text", text: "Hm." }] },
      { type: "text", text: "Yes" },
      { type: "text", text: "." },
    ],
  };
  const read = rewriteAnswer(JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }] }), {
    engineApi: "chat",
    shape: "chat",
    id: "chatcmpl-1",
    model: "m",
    createdMs: 0,
    promptTokens: 1,
  });
  if (!read.ok) throw new Error(read.error);
  expect(read.value.collected.choices).toMatchObject([{ content: "Yes.", reasoning: "Hm." }]);
});

test("a choice is named by its role once, whichever comes first", () => {
  const said = (index: number, delta: object, finish: string | null = null) => ({
    choices: [{ index, delta, finish_reason: finish }],
  });
  const role = "assistant";
  const { text } = send(
    sse([
      said(1, { role, content: "b" }),
      said(0, { role, content: "a" }),
      said(1, { role, content: "b" }, "stop"),
      said(0, { role, content: "" }, "stop"),
    ]),
    [],
    { choices: 2 },
  );
  const told = chunks(text).flatMap(({ choices }) => choices);
  for (const index of [0, 1]) {
    const own = told.filter((choice) => choice.index === index);
    expect(own.filter(({ delta }) => "role" in delta)).toHaveLength(1);
    expect(own[0]?.delta).toHaveProperty("role", role);
  }
  expect(told.map(({ index, delta }) => (delta.content ?? "") + (delta.content ? index : "")).join("")).toBe(
    "b1a0b1",
  );
});

describe("an engine that says megabytes at once", () => {
  const long = "\u{1F9EA}\u0001a".repeat(300_000);

  test.each(["content", "reasoning", "refusal"])("is told in events that a journal takes: %s", (field) => {
    const collect = new AnswerCollector(2_000_000, true);
    const events = [
      { choices: [{ index: 0, delta: { role: "assistant", [field]: long }, finish_reason: "stop" }] },
    ];
    const { text } = send(sse(events), [], { collect });
    for (const event of journalEvents(text)) expect(() => lineOf(event)).not.toThrow();
    expect(collect.choices[0]).toMatchObject({ [field]: long, finishReason: "stop" });
    expect(text.match(/"role"/g)).toHaveLength(1);
  });

  test("also in the events that are recognised by their form", () => {
    const said = (content: string) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
    const end = { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
    const plain = "word ".repeat(200_000);
    const { text } = send(sse([said("a"), said("b"), said(plain), said("c"), end]), []);
    expect(journalEvents(text).every((event) => event.data.length < 2 * mostEventCharacters)).toBe(true);
    const content = chunks(text)
      .flatMap(({ choices }) => choices)
      .map(({ delta }) => delta.content ?? "")
      .join("");
    expect(content).toBe(`ab${plain}c`);
  });

  test("in reads of a few bytes it is put together once, and looked at once", () => {
    const decode = vi.spyOn(TextDecoder.prototype, "decode");
    const collect = new AnswerCollector(2_000_000, true);
    const said = {
      choices: [{ index: 0, delta: { content: "a".repeat(1_000_000) }, finish_reason: "stop" }],
    };
    const stream = sse([said]);
    const cuts = Array.from({ length: stream.length / 64 }, (_none, at) => at * 64);
    const { pass } = send(stream, cuts, { collect });
    // What it read, and what its client gets.
    const ofReads = decode.mock.calls.filter(([, options]) => options?.stream === true).length;
    decode.mockRestore();
    expect(pass.ended).toBe("done");
    expect(collect.choices[0]?.content).toHaveLength(1_000_000);
    expect(ofReads).toBeLessThan(5);
  });

  test("many whole events in one read are not one that is too long", () => {
    const said = { choices: [{ index: 0, delta: { content: "word " }, finish_reason: null }] };
    const end = { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
    const many = Array.from({ length: 70_000 }, () => said);
    const { pass } = send(`: begins with what no template fits\n\n${sse([...many, end])}`, []);
    expect(pass.ended).toBe("done");
    expect(send(`data: ${"a".repeat(5_000_000)}`, []).totals.failureDetail).toBe("an event is too long");
  });

  test("no character is cut in two, and what is short is left as it is", () => {
    const pieces = inPieces({
      index: 1,
      content: long,
      toolCalls: [{ index: 0, id: "c", function: { name: "f", arguments: long } }],
    });
    expect(pieces.length).toBeGreaterThan(10);
    for (const { content = "", toolCalls = [] } of pieces)
      for (const text of [content, toolCalls[0]?.function.arguments ?? ""])
        expect(text.isWellFormed()).toBe(true);
    expect(pieces.map(({ content = "" }) => content).join("")).toBe(long);
    expect(
      pieces.flatMap(({ toolCalls = [] }) => toolCalls.map((call) => call.function.arguments)).join(""),
    ).toBe(long);
    expect(pieces.flatMap(({ toolCalls = [] }) => toolCalls.flatMap(({ id }) => id ?? []))).toEqual(["c"]);
    const short = { index: 0, content: "a" };
    expect(inPieces(short)).toEqual([short]);
  });
});
