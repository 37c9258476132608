import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { ChatMessage } from "./chat-message.ts";
import { trimToWindow } from "./window.ts";

interface Priced extends ChatMessage {
  readonly id: number;
  readonly cost: number;
}

/** A conversation as it happens: instructions, then turns, each perhaps with tool calls and their results. */
const turn = fc.record({
  question: fc.integer({ min: 1, max: 60 }),
  tools: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 2 }),
  answer: fc.integer({ min: 1, max: 80 }),
});
const conversation = fc
  .record({ system: fc.integer({ min: 0, max: 50 }), turns: fc.array(turn, { minLength: 1, maxLength: 25 }) })
  .map(({ system, turns }) => {
    const messages: Priced[] = [];
    const add = (role: string, cost: number, more: Partial<ChatMessage> = {}) =>
      messages.push({ id: messages.length, role, content: "", cost, ...more });
    if (system > 0) add("system", system);
    for (const [index, { question, tools, answer }] of turns.entries()) {
      add("user", question);
      for (const cost of tools) {
        add("assistant", cost, { tool_calls: [{}] });
        add("tool", cost);
      }
      if (index < turns.length - 1) add("assistant", answer);
    }
    return messages;
  });
const budget = { windowTokens: 400, answerTokens: 80, fixedTokens: 20 };
const cost = (message: Priced) => message.cost;

test("what is kept fits, has the instructions, the latest turn, whole turns only, and is in order", () => {
  fc.assert(
    fc.property(conversation, (messages) => {
      const result = trimToWindow(messages, cost, budget);
      const lastUser = messages.findLastIndex((message) => message.role === "user");
      const must = messages.filter((message, index) => message.role === "system" || index >= lastUser);
      const least = must.reduce((sum, message) => sum + message.cost, budget.fixedTokens);
      expect(result.ok).toBe(least <= budget.windowTokens - budget.answerTokens);
      if (!result.ok) {
        expect(result.error).toEqual({
          kind: "context-too-long",
          windowTokens: 400,
          answerTokens: 80,
          promptTokens: least,
        });
        return;
      }
      const kept = result.value.messages;
      const sum = kept.reduce((total, message) => total + message.cost, budget.fixedTokens);
      expect(result.value.promptTokens).toBe(sum);
      expect(sum).toBeLessThanOrEqual(320);
      for (const message of must) expect(kept).toContain(message);
      expect([...kept].sort((a, b) => a.id - b.id)).toEqual(kept);
      const first = kept.find((message) => message.role !== "system");
      expect(first?.role).toBe("user");
    }),
    { numRuns: 2_000 },
  );
});

test("while a conversation grows, the cut moves seldom, so that the engine's prefix cache stays useful", () => {
  const messages: Priced[] = [{ id: 0, role: "system", content: "", cost: 20 }];
  let cuts = 0;
  let last = -1;
  const turns = 200;
  for (let index = 0; index < turns; index += 1) {
    messages.push({ id: messages.length, role: "user", content: "", cost: 10 });
    const result = trimToWindow(messages, cost, budget);
    if (!result.ok) throw new Error("it fits");
    const dropped = messages.length - result.value.messages.length;
    if (dropped !== last) cuts += 1;
    last = dropped;
    messages.push({ id: messages.length, role: "assistant", content: "", cost: 10 });
  }
  // A quarter of the window is five turns of twenty tokens.
  expect(cuts).toBeLessThanOrEqual(turns / 4);
});

test("a history that fits is passed on as it is", () => {
  const messages: Priced[] = [{ id: 0, role: "user", content: "", cost: 10 }];
  const result = trimToWindow(messages, cost, budget);
  expect(result.ok && result.value.messages === messages).toBe(true);
});
