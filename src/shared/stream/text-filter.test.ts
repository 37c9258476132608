import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AnswerCollector } from "./answer-collector.ts";
import { AnswerPass } from "./answer-pass.ts";
import { chatText, goodStreams } from "./fixtures/engine-streams.ts";
import { FilteredLanes } from "./filtered-lanes.ts";
import type { TextFilter, TextLane } from "./text-filter.ts";

/** Holds back `hold` characters a lane, upper-cases what it releases, and blocks on `forbidden`. */
class FakeFilter implements TextFilter {
  readonly #held = new Map<TextLane, string>();
  readonly #hold: number;
  readonly #forbidden: string;

  constructor(hold: number, forbidden = "\0") {
    this.#hold = hold;
    this.#forbidden = forbidden;
  }

  push(lane: TextLane, text: string): string | null {
    const all = (this.#held.get(lane) ?? "") + text;
    if (all.includes(this.#forbidden)) return null;
    const cut = Math.max(0, all.length - this.#hold);
    this.#held.set(lane, all.slice(cut));
    return all.slice(0, cut).toUpperCase();
  }

  held(lane: TextLane): number {
    return this.#held.get(lane)?.length ?? 0;
  }

  flush(lane: TextLane): string | null {
    const held = this.#held.get(lane) ?? "";
    this.#held.delete(lane);
    return held.toUpperCase();
  }
}

function send(stream: string, filter: TextFilter, cuts: readonly number[] = [], choices = 1) {
  const collect = new AnswerCollector(10_000, false);
  const pass = new AnswerPass({
    engineApi: "chat",
    format: "openai-chat",
    id: "chatcmpl-ours",
    model: "m",
    createdMs: 0,
    choices,
    includeUsage: false,
    promptTokens: 1,
    filter,
    collect,
  });
  const bytes = new TextEncoder().encode(stream);
  let text = "";
  let from = 0;
  for (const to of [...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length]) {
    text += new TextDecoder().decode(pass.push(bytes.subarray(from, to)));
    from = to;
  }
  return { text, pass, collect };
}

const cuts = fc.array(fc.nat(5000), { maxLength: 40 });

test("what the client and the cache get is what the filter released, however the stream is cut", () => {
  fc.assert(
    fc.property(cuts, fc.nat(60), (at, hold) => {
      const { collect, pass, text } = send(goodStreams.vllmChat, new FakeFilter(hold), at);
      expect(collect.choices[0]?.content).toBe(chatText.toUpperCase());
      expect(pass.ended).toBe("done");
      expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true);
    }),
  );
});

test("what was held comes before the finish reason", () => {
  const { text } = send(goodStreams.vllmChat, new FakeFilter(1000));
  const content = text.indexOf(JSON.stringify(chatText.toUpperCase()));
  expect(content).toBeGreaterThan(0);
  expect(content).toBeLessThan(text.indexOf('"finish_reason":"stop"'));
});

test("arguments, reasoning and other choices pass through lanes of their own", () => {
  const tools = send(goodStreams.toolCalls, new FakeFilter(5)).collect.choices[0];
  expect(tools?.toolCalls).toEqual([
    { id: "call_1", name: "WEATHER", arguments: '{"CITY":"PARIS"}' },
    { id: "call_2", name: "TIME", arguments: "{}" },
  ]);
  const thought = send(goodStreams.reasoning, new FakeFilter(3)).collect.choices[0];
  expect(thought).toMatchObject({ reasoning: "LET ME THINK.", content: "42" });
  const two = send(goodStreams.twoChoices, new FakeFilter(3), [], 2).collect.choices;
  expect(two.map((choice) => choice.content)).toEqual(["LEFT", "RIGHT SIDE"]);
});

test("a call's name, and an id that its engine took from it, pass at once and stay words; an id that was drawn is none of the model's", () => {
  const masks: TextFilter = {
    push: (_lane, text) => text.replace("secret", "[a secret]"),
    held: () => 0,
    flush: () => "",
  };
  const called = (id: string) =>
    new FilteredLanes(masks).pass({
      index: 0,
      toolCalls: [{ index: 0, id, type: "function", function: { name: "get_secret" } }],
    })?.toolCalls;
  const name = "get__a_secret_";
  expect(called("functions.secret:0")).toMatchObject([{ id: "functions_a_secret_0", function: { name } }]);
  for (const id of ["call_secret", "chatcmpl-tool-secret", "9secret9"])
    expect(called(id)).toMatchObject([{ id, function: { name } }]);
});

test("log probabilities don't pass a filter: they spell out what it may mask", () => {
  expect(send(goodStreams.logprobs, new FakeFilter(0)).text).not.toContain("top_logprobs");
});

test("they pass one that only looks: what it is to tell of is told, and nothing is changed", () => {
  const looks: TextFilter = {
    changesNothing: true,
    push: (_lane, text) => text,
    held: () => 0,
    flush: () => "",
  };
  const { text, collect } = send(goodStreams.logprobs, looks);
  const pass = send(goodStreams.logprobs, new FakeFilter(0));
  expect(text.match(/top_logprobs/g)?.length).toBe(goodStreams.logprobs.match(/top_logprobs/g)?.length);
  expect(collect.choices[0]?.logprobs?.content.length).toBeGreaterThan(0);
  expect(pass.collect.choices[0]?.logprobs).toBeNull();
});

test("a block ends every choice with content_filter, and what was held never leaves", () => {
  fc.assert(
    fc.property(cuts, (at) => {
      const { text, pass } = send(goodStreams.vllmChat, new FakeFilter(48, "ting"), at);
      expect(pass.ended).toBe("blocked");
      expect(text).toContain('"finish_reason":"content_filter"');
      expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true);
      expect(text.toLowerCase()).not.toContain("quan");
    }),
  );
});
