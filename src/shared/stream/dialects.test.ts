import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
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

describe("an engine that says a megabyte at once", () => {
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
