/**
 * Every fault of the dev fleet, at every token of an answer of 40, on one replica and on two: the client's text is the
 * undisturbed one, or ends in exactly one typed error event; what is charged is what was delivered.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { askedCompletion } from "../../src/shared/turn/asked-completion.ts";
import { parseCompletionRequest } from "../../src/shared/wire/completions-request.ts";
import type { FaultInput } from "../../dev/origin/server/faults.ts";
import {
  piecesOf,
  readStream,
  turnWorld,
  underClock,
  type TurnResult,
  type TurnWorld,
} from "./turn-world.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const answerTokens = 40;

/** Answers of 40 tokens: blanks of every kind at their seams, surrogate pairs, stop strings, another API. */
const scripts = {
  prose: { messages: [{ role: "user", content: "Write 60 words about 🧪 queues" }] },
  code: { messages: [{ role: "user", content: "Write a function that says 'Grüße 🧪🧪 und 👩‍🔬'" }] },
  table: { messages: [{ role: "user", content: "A table about  blanks" }] },
  "with stop strings": {
    messages: [{ role: "user", content: "Write a list: 🧪🧪🧪🧪🧪 🧪 🧪 👩‍🔬👩‍🔬" }],
    stop: ["never said", "🧪🧪🧪 nor this"],
  },
  "that a stop string ends": { messages: [{ role: "user", content: "Write 60 words" }], stop: ["healthy"] },
  "with its stop string shown": {
    messages: [{ role: "user", content: "Write 60 words" }],
    stop: ["replicas that are healthy"],
    include_stop_str_in_output: true,
  },
} as const;

const faultsAt = (after: number): readonly FaultInput[] => [
  { fault: "cut_after", after },
  { fault: "cut_after", after, reset: true },
  { fault: "end_early", after },
  { fault: "error_event", after },
  { fault: "error_event", after, done: false },
  { fault: "broken_chunk", after },
  { fault: "stall_after", after },
];
/** One of each kind: broken connection, words of its own, silence. */
const someFaultsAt = (after: number): readonly FaultInput[] => [
  { fault: "cut_after", after },
  { fault: "error_event", after },
  { fault: "stall_after", after },
];
const earlyFaults: readonly FaultInput[] = [
  { fault: "refuse" },
  { fault: "cut_before_headers" },
  { fault: "status", status: 500 },
  { fault: "status", status: 429, retry_after: 0 },
  { fault: "slow_headers", delay_ms: 500 },
  { fault: "stall_before_first" },
  { fault: "drip", bytes: 7, interval_ms: 1 },
];

const body = (script: object): Readonly<Record<string, unknown>> => ({
  temperature: 0,
  model: "llama-3.1-8b",
  max_tokens: answerTokens,
  stream: true,
  stream_options: { include_usage: true },
  ...script,
});

function expectOneEnding({ charged, endings }: TurnResult): void {
  expect(charged).toHaveLength(1);
  expect(endings).toHaveLength(1);
}

/** Every engine failed before its first byte, in vain: the client gets a status, and pays nothing. */
function refusedBefore(after: number, { refused, charged }: TurnResult): boolean {
  if (refused === null) return false;
  expect(after).toBe(0);
  expect(charged.map(({ tokens }) => tokens)).toEqual([0]);
  return true;
}

/** Tokens that the client has of an answer, by the pieces in which it came undisturbed. */
function tokensOf(pieces: readonly string[], content: string): number {
  let length = 0;
  let tokens = 0;
  while (length < content.length) length += pieces[tokens++]?.length ?? Number.POSITIVE_INFINITY;
  return tokens;
}

/** What every fault of the grid does to one world, made anew for each. */
async function strike(
  make: () => TurnWorld,
  script: object,
  faults: (at: number) => readonly FaultInput[],
  check: (fault: FaultInput, after: number, result: TurnResult, world: TurnWorld) => void,
): Promise<void> {
  for (let after = 0; after <= answerTokens; after += 1) {
    for (const fault of faults(after)) {
      const world = make();
      for (const at of world.replicas.keys()) world.setFault(at, fault);
      check(fault, after, await underClock(world.chat(body(script))), world);
    }
  }
}

