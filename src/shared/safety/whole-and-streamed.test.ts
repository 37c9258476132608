import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AnswerCollector } from "../stream/answer-collector.ts";
import { AnswerPass } from "../stream/answer-pass.ts";
import { rewriteAnswer } from "../stream/rewrite-answer.ts";
import { createAnswerGuard } from "./answer-guard.ts";
import { samples } from "./guard-fixture.ts";
import { safetyPolicySchema } from "./safety-policy.ts";

/** For every answer, however it arrives: a reader of the stream gets the same text as a reader of the whole, or both get a refusal. */
const links = { action: "remove", allow_hosts: ["example.org"] } as const;
const policies = [
  { output: { action: "mask" } },
  { output: { action: "block" } },
  { output: { action: "flag" }, moderation: { output: "flag" } },
  { moderation: { output: "block" } },
  { links },
  { output: { action: "mask", kinds: { iban: "block" } }, links, moderation: { output: "block" } },
] as const;

const prose =
  "The river was calm, and we walked for a while along its bank until the sun went down behind the hills. ";
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(...samples().map(({ value }) => value)),
      fc.constantFrom(
        prose,
        prose.repeat(3),
        "All immigrants are filthy vermin. ",
        "[here](https://elsewhere.example/p?d=1) ",
        "![x](//evil.example/",
        "https://example.org/a ",
        " ",
        "\n\n",
        "4111 1111",
        "漢字",
        "\u{1F9EA}",
        '"',
        "\\u0040",
      ),
      fc.string({ unit: "grapheme", maxLength: 6 }),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));

const choice = fc.record({
  content: text,
  reasoning: text,
  refusal: text,
  calls: fc.array(
    fc.record({ name: fc.constantFrom("pay", "4111111111111111", "look_up"), arguments: text }),
    {
      maxLength: 2,
    },
  ),
});

interface Said {
  readonly content: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly calls: readonly { readonly name: string; readonly arguments: string }[];
}

function whole(choices: readonly Said[]): string {
  return JSON.stringify({
    choices: choices.map(({ calls, content, reasoning, refusal }, index) => ({
      index,
      message: {
        role: "assistant",
        content,
        reasoning,
        refusal,
        ...(calls.length > 0 && {
          tool_calls: calls.map((call, at) => ({ id: `call_${at}`, type: "function", function: call })),
        }),
      },
      finish_reason: "length",
    })),
  });
}

/** The same answer token by token, with the choices in turn. */
function streamed(choices: readonly Said[], sizes: readonly number[]): string {
  let turn = 0;
  const cut = (one: string): string[] => {
    const pieces: string[] = [];
    for (let at = 0; at < one.length; turn += 1) {
      const size = sizes[turn % sizes.length] ?? 1;
      pieces.push(one.slice(at, at + size));
      at += size;
    }
    return pieces;
  };
  const lanes = choices.map(({ content, reasoning, refusal, calls }) => [
    ...cut(reasoning).map((piece) => ({ reasoning: piece })),
    ...cut(content).map((piece) => ({ content: piece })),
    ...cut(refusal).map((piece) => ({ refusal: piece })),
    ...calls.flatMap((call, index) => [
      {
        tool_calls: [
          { index, id: `call_${index}`, type: "function", function: { name: call.name, arguments: "" } },
        ],
      },
      ...cut(call.arguments).map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
    ]),
  ]);
  const events: object[] = [];
  for (let at = 0; lanes.some((lane) => at < lane.length); at += 1)
    for (const [index, lane] of lanes.entries())
      if (at < lane.length) events.push({ choices: [{ index, delta: lane[at], finish_reason: null }] });
  for (const index of choices.keys())
    events.push({ choices: [{ index, delta: {}, finish_reason: "length" }] });
  return `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`;
}

const told = ({ choices }: Pick<AnswerCollector, "choices">) =>
  choices.map(({ content, reasoning, refusal, toolCalls, finishReason }) => ({
    content: content ?? "",
    reasoning: reasoning ?? "",
    refusal: refusal ?? "",
    toolCalls: toolCalls.map((call) => ({ name: call.name, arguments: call.arguments })),
    finishReason,
  }));

test("an answer of any parts, cut anywhere, is sent like the whole one, or both are refused", () => {
  fc.assert(
    fc.property(
      fc.array(choice, { minLength: 1, maxLength: 2 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(20_000), { maxLength: 8 }),
      fc.constantFrom(...policies),
      fc.boolean(),
      (choices, sizes, cuts, policy, contentIsJson) => {
        const guard = () => createAnswerGuard(safetyPolicySchema.parse(policy), { contentIsJson });
        const filter = guard();
        const other = guard();
        if (filter === undefined || other === undefined) throw new Error("a guard is on");
        const base = {
          engineApi: "chat",
          id: "chatcmpl-1",
          model: "m",
          createdMs: 0,
          promptTokens: 1,
        } as const;
        const read = rewriteAnswer(whole(choices), { ...base, shape: "chat", filter });
        if (!read.ok) throw new Error(read.error);
        const collect = new AnswerCollector(1_000_000, false);
        const pass = new AnswerPass({
          ...base,
          format: "openai-chat",
          choices: choices.length,
          includeUsage: false,
          filter: other,
          collect,
        });
        const bytes = new TextEncoder().encode(streamed(choices, sizes));
        let from = 0;
        for (const to of [
          ...cuts.filter((at) => at < bytes.length).toSorted((a, b) => a - b),
          bytes.length,
        ]) {
          pass.push(bytes.subarray(from, to));
          from = to;
        }
        const isRefused = read.value.totals.finishReasons.includes("content_filter");
        expect(pass.ended).toBe(isRefused ? "blocked" : "done");
        if (!isRefused) expect(told(collect)).toEqual(told(read.value.collected));
        if (!isRefused) expect(other.harm).toEqual(filter.harm);
      },
    ),
    { numRuns: 1_000 },
  );
});
