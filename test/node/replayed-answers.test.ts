/** A stored answer told as a stream: does a client put together from it what it would be told whole? */
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { replayResponse } from "../../src/shared/responses/replay-response.ts";
import { echoOf } from "../../src/shared/responses/response-object.ts";
import { ResponseWriter } from "../../src/shared/responses/response-writer.ts";
import { AnswerPass } from "../../src/shared/stream/answer-pass.ts";
import { assembleAnswer } from "../../src/shared/stream/assemble-answer.ts";
import { completionStream, goodStreams } from "../../src/shared/stream/fixtures/engine-streams.ts";
import { replayCompletion } from "../../src/shared/stream/replay-stored.ts";
import { journalEvents } from "../../src/shared/turn/durable/gathered.ts";
import { takenResponse } from "../../src/shared/wire/responses-request-fixture.ts";
import { hasOpenAiSchema, openAiComplaints } from "./openai-schema.ts";

const base = { id: "chatcmpl-1", model: "m", createdMs: 1_700_000_000_000, promptTokens: 3 };
const cases = [
  ...Object.entries(goodStreams).map(([name, stream]) => ({ name, stream, engineApi: "chat" as const })),
  { name: "completions", stream: completionStream, engineApi: "completions" as const },
];

function clientOf(text: string): OpenAI {
  return new OpenAI({
    apiKey: "none",
    baseURL: "http://127.0.0.1/v1",
    fetch: () => Promise.resolve(new Response(text, { headers: { "content-type": "text/event-stream" } })),
  });
}

describe.each(cases)("the answer $name", ({ name, stream, engineApi }) => {
  test("of a chat", async () => {
    const choices = name === "twoChoices" ? 2 : 1;
    const { body } = await assembleAnswer(
      new Blob([stream]).stream(),
      { ...base, engineApi, shape: "chat", choices, maxCharacters: 10_000 },
      { firstTokenTimeoutMs: 1000, gapTimeoutMs: 1000, deadlineMs: 1000 },
    );
    const whole = JSON.parse(body ?? "null") as { choices: { message: object; finish_reason: string }[] };
    const text = replayCompletion(JSON.stringify({ ...whole, edgewise: { receipt: "a.b.c" } }));
    const chunks = journalEvents(text).map(({ data }) => data);
    expect(chunks.pop()).toBe("[DONE]");
    for (const chunk of chunks)
      expect(openAiComplaintsOf("CreateChatCompletionStreamResponse", chunk)).toEqual([]);
    expect(chunks.at(-1)).toContain('"edgewise":{"receipt":"a.b.c"}');
    const runner = clientOf(text).chat.completions.stream({ model: "m", messages: [] });
    const told = await runner.finalChatCompletion();
    expect(told).toMatchObject({ id: base.id, model: "m" });
    for (const [at, { message, finish_reason: reason }] of whole.choices.entries()) {
      expect(told.choices[at]?.finish_reason).toBe(reason);
      expect(told.choices[at]?.message).toMatchObject(message);
    }
  });
});

// A response is one answer.
test.each(cases.filter(({ name }) => name !== "twoChoices"))(
  "the answer $name of a response",
  async ({ stream, engineApi }) => {
    const echo = echoOf(takenResponse({ model: "auto", input: "Hi" }));
    const writer = new ResponseWriter({
      identity: { id: "resp_1", createdAt: 1_700_000_000, echo },
      objectName: "o",
      model: "auto",
      background: false,
      guarded: false,
      isJson: false,
      now: () => 1_700_000_001_000,
    });
    const pass = new AnswerPass({
      ...base,
      engineApi,
      format: "none",
      encoder: writer,
      choices: 1,
      includeUsage: false,
    });
    writer.started();
    pass.push(new TextEncoder().encode(stream));
    const whole = JSON.parse(writer.final ?? "null") as object;
    const text = replayResponse(JSON.stringify(whole));
    const events = journalEvents(text).map(
      ({ data }) => JSON.parse(data) as { type: string; sequence_number: number },
    );
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, at) => at));
    for (const event of events)
      expect(openAiComplaintsOf(schemaOf(event.type), JSON.stringify(event))).toEqual([]);
    const told = await clientOf(text).responses.stream({ model: "auto", input: "Hi" }).finalResponse();
    expect(told).toMatchObject(whole);
  },
);

function openAiComplaintsOf(schema: string, json: string): string[] {
  return hasOpenAiSchema ? openAiComplaints(schema, JSON.parse(json)) : [];
}

function schemaOf(type: string): string {
  const words = type.replace("output_text", "text").split(/[._]/);
  return `${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("")}Event`;
}