describe.each(Object.entries(scripts))("an answer of %s", (_name, script) => {
  test.each([1, 2])(
    "is whole whatever strikes once, with %i replicas",
    async (replicas) => {
      const undisturbed = await underClock(turnWorld({ replicas }).chat(body(script)));
      const expected = readStream(undisturbed.text ?? "");
      expect(expected.finishReasons).toHaveLength(1);
      const tokens = expected.usage?.completion_tokens ?? 0;
      expect(tokens).toBeGreaterThan(20);
      for (let after = 0; after <= tokens; after += 1) {
        for (const fault of [...faultsAt(after), ...(after === 0 ? earlyFaults : [])]) {
          const world = turnWorld({ replicas });
          world.faultNext({ ...fault, times: 1 });
          const result = await underClock(world.chat(body(script)));
          const told = `${JSON.stringify(fault)}: ${JSON.stringify(world.asked.map(({ body }) => body["messages"]))}`;
          if (replicas === 1 && result.refused !== null) {
            // The only replica says nothing: nobody else can, and nothing was begun.
            expect(fault.fault, told).toMatch(/^stall/);
            expect(result.charged.map(({ tokens }) => tokens)).toEqual([0]);
            continue;
          }
          expect(readStream(result.text ?? ""), told).toEqual(expected);
          expect(result.charged, told).toEqual(undisturbed.charged);
          expectOneEnding(result);
        }
      }
    },
    60_000,
  );
});

describe.each(["prose", "code", "table"] as const)("an answer of %s", (name) => {
  const script = scripts[name];

  test.each([1, 2])(
    "is whole, or ends in one typed error event, whatever strikes every engine, with %i replicas",
    async (replicas) => {
      const make = () => turnWorld({ replicas });
      const { text } = await underClock(make().chat(body(script)));
      const undisturbed = readStream(text ?? "");
      const pieces = piecesOf(text ?? "");
      await strike(make, script, someFaultsAt, (fault, after, result, world) => {
        const told = JSON.stringify(fault);
        if (refusedBefore(after, result)) return;
        expectOneEnding(result);
        const used = result.charged[0]?.tokens;
        const read = readStream(result.text ?? "");
        expect(undisturbed.content.startsWith(read.content), told).toBe(true);
        // The first engine, and three that go on.
        expect(world.asked.length, told).toBeLessThanOrEqual(4);
        expect(read.ids.size, told).toBeLessThanOrEqual(1);
        const tokens = tokensOf(pieces, read.content);
        if (read.errors.length === 0) {
          expect(read, told).toEqual(undisturbed);
          return;
        }
        expect(read.errors, told).toEqual([
          expect.objectContaining({ type: "server_error", code: "service_unavailable" }),
        ]);
        expect(read.last, told).not.toBe("[DONE]");
        expect(read.finishReasons, told).toEqual([]);
        expect(used, told).toBe(tokens === 0 ? 0 : (undisturbed.usage?.prompt_tokens ?? 0) + tokens);
      });
    },
    60_000,
  );

  test("is whole when two engines break one after the other, and words are sampled", async () => {
    const sampled = { ...script, temperature: 0.7, seed: 1 };
    const make = () => turnWorld({ replicas: 2 });
    const undisturbed = await underClock(make().chat(body(sampled)));
    const once = (after: number): readonly FaultInput[] =>
      someFaultsAt(after).map((fault) => ({ ...fault, times: 1 }));
    await strike(make, sampled, once, (fault, after, result) => {
      const told = JSON.stringify(fault);
      if (fault.fault === "stall_after" && refusedBefore(after, result)) return;
      expect(readStream(result.text ?? ""), told).toEqual(readStream(undisturbed.text ?? ""));
      expect(result.charged, told).toEqual(undisturbed.charged);
    });
  }, 60_000);

  test("is whole where the edge renders the prompt", async () => {
    const raw = { ...script, model: "llama-3.1-8b-raw" };
    const make = () => turnWorld({ replicas: 2 });
    const undisturbed = await underClock(make().chat(body(raw)));
    const cuts = (after: number): readonly FaultInput[] => [{ fault: "cut_after", after, times: 1 }];
    await strike(make, raw, cuts, (fault, _after, result, world) => {
      const told = JSON.stringify(fault);
      expect(readStream(result.text ?? ""), told).toEqual(readStream(undisturbed.text ?? ""));
      expect(result.charged, told).toEqual(undisturbed.charged);
      expect(world.asked.every(({ body }) => typeof body["prompt"] === "string")).toBe(true);
    });
  }, 60_000);

  test("is whole for a client that waits for all of it", async () => {
    const whole = { ...script, stream: false, stream_options: undefined, max_tokens: 4000 };
    const make = () => turnWorld({ replicas: 2 });
    const undisturbed = await underClock(make().chat(body(whole)));
    await strike(
      make,
      whole,
      (after) => someFaultsAt(after).map((fault) => ({ ...fault, times: 1 })),
      (fault, after, result) => {
        const told = JSON.stringify(fault);
        if (fault.fault === "stall_after" && refusedBefore(after, result)) return;
        expect(choicesOf(result), told).toEqual(choicesOf(undisturbed));
        expect(result.charged, told).toEqual(undisturbed.charged);
        expectOneEnding(result);
      },
    );
  }, 60_000);
});

