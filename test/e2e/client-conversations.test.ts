/** The official client's `conversations.*`, and its `Idempotency-Key` and `store`, against the running product. */
import { NotFoundError, UnprocessableEntityError } from "openai";
import { expect, test } from "vitest";
import { hasOpenAiSchema, openAiComplaints } from "../node/openai-schema.ts";
import { clientFor, unique } from "./product.ts";

test("a conversation is made, looked at, changed, read and deleted", async () => {
  const client = await clientFor();
  const made = await client.conversations.create({
    metadata: { topic: "names" },
    items: [{ type: "message", role: "user", content: "I am Ann." }],
  });
  expect(await client.conversations.retrieve(made.id)).toEqual(made);
  const changed = await client.conversations.update(made.id, { metadata: { topic: "weather" } });
  expect(changed).toEqual({ ...made, metadata: { topic: "weather" } });
  const items = await client.conversations.items.list(made.id, { order: "asc" });
  expect(items.data).toMatchObject([{ type: "message", role: "user" }]);
  const [first] = items.data;
  expect(await client.conversations.items.retrieve(first?.id ?? "", { conversation_id: made.id })).toEqual(
    first,
  );
  expect(await client.conversations.delete(made.id)).toMatchObject({
    id: made.id,
    object: "conversation.deleted",
    deleted: true,
  });
  await expect(client.conversations.retrieve(made.id)).rejects.toBeInstanceOf(NotFoundError);
});

test("items are added to a conversation, paged and taken out of it", async () => {
  const client = await clientFor();
  const { id } = await client.conversations.create({});
  const added = await client.conversations.items.create(id, {
    include: ["message.output_text.logprobs"],
    items: Array.from({ length: 5 }, (_, at) => ({
      type: "message" as const,
      role: "user" as const,
      content: [{ type: "input_text" as const, text: `number ${at}` }],
    })),
  });
  expect(added.data).toHaveLength(5);
  const paged: string[] = [];
  for await (const item of client.conversations.items.list(id, { limit: 2, order: "asc" }))
    paged.push(item.id ?? "");
  expect(paged).toEqual(added.data.map((item) => item.id));
  const left = await client.conversations.items.delete(paged[0] ?? "", { conversation_id: id });
  expect(left).toEqual(await client.conversations.retrieve(id));
  await expect(
    client.conversations.items.retrieve(paged[0] ?? "", { conversation_id: id }),
  ).rejects.toBeInstanceOf(NotFoundError);
});

test("the caller's conversations are listed by the client's own means", async () => {
  const client = await clientFor();
  const made = await client.conversations.create({
    items: [{ type: "message", role: "user", content: "Water the plants" }],
  });
  interface Listed {
    readonly data: readonly { readonly id: string; readonly title: string }[];
  }
  await expect
    .poll(async () => {
      const { data } = await client.get<Listed>("/conversations", { query: { limit: 100 } });
      return data.find(({ id }) => id === made.id)?.title;
    })
    .toBe("Water the plants");
});

test.skipIf(!hasOpenAiSchema)("every object is as OpenAI describes it", async () => {
  const client = await clientFor();
  const made = await client.conversations.create({ metadata: { a: "b" } });
  expect(openAiComplaints("ConversationResource", made)).toEqual([]);
  const list = async (): Promise<unknown> => client.get(`/conversations/${made.id}/items`);
  expect(openAiComplaints("ConversationItemList", await list())).toEqual([]);
  const added = await client.conversations.items.create(made.id, {
    items: [
      { type: "message", role: "user", content: "one" },
      { type: "message", role: "assistant", content: "two" },
    ],
  });
  expect(openAiComplaints("ConversationItemList", added)).toEqual([]);
  expect(openAiComplaints("ConversationItemList", await list())).toEqual([]);
  for (const { id } of added.data) {
    const item = await client.conversations.items.retrieve(id ?? "", { conversation_id: made.id });
    expect(openAiComplaints("ConversationItem", item)).toEqual([]);
  }
  const left = await client.conversations.items.delete(added.data[0]?.id ?? "", { conversation_id: made.id });
  expect(openAiComplaints("ConversationResource", left)).toEqual([]);
  expect(openAiComplaints("ConversationResource", await client.conversations.retrieve(made.id))).toEqual([]);
  const deleted = await client.conversations.delete(made.id);
  expect(openAiComplaints("DeletedConversationResource", deleted)).toEqual([]);
});

test("the same idempotency key gives the same answer, and refuses another question", async () => {
  const client = await clientFor();
  const question = { model: "auto", messages: [{ role: "user" as const, content: "Hi" }] };
  const options = { headers: { "Idempotency-Key": unique("key") } };
  const first = await client.chat.completions.create(question, options);
  expect(await client.chat.completions.create(question, options)).toEqual(first);
  await expect(
    client.chat.completions.create({ ...question, max_tokens: 9 }, options),
  ).rejects.toBeInstanceOf(UnprocessableEntityError);
});

test("an answer with `store` is had again by its id", async () => {
  const client = await clientFor();
  const answer = await client.chat.completions.create({
    model: "auto",
    store: true,
    messages: [{ role: "user", content: "Hi" }],
  });
  expect(await client.chat.completions.retrieve(answer.id)).toEqual(answer);
});
