/**
 * Every fault of the dev fleet, at every token of an answer of 40, on one replica and on two: the client's text is the
 * undisturbed one, or ends in exactly one typed error event; what is charged is what was delivered.
 */
import { describe, expect, test } from "vitest";
import type { FaultInput } from "../../dev/origin/server/faults.ts";
import { answerTokens, body, expectOneEnding, fakeClock, prose } from "./fault-fixture.ts";
import { piecesOf, readStream } from "./read-stream.ts";
import { turnWorld, underClock, type TurnResult, type TurnWorld } from "./turn-world.ts";

fakeClock();

/** Answers of 40 tokens: blanks of every kind at their seams, surrogate pairs, stop strings, another API. */
const scripts = {
  prose,
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
