/** What tests of engines that fail ask for, under a fake clock, and what every answer must keep. */
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { TurnResult } from "./turn-world.ts";

export function fakeClock(): void {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
}

export const answerTokens = 40;

export const prose = { messages: [{ role: "user", content: "Write 60 words about 🧪 queues" }] };

export const body = (script: object): Readonly<Record<string, unknown>> => ({
  temperature: 0,
  model: "llama-3.1-8b",
  max_tokens: answerTokens,
  stream: true,
  stream_options: { include_usage: true },
  ...script,
});

export function expectOneEnding({ charged, endings }: TurnResult): void {
  expect(charged).toHaveLength(1);
  expect(endings).toHaveLength(1);
}
