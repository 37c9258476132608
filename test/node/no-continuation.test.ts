/** When does nobody go on with an answer that broke off? Where the rest would not be the same answer's: then one error event. */
import { describe, expect, test } from "vitest";
import { askedCompletion } from "../../src/shared/turn/asked-completion.ts";
import { parseCompletionRequest } from "../../src/shared/wire/completions-request.ts";
import { body, expectOneEnding, fakeClock, prose } from "./fault-fixture.ts";
import { readStream } from "./read-stream.ts";
import { turnWorld, underClock, type TurnResult, type TurnWorld } from "./turn-world.ts";

fakeClock();

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

  test.each([
    ["thinking", { model: "qwen3-reason" }],
    ["log probabilities", { logprobs: true }],
  ])("a client that waits for all of it (%s) has had nothing, and pays nothing", async (_name, script) => {
    const world = turnWorld({ replicas: 2 });
    world.faultNext(fault);
    const whole = { stream: false, stream_options: undefined, max_tokens: 4000 };
    const result = await underClock(world.chat({ ...body(asked), ...whole, ...script }));
    expect(result).toMatchObject({ text: null, refused: "origin-unavailable" });
    expect(result.charged).toMatchObject([{ tokens: 0, microdollars: 0 }]);
    expect(result.endings[0]?.totals.usage).toMatchObject({ promptTokens: 0, completionTokens: 0 });
    expect(world.asked).toHaveLength(1);
  });

  test("a client that waits for more than fits its time is told so, and not to send it again: what was generated is paid", async () => {
    const world = turnWorld({
      replicas: 2,
      tenant: { requests: { deadline_seconds: 5 } },
      speed: { ttftMs: 1, tokenMs: 500 },
    });
    const whole = { stream: false, stream_options: undefined, max_tokens: 4000 };
    const result = await underClock(world.chat({ ...body(asked), ...whole }));
    expect(result).toMatchObject({ text: null, refused: "deadline-exceeded" });
    expect(result.endings).toMatchObject([{ end: "deadline" }]);
    expect(result.charged[0]?.tokens).toBeGreaterThan(5);
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
  const result = await underClock(world.chat(body(prose)));
  expect(readStream(result.text ?? "").errors).toHaveLength(1);
  expect(world.asked.map(({ replica }) => replica)).toEqual([0, 0, 0, 0]);
});
