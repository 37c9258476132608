/** What goes into the window of a model, what is left out, and what is refused. */
import { describe, expect, test } from "vitest";
import { chatModel, completionsModel, composed, input } from "./compose-fixture.ts";
import { composePrompt } from "./compose.ts";

test("history stands between the instructions and the new turn, and is trimmed to the window", () => {
  const history = Array.from({ length: 200 }, (_, index) => ({
    role: index % 2 === 0 ? "user" : "assistant",
    content: `${index} ${"word ".repeat(100)}`,
  }));
  const request = {
    messages: [
      { role: "system", content: "Be kind." },
      { role: "user", content: "And now?" },
    ],
    max_tokens: 1_000,
  };
  const result = composePrompt(input(request, { history }));
  if (!result.ok) throw new Error(result.error.kind);
  const { messages } = JSON.parse(result.value.body) as { messages: { role: string; content: string }[] };
  expect(messages[0]?.content).toBe("Be kind.");
  expect(messages.at(-1)?.content).toBe("And now?");
  expect(messages[1]?.role).toBe("user");
  expect(messages.length).toBeLessThan(102);
  expect(result.value.promptTokens + 1_000).toBeLessThanOrEqual(8_192);
  // Trimmed for a length that nobody asked for, it leaves that length, which the engine is told.
  const { max_tokens: _asked, ...open } = request;
  const { body } = composed(input(open, { history }));
  expect(body["max_tokens"]).toBeGreaterThan(900);
});

test("a request without history that can't fit is refused with the numbers, never trimmed", () => {
  const long = { messages: [{ role: "user", content: "word ".repeat(10_000) }] };
  expect(composePrompt(input(long))).toMatchObject({
    ok: false,
    error: { kind: "context-too-long", windowTokens: 8_192 },
  });
  const greedy = { messages: [{ role: "user", content: "Hi" }], max_tokens: 8_150 };
  expect(composePrompt(input(greedy)).ok).toBe(true);
  const tooGreedy = { messages: [{ role: "user", content: "Hi ".repeat(100) }], max_tokens: 8_192 };
  expect(composePrompt(input(tooGreedy)).ok).toBe(false);
});

test("a length that nobody asked for is what the window leaves, within the model's own limit", () => {
  const request = { messages: [{ role: "user", content: "Hi" }] };
  const open = composePrompt(input(request));
  expect(open.ok && open.value.maxTokens).toBeGreaterThan(8_000);
  const limited = composePrompt(input(request, { model: { ...chatModel, max_output_tokens: 512 } }));
  expect(limited.ok && limited.value.maxTokens).toBe(512);
});

const words = (count: number) => "word ".repeat(count);

test.each([chatModel, completionsModel])(
  "near the window's end an open length is left to the engine by $api, never cut to a token by our own caution",
  (model) => {
    const long = input({ messages: [{ role: "user", content: words(7_600) }] }, { model });
    const result = composePrompt(long);
    if (!result.ok) throw new Error(result.error.kind);
    expect(result.value.promptTokens).toBeGreaterThan(7_500);
    // An upper bound for the reservation: what is left by the engine's count may be more than by ours.
    expect(result.value.maxTokens).toBeGreaterThan(8_192 - result.value.promptTokens);
    expect(result.value.maxTokens).toBeLessThan(1_500);
    const { body } = composed(long);
    // Plain completions have a default of 16 tokens, which null is not.
    if (model.api === "completions") expect(body["max_tokens"]).toBeNull();
    else expect(body).not.toHaveProperty("max_tokens");
    const limited = composePrompt({ ...long, model: { ...model, max_output_tokens: 512 } });
    expect(limited.ok && limited.value.maxTokens).toBe(512);
  },
);

describe("a conversation whose latest message leaves no room for the history", () => {
  const history = [
    { role: "user", content: "Hi" },
    { role: "assistant", content: "Hello." },
  ];
  const long = (count: number, more: object = {}) =>
    input({ messages: [{ role: "user", content: words(count) }], ...more }, { history });

  test.each([
    [7_300, {}],
    [6_900, { max_tokens: 1_000 }],
  ])("takes the message as it would without a history: %d words, %o", (count, more) => {
    expect(composed(long(count, more)).body["messages"]).toEqual([{ role: "user", content: words(count) }]);
  });

  test("refuses what would be refused without one, with the numbers of what must stay", () => {
    const refused = composePrompt(long(9_500));
    if (refused.ok || refused.error.kind !== "context-too-long") throw new Error("it does not fit");
    expect(refused.error.promptTokens).toBeGreaterThan(9_000);
    expect(refused.error.promptTokens).toBeLessThan(10_000);
  });
});

test("messages that a user added one by one make no turn that can't be shortened; those of the request stay", () => {
  const history = Array.from({ length: 20 }, (_, at) => ({ role: "user", content: `${at} ${words(600)}` }));
  const result = composePrompt(input({ messages: [{ role: "user", content: "And now?" }] }, { history }));
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  const { messages } = JSON.parse(result.value.body) as { messages: { content: string }[] };
  expect(messages.at(-1)?.content).toBe("And now?");
  expect(messages.length).toBeGreaterThan(8);
  expect(messages.at(-2)).toEqual(history.at(-1));
  expect(messages.length).toBeLessThan(21);
  const both = [
    { role: "user", content: words(5_000) },
    { role: "user", content: words(5_000) },
  ];
  expect(composePrompt(input({ messages: both }, { history })).ok).toBe(false);
});

test("a prompt that fits by the estimate itself is never refused for what was learned: the engine counts", () => {
  const long = input({ messages: [{ role: "user", content: words(4_000) }] }, { estimateRatio: 3 });
  expect(composePrompt(long).ok).toBe(true);
  expect(
    composePrompt(input({ messages: [{ role: "user", content: words(9_500) }] }, { estimateRatio: 3 })).ok,
  ).toBe(false);
});

test("a length that is ours to choose is told as such, and can be left to the engine; one of the client's can't", () => {
  const open = input({ messages: [{ role: "user", content: "Hi" }] });
  const told = composePrompt(open);
  expect(told.ok && told.value.lengthIsOurs).toBe(true);
  expect(composed({ ...open, openEnd: true }).body).not.toHaveProperty("max_tokens");
  const left = composePrompt({ ...open, openEnd: true });
  expect(left.ok && left.value.lengthIsOurs).toBe(false);
  const asked = input({ messages: [{ role: "user", content: "Hi" }], max_tokens: 7 }, { openEnd: true });
  expect(composed(asked).body["max_tokens"]).toBe(7);
  const own = composePrompt(asked);
  expect(own.ok && own.value.lengthIsOurs).toBe(false);
});
