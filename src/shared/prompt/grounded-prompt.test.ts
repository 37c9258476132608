/** Passages in a whole prompt: where they stand, what gives way to them, and what they give way to. */
import { describe, expect, test } from "vitest";
import type { FoundPassage } from "../retrieval/passage.ts";
import type { ModelRecord } from "../routing/fleet/fleet-config.ts";
import { modelRecord } from "../routing/fleet/model-record-fixture.ts";
import { parseChatRequest } from "../wire/chat-request.ts";
import type { ChatMessage } from "./chat-message.ts";
import { type ComposedPrompt, composePrompt, type ComposeInput } from "./compose.ts";

const model = modelRecord({
  id: "llama-3.1-8b",
  served_name: "m",
  context_window: 4_096,
  template: "llama-3.1",
});
const words = (count: number): string => "word ".repeat(count);

function passages(count: number, length = 100): FoundPassage[] {
  return Array.from({ length: count }, (_, ordinal) => ({
    fileId: "file-1",
    filename: "a.md",
    attributes: {},
    ordinal,
    text: `Passage ${ordinal}. ${words(length)}`,
    start: 0,
    end: 1,
    score: 1 - ordinal / 100,
  }));
}

function composed(
  request: object,
  more: Partial<ComposeInput> = {},
): ComposedPrompt & { messages: ChatMessage[] } {
  const parsed = parseChatRequest(
    JSON.stringify({
      model: "auto",
      messages: [{ role: "user", content: "And now?" }],
      ...request,
    }),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const result = composePrompt({
    request: parsed.value,
    history: [],
    defaultSystemPrompt: "Be kind.",
    model,
    estimateRatio: 1,
    stream: true,
    cacheSalt: null,
    affinitySeed: 7,
    spotlight: null,
    passages: null,
    ...more,
  });
  if (!result.ok) throw new Error(result.error.kind);
  const { messages } = JSON.parse(result.value.body) as { messages: ChatMessage[] };
  return { ...result.value, messages };
}

const history = Array.from({ length: 12 }, (_, at) => ({
  role: at % 2 === 0 ? "user" : "assistant",
  content: `${at} ${words(250)}`,
}));

test("everything before the question is byte for byte what it is without passages", () => {
  const plain = composed({ max_tokens: 50 }, { history: history.slice(-2) });
  const grounded = composed({ max_tokens: 50 }, { history: history.slice(-2), passages: passages(3) });
  expect(grounded.messages.slice(0, -1)).toEqual(plain.messages.slice(0, -1));
  expect(grounded.messages.at(-1)?.content).toMatch(/^<passages>[^]*<\/passages>\n\nAnd now\?$/);
  expect(grounded.shownPassages).toBe(3);
  expect(grounded.promptTokens).toBeGreaterThan(plain.promptTokens + 300);
  expect(plain).not.toHaveProperty("shownPassages");
});

test("the same holds for a model whose template we render", () => {
  const rendered: ModelRecord = { ...model, api: "completions" };
  const promptOf = (more: Partial<ComposeInput>): string => {
    const parsed = parseChatRequest(
      JSON.stringify({
        model: "auto",
        messages: [{ role: "user", content: "And now?" }],
        max_tokens: 9,
      }),
    );
    if (!parsed.ok) throw new Error("refused");
    const result = composePrompt({
      request: parsed.value,
      history: [],
      defaultSystemPrompt: "Be kind.",
      model: rendered,
      estimateRatio: 1,
      stream: true,
      cacheSalt: null,
      affinitySeed: null,
      spotlight: null,
      passages: null,
      ...more,
    });
    if (!result.ok) throw new Error(result.error.kind);
    return (JSON.parse(result.value.body) as { prompt: string }).prompt;
  };
  const [plain, grounded] = [promptOf({}), promptOf({ passages: passages(1) })];
  expect(grounded.startsWith(plain.slice(0, plain.indexOf("And now?")))).toBe(true);
  expect(grounded).toContain("<passages>");
});

test("the history gives way to them, its oldest turns first", () => {
  const plain = composed({ max_tokens: 500 }, { history });
  const grounded = composed({ max_tokens: 500 }, { history, passages: passages(8) });
  expect(grounded.shownPassages).toBeGreaterThan(5);
  expect(grounded.messages.length).toBeLessThan(plain.messages.length);
  expect(grounded.messages.at(-2)).toEqual(plain.messages.at(-2));
  expect(grounded.promptTokens + 500).toBeLessThanOrEqual(4_096);
});

test("they have a quarter of the window at most, the best of them", () => {
  const { shownPassages = 0, messages } = composed({ max_tokens: 50 }, { passages: passages(40) });
  expect(shownPassages).toBeGreaterThan(5);
  expect(shownPassages).toBeLessThan(11);
  expect(JSON.stringify(messages)).toContain(`Passage ${shownPassages - 1}.`);
  expect(JSON.stringify(messages)).not.toContain(`Passage ${shownPassages}.`);
});

describe("what the request itself brings, and its answer, come first", () => {
  test.each([
    ["a long question", { max_tokens: 50, messages: [{ role: "user", content: words(3_700) }] }],
    ["a long answer", { max_tokens: 3_900 }],
    [
      "long instructions",
      {
        max_tokens: 50,
        messages: [
          { role: "system", content: words(3_700) },
          { role: "user", content: "Hi" },
        ],
      },
    ],
  ])("%s", (_, request) => {
    const plain = composed(request);
    const { shownPassages, ...grounded } = composed(request, { passages: passages(8) });
    expect(shownPassages).toBe(0);
    expect(grounded).toEqual(plain);
  });
});

test("behind a tool's result they stand where they stood: in front of the question", () => {
  const call = { id: "c", type: "function", function: { name: "look", arguments: "{}" } };
  const question = { role: "user", content: "What is there?" };
  const first = composed({ messages: [question] }, { passages: passages(2) });
  const messages = [
    question,
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", content: "seen", tool_call_id: "c" },
  ];
  const second = composed({ messages }, { passages: passages(2) });
  expect(second.messages.slice(0, 2)).toEqual(first.messages);
  const result = { messages: [{ role: "tool", content: "seen", tool_call_id: "c" }], conversation_id: "c" };
  const stored = [question, { role: "assistant", content: null, tool_calls: [call] }];
  const third = composed(result, { history: stored, passages: passages(2) });
  expect(third.messages.slice(0, 2)).toEqual(first.messages);
});
