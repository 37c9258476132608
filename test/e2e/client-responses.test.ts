/** The official client's `responses.*`, unmodified, against the running product. */
import OpenAI, { NotFoundError } from "openai";
import { expect, test } from "vitest";
import { clientFor, unique } from "./product.ts";

test("a response is created, retrieved, listed and deleted", async () => {
  const client = await clientFor();
  const response = await client.responses.create({ model: "auto", input: "Hi", metadata: { a: "b" } });
  expect(response.status).toBe("completed");
  expect(response.output_text.length).toBeGreaterThan(0);
  expect(response.usage?.output_tokens).toBeGreaterThan(0);
  expect(await client.responses.retrieve(response.id)).toEqual(response);
  const items = await client.responses.inputItems.list(response.id, { order: "asc" });
  expect(items.data).toMatchObject([{ type: "message", role: "user", content: [{ text: "Hi" }] }]);
  await client.responses.delete(response.id);
  await expect(client.responses.retrieve(response.id)).rejects.toBeInstanceOf(NotFoundError);
});

test("a prompt is counted as the engine will count it: with tools, instructions, and what it goes on from", async () => {
  const client = await clientFor();
  const model = "llama-3.1-8b";
  const first = await client.responses.create({ model, input: "My name is Ann.", instructions: "Be brief." });
  const asked = {
    model,
    instructions: "Answer in one word.",
    input: [{ role: "user" as const, content: "What is my name? 我叫什么名字？" }],
    tools: [{ type: "function" as const, name: "look", strict: false, parameters: { type: "object" } }],
    previous_response_id: first.id,
  };
  const counted = await client.responses.inputTokens.count(asked);
  expect(counted).toEqual({
    object: "response.input_tokens",
    input_tokens: (await client.responses.create(asked)).usage?.input_tokens,
    edgewise: { basis: "exact" },
  });
  await expect(
    client.responses.inputTokens.count({ ...asked, previous_response_id: "resp_none" }),
  ).rejects.toThrow(NotFoundError);
});

test("the stream helper puts the answer together", async () => {
  const client = await clientFor();
  const stream = client.responses.stream({ model: "auto", input: "Say something." });
  let text = "";
  stream.on("response.output_text.delta", (event) => {
    text += event.delta;
  });
  const response = await stream.finalResponse();
  expect(response.output_text).toBe(text);
  expect(text.length).toBeGreaterThan(0);
});

test("a stream that was left is gone on with behind the last event that was seen", async () => {
  const client = await clientFor();
  const events = await client.responses.create({ model: "auto", input: "Say something.", stream: true });
  const seen: OpenAI.Responses.ResponseStreamEvent[] = [];
  for await (const event of events) {
    seen.push(event);
    if (seen.length === 6) break;
  }
  const [created] = seen;
  const id = created?.type === "response.created" ? created.response.id : "";
  const rest = await client.responses.retrieve(id, {
    stream: true,
    starting_after: seen.at(-1)?.sequence_number ?? 0,
  });
  for await (const event of rest) seen.push(event);
  expect(seen.map((event) => event.sequence_number)).toEqual(seen.map((_, at) => at));
  const last = seen.at(-1);
  expect(last?.type).toBe("response.completed");
  const text = seen.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");
  expect((await client.responses.retrieve(id)).output_text).toBe(text);
});

test("a background response is polled, and one that is cancelled says so", async () => {
  const client = await clientFor();
  const queued = await client.responses.create({ model: "auto", input: "Hi", background: true });
  expect(["queued", "in_progress"]).toContain(queued.status);
  await expect
    .poll(async () => (await client.responses.retrieve(queued.id)).status, { interval: 100 })
    .toBe("completed");
  const other = await client.responses.create({
    model: "auto",
    input: `${"Write a long story. ".repeat(20)}${unique("story")}`,
    background: true,
  });
  const cancelled = await client.responses.cancel(other.id);
  expect(["cancelled", "completed"]).toContain(cancelled.status);
  expect(await client.responses.cancel(other.id)).toEqual(cancelled);
});

test("tools: the model calls, the client answers by the call's id, and the model goes on from there", async () => {
  const client = await clientFor();
  const tools: OpenAI.Responses.FunctionTool[] = [
    {
      type: "function",
      name: "get_weather",
      description: "Current weather of a city",
      strict: false,
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  ];
  const asked = await client.responses.create({
    model: "auto",
    input: "What is the weather in Paris?",
    tools,
    tool_choice: "required",
  });
  const call = asked.output.find((item) => item.type === "function_call");
  expect(call?.name).toBe("get_weather");
  const answered = await client.responses.create({
    model: "auto",
    previous_response_id: asked.id,
    input: [{ type: "function_call_output", call_id: call?.call_id ?? "", output: "18 degrees, sunny" }],
    tools,
  });
  expect(answered.status).toBe("completed");
  expect(answered.output_text.length).toBeGreaterThan(0);
});

test.each([false, true])(
  "functions of a namespace are called by both of their names, sent back and answered; stream %s",
  async (stream) => {
    const client = await clientFor();
    const tools: OpenAI.Responses.NamespaceTool[] = [
      {
        type: "namespace",
        name: "weather",
        description: "What the sky does",
        tools: [
          {
            type: "function",
            name: "get_weather",
            description: "Current weather of a city",
            parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
          },
        ],
      },
    ];
    const question = { model: "auto", input: "What is the weather in Paris?", tools };
    const asked: OpenAI.Responses.Response = stream
      ? await client.responses.stream(question).finalResponse()
      : await client.responses.create(question);
    const call = asked.output.find((item) => item.type === "function_call");
    expect(call).toMatchObject({ name: "get_weather", namespace: "weather" });
    expect(asked.tools).toMatchObject([
      { type: "namespace", name: "weather", tools: [{ name: "get_weather" }] },
    ]);
    if (call === undefined) throw new Error("nothing was called");
    const output = {
      type: "function_call_output" as const,
      call_id: call.call_id,
      output: "18 degrees, sunny",
    };
    const repeated = { role: "user" as const, content: question.input };
    const goingOn: readonly Partial<OpenAI.Responses.ResponseCreateParamsNonStreaming>[] = [
      { previous_response_id: asked.id, input: [output] },
      { input: [repeated, call, output] },
    ];
    for (const going of goingOn) {
      const answered = await client.responses.create({ model: "auto", tools, ...going });
      expect(answered.output_text).toContain("18 degrees, sunny");
    }
  },
);
