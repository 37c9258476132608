/** Is every answer that leaves the stream module one of OpenAI's own description? */
import { describe, expect, test } from "vitest";
import { AnswerPass } from "../../src/shared/stream/answer-pass.ts";
import { assembleAnswer } from "../../src/shared/stream/assemble-answer.ts";
import { completionStream, goodStreams } from "../../src/shared/stream/fixtures/engine-streams.ts";
import { replayStream, replayWhole } from "../../src/shared/stream/replay-answer.ts";
import { hasOpenAiSchema, openAiComplaints } from "./openai-schema.ts";

const base = { id: "chatcmpl-1", model: "m", createdMs: 1_700_000_000_000, promptTokens: 3 };
const price = { input: 1, output: 2 };

function chunks(text: string): unknown[] {
  return text
    .split("\n\n")
    .filter((event) => event.startsWith("data: {"))
    .map((event) => JSON.parse(event.slice(6)) as unknown);
}

function chatStream(stream: string, engineApi: "chat" | "completions", choices: number): string {
  const pass = new AnswerPass({
    ...base,
    engineApi,
    format: "openai-chat",
    choices,
    includeUsage: true,
    price,
  });
  return new TextDecoder().decode(pass.push(new TextEncoder().encode(stream)));
}

const cases = [
  ...Object.entries(goodStreams).map(([name, stream]) => ({ name, stream, engineApi: "chat" as const })),
  { name: "completions", stream: completionStream, engineApi: "completions" as const },
];

describe.skipIf(!hasOpenAiSchema).each(cases)("the stream $name", ({ name, stream, engineApi }) => {
  const choices = name === "twoChoices" ? 2 : 1;

  test("gives chunks as OpenAI describes them", () => {
    const all = chunks(chatStream(stream, engineApi, choices));
    expect(all.length).toBeGreaterThan(3);
    for (const chunk of all)
      expect(openAiComplaints("CreateChatCompletionStreamResponse", chunk)).toEqual([]);
  });

  test("assembles and replays to what OpenAI describes", async () => {
    const source = new Blob([stream]).stream();
    const answer = await assembleAnswer(
      source,
      { ...base, price, engineApi, shape: "chat", choices, maxCharacters: 10_000 },
      { firstTokenTimeoutMs: 1000, gapTimeoutMs: 1000, deadlineMs: 1000 },
    );
    const whole = JSON.parse(answer.body ?? "null") as unknown;
    expect(openAiComplaints("CreateChatCompletionResponse", whole)).toEqual([]);
    const cached = answer.collected.toCached("m", 1, answer.totals.usage);
    if (cached === null) return;
    expect(
      openAiComplaints("CreateChatCompletionResponse", JSON.parse(replayWhole(cached, "chat", base))),
    ).toEqual([]);
    for (const chunk of chunks(replayStream(cached, "openai-chat", { ...base, includeUsage: true })))
      expect(openAiComplaints("CreateChatCompletionStreamResponse", chunk)).toEqual([]);
  });
});

test.skipIf(!hasOpenAiSchema)("a text_completion is as OpenAI describes it", async () => {
  const answer = await assembleAnswer(
    new Blob([completionStream]).stream(),
    { ...base, engineApi: "completions", shape: "completion", choices: 1, maxCharacters: 1000 },
    { firstTokenTimeoutMs: 1000, gapTimeoutMs: 1000, deadlineMs: 1000 },
  );
  expect(openAiComplaints("CreateCompletionResponse", JSON.parse(answer.body ?? "null"))).toEqual([]);
});
