/** The official client where the answer is no prose: tools that it calls, and output in a form that it parses. */
import { zodResponseFormat } from "openai/helpers/zod";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { collect, expectAnswer, expectChunks } from "./openai-answers.ts";
import { clientFor } from "./product.ts";

describe("tools", () => {
  const weather = {
    type: "function" as const,
    function: {
      name: "get_weather",
      description: "The weather of a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  };
  const ask = [{ role: "user" as const, content: "What is the weather in Paris?" }];

  test("are called, whole and streamed, with the same arguments", async () => {
    const client = await clientFor();
    const answer = await client.chat.completions.create({ model: "auto", messages: ask, tools: [weather] });
    expectAnswer(answer);
    expect(answer.choices[0]?.finish_reason).toBe("tool_calls");
    const [call] = answer.choices[0]?.message.tool_calls ?? [];
    expect(call).toMatchObject({ type: "function", function: { name: "get_weather" } });
    const chunks = await collect(
      await client.chat.completions.create({ model: "auto", messages: ask, tools: [weather], stream: true }),
    );
    expectChunks(chunks);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("tool_calls");
    const streamed = await client.chat.completions
      .stream({ model: "auto", messages: ask, tools: [weather] })
      .finalChatCompletion();
    expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({
      function: { name: "get_weather", arguments: call?.type === "function" ? call.function.arguments : "" },
    });
  });

  test.each([false, true])(
    "run in the client's own loop to an answer in words, stream %s",
    async (stream) => {
      const client = await clientFor();
      const asked: unknown[] = [];
      const body = {
        model: "auto",
        messages: ask,
        tools: [
          {
            type: "function" as const,
            function: {
              ...weather.function,
              parse: JSON.parse,
              function: (input: unknown) => {
                asked.push(input);
                return "21 degrees and sunny";
              },
            },
          },
        ],
      };
      const runner = stream
        ? client.chat.completions.runTools({ ...body, stream: true })
        : client.chat.completions.runTools(body);
      expect(await runner.finalContent()).toContain("21 degrees and sunny");
      expect(asked).toEqual([{ city: "Paris" }]);
    },
  );
});

describe("structured output", () => {
  test("is parsed by the client against its own schema", async () => {
    const client = await clientFor();
    const event = z.object({ name: z.string(), participants: z.array(z.string()), year: z.int() });
    const completion = await client.chat.completions.parse({
      model: "auto",
      messages: [{ role: "user", content: 'The party "New Year" is in 2027' }],
      response_format: zodResponseFormat(event, "event"),
    });
    expect(event.parse(completion.choices[0]?.message.parsed)).toMatchObject({
      name: "New Year",
      year: 2027,
    });
    const streamed = await client.chat.completions
      .stream({
        model: "auto",
        messages: [{ role: "user", content: 'The party "New Year" is in 2027' }],
        response_format: zodResponseFormat(event, "event"),
      })
      .finalChatCompletion();
    expect(streamed.choices[0]?.message.parsed).toEqual(completion.choices[0]?.message.parsed);
  });

  test("without a schema is some JSON object", async () => {
    const client = await clientFor();
    const answer = await client.chat.completions.create({
      model: "auto",
      messages: [{ role: "user", content: "Answer in JSON" }],
      response_format: { type: "json_object" },
    });
    expect(JSON.parse(answer.choices[0]?.message.content ?? "")).toBeTypeOf("object");
  });
});
