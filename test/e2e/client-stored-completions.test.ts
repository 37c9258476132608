/** The official client's `chat.completions.list`, `.update`, `.delete` and `.messages.list`, against the running product. */
import { BadRequestError, NotFoundError } from "openai";
import type { ChatCompletionListParams } from "openai/resources/chat";
import { expect, test } from "vitest";
import { hasOpenAiSchema, openAiComplaints } from "../node/openai-schema.ts";
import { clientFor, unique, until } from "./product.ts";

type Client = Awaited<ReturnType<typeof clientFor>>;

async function ask(client: Client, content: string, more: object = {}) {
  const messages = [
    { role: "system" as const, content: "Be brief." },
    { role: "user" as const, content },
  ];
  const asked = { model: "auto", store: true, max_completion_tokens: 20, messages, ...more };
  return client.chat.completions.create({ ...asked, stream: false });
}

/** Everything that the client's own paging finds. */
async function listed(client: Client, query: ChatCompletionListParams = {}) {
  const all = [];
  for await (const completion of client.chat.completions.list(query)) all.push(completion);
  return all;
}

/** A list may be a moment behind. */
async function listing(client: Client, count: number) {
  return until(async () => {
    const all = await listed(client);
    return all.length === count && all;
  });
}

test("what was stored is listed, found again, changed and forgotten by the client's own means", async () => {
  const client = await clientFor();
  const asked = ["one", "two", "three"];
  const answers = [];
  for (const [at, content] of asked.entries())
    answers.push(
      await ask(client, content, { metadata: { number: String(at), kind: at < 2 ? "low" : "high" } }),
    );
  await ask(client, "not stored", { store: false, metadata: { number: "9" } });
  expect(await listing(client, 3)).toEqual(answers);
  expect(await listed(client, { limit: 1, order: "desc" })).toEqual(answers.toReversed());
  expect(await listed(client, { metadata: { kind: "low" } })).toEqual(answers.slice(0, 2));
  expect(await listed(client, { metadata: { kind: "low", number: "1" }, limit: 1 })).toEqual([answers[1]]);
  expect(await listed(client, { model: answers[0]?.model ?? "" })).toHaveLength(3);
  expect(await listed(client, { model: "no-such-model" })).toEqual([]);

  const [first] = answers;
  if (first === undefined) throw new Error("nothing was answered");
  expect(await client.chat.completions.retrieve(first.id)).toEqual(first);
  const changed = await client.chat.completions.update(first.id, { metadata: { kind: "changed" } });
  expect(changed).toEqual({ ...first, metadata: { kind: "changed" } });
  expect(await client.chat.completions.retrieve(first.id)).toEqual(changed);
  await until(async () => (await listed(client, { metadata: { kind: "changed" } })).length === 1);
  expect(await listed(client, { metadata: { kind: "low" } })).toEqual([answers[1]]);

  expect(await client.chat.completions.delete(first.id)).toEqual({
    id: first.id,
    object: "chat.completion.deleted",
    deleted: true,
  });
  expect(await listed(client)).toEqual(answers.slice(1));
  await expect(client.chat.completions.retrieve(first.id)).rejects.toBeInstanceOf(NotFoundError);
  await expect(client.chat.completions.update(first.id, { metadata: {} })).rejects.toBeInstanceOf(
    NotFoundError,
  );
  await expect(client.chat.completions.messages.list(first.id)).rejects.toBeInstanceOf(NotFoundError);
});

test("the messages that a stored completion was asked with are paged, also of one that streamed", async () => {
  const client = await clientFor();
  const call = { id: "call_1", type: "function" as const, function: { name: "look", arguments: "{}" } };
  const stream = await client.chat.completions.create({
    model: "auto",
    store: true,
    stream: true,
    max_completion_tokens: 20,
    tools: [{ type: "function", function: { name: "look", parameters: { type: "object" } } }],
    messages: [
      { role: "developer", content: "Be brief." },
      { role: "user", name: "ann", content: [{ type: "text", text: "What is there?" }] },
      { role: "assistant", tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: "nothing" },
    ],
  });
  let id = "";
  for await (const chunk of stream) id = chunk.id;
  const found = [];
  for await (const message of client.chat.completions.messages.list(id, { limit: 3 })) found.push(message);
  expect(found).toEqual([
    { id: `${id}-0`, role: "system", content: "Be brief.", refusal: null, name: null, content_parts: null },
    {
      id: `${id}-1`,
      role: "user",
      content: null,
      refusal: null,
      name: "ann",
      content_parts: [{ type: "text", text: "What is there?" }],
    },
    {
      id: `${id}-2`,
      role: "assistant",
      content: null,
      refusal: null,
      name: null,
      tool_calls: [call],
      content_parts: null,
    },
    {
      id: `${id}-3`,
      role: "tool",
      content: "nothing",
      refusal: null,
      name: null,
      tool_call_id: "call_1",
      content_parts: null,
    },
  ]);
  const last = await client.chat.completions.messages.list(id, { order: "desc", limit: 1 });
  expect(last.data).toEqual(found.slice(3));
  expect(last.has_more).toBe(true);
});

test("another user's are as unknown as none, and a filter that can't be is refused by its name", async () => {
  const client = await clientFor();
  const stranger = await clientFor();
  const { id } = await ask(client, unique());
  await listing(client, 1);
  expect(await listed(stranger)).toEqual([]);
  await expect(stranger.chat.completions.update(id, { metadata: {} })).rejects.toBeInstanceOf(NotFoundError);
  await expect(stranger.chat.completions.messages.list(id)).rejects.toBeInstanceOf(NotFoundError);
  for (const [query, param] of [
    [{ after: id }, "after"],
    [{ metadata: { k: "v".repeat(513) } }, "metadata.k"],
    [{ limit: 101 }, "limit"],
  ] as const) {
    const refusal = await stranger.chat.completions.list(query).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(BadRequestError);
    expect(refusal).toMatchObject({ code: "invalid_value", param });
  }
});

test.skipIf(!hasOpenAiSchema)("every object is as OpenAI describes it", async () => {
  const client = await clientFor();
  const { id } = await ask(client, "Hi", { metadata: { a: "b" } });
  await listing(client, 1);
  const get = async (path: string): Promise<unknown> => client.get(path);
  expect(openAiComplaints("ChatCompletionList", await get("/chat/completions"))).toEqual([]);
  expect(openAiComplaints("CreateChatCompletionResponse", await get(`/chat/completions/${id}`))).toEqual([]);
  const changed = await client.chat.completions.update(id, { metadata: null });
  expect(openAiComplaints("CreateChatCompletionResponse", changed)).toEqual([]);
  expect(changed.metadata).toEqual({});
  const messages = (await get(`/chat/completions/${id}/messages`)) as { readonly data: readonly object[] };
  // Their schema knows one role alone, and their own example another.
  const asDescribed = messages.data.map((message) => ({ ...message, role: "assistant" }));
  expect(openAiComplaints("ChatCompletionMessageList", { ...messages, data: asDescribed })).toEqual([]);
  const deleted = await client.chat.completions.delete(id);
  expect(openAiComplaints("ChatCompletionDeleted", deleted)).toEqual([]);
});
