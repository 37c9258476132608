/** The official client, with only `baseURL` and `apiKey` set, against the running product: what it is used for every day. */
import { NotFoundError, type OpenAI } from "openai";
import { afterEach, describe, expect, test } from "vitest";
import { openAiComplaints, hasOpenAiSchema } from "../node/openai-schema.ts";
import { collect, expectAnswer, expectChunks } from "./openai-answers.ts";
import { clientFor, received, setSpeed, unique, until } from "./product.ts";

const question = [{ role: "user" as const, content: "Explain quantum computing" }];

describe("a chat", () => {
  test("is answered whole", async () => {
    const client = await clientFor();
    const answer = await client.chat.completions.create({ model: "auto", messages: question });
    expectAnswer(answer);
    expect(answer.choices[0]?.message.content).toContain("stand-in");
    expect(answer.choices[0]?.message.content).toContain("You are a helpful assistant.");
    expect(answer.choices[0]?.finish_reason).toBe("stop");
    expect(answer.model).toBe("llama-3.1-8b");
    expect(answer.usage?.total_tokens).toBe(
      (answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0),
    );
  });

  test("streams the same text, and no usage that was not asked for", async () => {
    const client = await clientFor();
    const whole = await client.chat.completions.create({ model: "auto", messages: question });
    const chunks = await collect(
      await client.chat.completions.create({ model: "auto", messages: question, stream: true }),
    );
    expectChunks(chunks);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(
      whole.choices[0]?.message.content,
    );
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.filter(({ usage }) => usage)).toEqual([]);
  });

  test("ends with one usage chunk where it was asked for", async () => {
    const client = await clientFor();
    const chunks = await collect(
      await client.chat.completions.create({
        model: "auto",
        messages: question,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    expectChunks(chunks);
    const [usage, ...more] = chunks.filter((chunk) => chunk.choices.length === 0);
    expect(more).toEqual([]);
    expect(usage).toBe(chunks.at(-1));
    const whole = await client.chat.completions.create({ model: "auto", messages: question });
    expect(usage?.usage?.completion_tokens).toBe(whole.usage?.completion_tokens);
    expect(usage?.usage?.prompt_tokens).toBe(whole.usage?.prompt_tokens);
  });

  test("is put together by the client's own stream helper", async () => {
    const client = await clientFor();
    const runner = client.chat.completions.stream({ model: "auto", messages: question });
    const deltas: string[] = [];
    runner.on("content", (delta) => deltas.push(delta));
    const final = await runner.finalChatCompletion();
    expect(deltas.join("")).toBe(final.choices[0]?.message.content);
  });

  test("has as many choices as asked for, each whole, each different by its variant", async () => {
    const client = await clientFor();
    const answer = await client.chat.completions.create({ model: "auto", messages: question, n: 3 });
    expectAnswer(answer);
    expect(answer.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    const streamed = await client.chat.completions
      .stream({ model: "auto", messages: question, n: 3 })
      .finalChatCompletion();
    const texts = (choices: OpenAI.ChatCompletion.Choice[]) => choices.map(({ message }) => message.content);
    expect(texts(streamed.choices)).toEqual(texts(answer.choices));
  });

  test("carries log probabilities, streamed and whole", async () => {
    const client = await clientFor();
    const body = {
      model: "auto",
      messages: question,
      logprobs: true,
      top_logprobs: 2,
      max_tokens: 4,
    } as const;
    const answer = await client.chat.completions.create(body);
    expectAnswer(answer);
    const content = answer.choices[0]?.logprobs?.content ?? [];
    expect(content).toHaveLength(4);
    expect(content[0]?.top_logprobs).toHaveLength(2);
    const chunks = await collect(await client.chat.completions.create({ ...body, stream: true }));
    expectChunks(chunks);
    expect(chunks.flatMap((chunk) => chunk.choices[0]?.logprobs?.content ?? [])).toEqual(content);
  });

  test("stops at a stop sequence and at max_tokens, and says which", async () => {
    const client = await clientFor();
    const stopped = await client.chat.completions.create({
      model: "auto",
      messages: question,
      stop: ["dev"],
    });
    expect(stopped.choices[0]).toMatchObject({
      finish_reason: "stop",
      message: { content: "I am the stand-in model of the " },
    });
    const cut = await client.chat.completions.create({ model: "auto", messages: question, max_tokens: 3 });
    expect(cut.choices[0]?.finish_reason).toBe("length");
    expect(cut.usage?.completion_tokens).toBe(3);
  });

  test("is the same for the same seed", async () => {
    const client = await clientFor();
    const ask = async (seed: number) =>
      (await client.chat.completions.create({ model: "auto", messages: question, seed, temperature: 1 }))
        .choices[0]?.message.content;
    expect(await ask(7)).toBe(await ask(7));
  });

  test("takes an image as a data URL where the model sees", async () => {
    const client = await clientFor();
    const answer = await client.chat.completions.create({
      model: "qwen3-reason",
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            {
              type: "image_url",
              image_url: {
                url: "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
              },
            },
          ],
        },
      ],
    });
    expectAnswer(answer);
    expect(answer.choices[0]?.message.content).toContain("1 media part");
  });

  test("that reasons gives its thoughts under both names, and counts them", async () => {
    const client = await clientFor();
    const chunks = await collect(
      await client.chat.completions.create({
        model: "qwen3-reason",
        messages: question,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    expectChunks(chunks);
    const deltas = chunks.flatMap((chunk) => chunk.choices[0]?.delta ?? []) as {
      reasoning?: string;
      reasoning_content?: string;
      content?: string;
    }[];
    const joined = (name: "reasoning" | "reasoning_content" | "content") =>
      deltas.map((delta) => delta[name] ?? "").join("");
    expect(joined("reasoning")).toContain("The conversation has");
    expect(joined("reasoning_content")).toBe(joined("reasoning"));
    expect(joined("content")).toContain("stand-in");
    const streamed = chunks.at(-1)?.usage?.completion_tokens_details?.reasoning_tokens ?? 0;
    expect(streamed).toBeGreaterThan(10);
    const whole = await client.chat.completions.create({ model: "qwen3-reason", messages: question });
    expectAnswer(whole);
    expect(whole.choices[0]?.message).toMatchObject({
      reasoning: joined("reasoning"),
      reasoning_content: joined("reasoning"),
      content: joined("content"),
    });
    expect(whole.usage?.completion_tokens_details?.reasoning_tokens).toBe(streamed);
  });
});

describe("models", () => {
  test("are listed and shown, and one that is not there is a NotFoundError", async () => {
    const client = await clientFor();
    const models = await collect(client.models.list());
    expect(models.map(({ id }) => id)).toEqual(expect.arrayContaining(["auto", "llama-3.1-8b", "bge-small"]));
    if (hasOpenAiSchema) for (const model of models) expect(openAiComplaints("Model", model)).toEqual([]);
    expect(await client.models.retrieve("llama-3.1-8b")).toMatchObject({
      id: "llama-3.1-8b",
      object: "model",
    });
    await expect(client.models.retrieve("gpt-4o")).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe("an aborted request", () => {
  afterEach(() => setSpeed({ ttft_ms: 0, token_ms: 0 }));

  // Before the first byte wrangler dev's own proxy keeps the connection; that case runs on plain workerd.
  test("reaches the engine between two tokens", async () => {
    // The engine has ten seconds to hear of it before it is at token 100.
    await setSpeed({ token_ms: 100 });
    const client = await clientFor();
    const requestId = unique("abort");
    const controller = new AbortController();
    const stream = await client.chat.completions.create(
      { model: "auto", messages: [{ role: "user", content: "Write 2000 words" }], stream: true },
      { signal: controller.signal, headers: { "x-request-id": requestId } },
    );
    let chunks = 0;
    for await (const _ of stream) {
      chunks += 1;
      if (chunks === 4) controller.abort();
    }
    const [record] = await until(async () => {
      const records = await received(requestId);
      return records.every(({ state }) => state !== "running") && records;
    });
    expect(record?.state).toBe("aborted");
    expect(record?.generated_tokens).toBeLessThan(100);
  });
});