function choicesOf({ text }: TurnResult): unknown {
  return (JSON.parse(text ?? "{}") as { choices?: unknown }).choices;
}

describe("nobody goes on", () => {
  const fault = { fault: "cut_after", after: 5, times: 1 } as const;
  const asked = { messages: [{ role: "user", content: "Write 60 words" }] };

  async function broken(script: object, tenant = {}): Promise<{ result: TurnResult; world: TurnWorld }> {
    const world = turnWorld({ replicas: 2, tenant });
    world.faultNext(fault);
    return { result: await underClock(world.chat({ ...body(script), stream_options: undefined })), world };
  }

  test.each([
    ["n over 1", { ...asked, n: 2, temperature: 0.5 }],
    [
      "a grammar",
      { ...asked, structured_outputs: { choice: ["a long choice of words that is many tokens", "b"] } },
    ],
    ["log probabilities", { ...asked, logprobs: true }],
    ["a frequency penalty", { ...asked, frequency_penalty: 0.1 }],
    ["a presence penalty", { ...asked, presence_penalty: 0.1 }],
    ["a repetition penalty", { ...asked, repetition_penalty: 1.1 }],
  ])("where it asks for %s: one error event", async (_name, script) => {
    const { result, world } = await broken(script);
    const read = readStream(result.text ?? "");
    expect(read.errors).toHaveLength(1);
    expect(read.last).not.toBe("[DONE]");
    expect(world.asked).toHaveLength(1);
    expect(result.endings[0]?.engine.continued).toBe(0);
    expectOneEnding(result);
  });

  const tool = {
    type: "function",
    function: {
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  };
  test.each(["auto", "required"])("in the middle of a tool call, tool_choice %s", async (choice) => {
    const messages = [{ role: "user", content: "What is the weather in Paris?" }];
    const world = turnWorld({ replicas: 2 });
    // Behind the name and some of the arguments.
    world.faultNext({ fault: "cut_after", after: 14, times: 1 });
    const result = await underClock(
      world.chat({ ...body({ messages, tools: [tool], tool_choice: choice }), stream_options: undefined }),
    );
    expect(result.text).toContain("get_weather");
    expect(readStream(result.text ?? "").errors).toHaveLength(1);
    expect(world.asked).toHaveLength(1);
  });

  test("in the middle of thinking", async () => {
    const world = turnWorld({ replicas: 2 });
    world.faultNext(fault);
    const result = await underClock(world.chat({ ...body(asked), model: "qwen3-reason" }));
    expect(result.text).toContain('"reasoning"');
    expect(readStream(result.text ?? "").errors).toHaveLength(1);
    expect(world.asked).toHaveLength(1);
  });

  test("with a plain completion", async () => {
    const world = turnWorld({ replicas: 2 });
    world.faultNext(fault);
    const parsed = parseCompletionRequest(
      JSON.stringify({ model: "llama-3.1-8b", prompt: "Write 60 words", max_tokens: 40, stream: true }),
    );
    if (!parsed.ok) throw new Error("the request is wrong");
    const result = await underClock(world.run(askedCompletion(parsed.value)));
    expect(result.text).toContain('"text":');
    expect(result.text?.match(/"error"/g)).toHaveLength(1);
    expect(world.asked).toHaveLength(1);
    expectOneEnding(result);
  });

  test("by the tenant's policy", async () => {
    const { result, world } = await broken(asked, { requests: { continue_answers: false } });
    expect(readStream(result.text ?? "").errors).toHaveLength(1);
    expect(world.asked).toHaveLength(1);
  });
});

test("another set of weights never goes on, not even of the same name", async () => {
  // The second cluster serves the same model in other weights: it may begin an answer, and must not end one.
  const world = turnWorld({
    replicas: 1,
    fleet: (fleet) => ({
      ...fleet,
      clusters: fleet.clusters.flatMap((cluster) => [
        cluster,
        {
          ...cluster,
          id: "other",
          replicas: [{ id: "r1", url: "http://replica-1.test", slots: 8 }],
          models: cluster.models.map((model) => ({ ...model, weights: "fp8" as const })),
        },
      ]),
    }),
  });
  world.setFault(0, { fault: "cut_after", after: 5 });
  const result = await underClock(world.chat(body(scripts.prose)));
  expect(readStream(result.text ?? "").errors).toHaveLength(1);
  expect(world.asked.map(({ replica }) => replica)).toEqual([0, 0, 0, 0]);
});

describe("a breaker", () => {
  test("of an engine that broke off counts it once, though another went on, and that one's stays clean", async () => {
    const world = turnWorld({ replicas: 2 });
    world.faultNext({ fault: "cut_after", after: 5, times: 1 });
    const { endings } = await underClock(world.chat(body(scripts.prose)));
    const [broken = -1, other = -1] = world.asked.map(({ replica }) => replica);
    expect(new Set([broken, other])).toEqual(new Set([0, 1]));
    expect(endings[0]?.engine).toEqual({
      cluster: "us-east",
      replica: `r${other}`,
      attempts: 2,
      continued: 1,
      left: [`us-east/r${broken}: origin-error`],
      notContinued: null,
    });
    expect(world.known(broken).known.breaker.score(Date.now())).toBeGreaterThan(0.5);
    expect(world.known(broken).known.breaker.state(Date.now())).toBe("closed");
    expect(world.known(other).known.breaker.score(Date.now())).toBe(0);
    expect(world.state.inFlight.size).toBe(0);
  });

  test("opens for an engine that keeps breaking off, and new answers begin elsewhere", async () => {
    const world = turnWorld({ replicas: 2 });
    world.faultNext({ fault: "stall_after", after: 5 });
    for (let turn = 0; turn < 4; turn += 1) {
      const result = await underClock(world.chat(body(scripts.prose)));
      expect(readStream(result.text ?? "").errors).toEqual([]);
    }
    expect(world.asked.at(-1)?.replica).not.toBe(world.asked[0]?.replica);
    expect(world.state.inFlight.size).toBe(0);
  });
});

test("the retry budget bounds what goes on: a fleet that always breaks off is not asked four times as much", async () => {
  const world = turnWorld({ replicas: 2 });
  for (const at of [0, 1]) world.setFault(at, { fault: "end_early", after: 5 });
  while (world.state.retryBudget.take(Date.now()));
  const turns = 20;
  await underClock(Promise.all(Array.from({ length: turns }, () => world.chat(body(scripts.prose)))));
  // A fifth of the traffic, and five a second.
  expect(world.asked.length).toBeLessThanOrEqual(turns * 1.2 + 10);
  expect(world.state.inFlight.size).toBe(0);
});
