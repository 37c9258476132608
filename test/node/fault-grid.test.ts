/**
 * Every fault of the dev fleet, at every token of an answer of 40, on one replica and on two: the client's text is the
 * undisturbed one, or ends in exactly one typed error event; what is charged is what was delivered.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FaultInput } from "../../dev/origin/server/faults.ts";
import { readStream, turnWorld, underClock, type TurnResult } from "./turn-world.ts";

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
const earlyFaults: readonly FaultInput[] = [
  { fault: "refuse" },
  { fault: "cut_before_headers" },
  { fault: "status", status: 500 },
  { fault: "status", status: 429, retry_after: 0 },
  { fault: "slow_headers", delay_ms: 500 },
  { fault: "stall_before_first" },
  { fault: "drip", bytes: 7, interval_ms: 1 },
];

const body = (script: (typeof scripts)[keyof typeof scripts]) => ({
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
          world.setFault(0, { ...fault, times: 1 });
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
