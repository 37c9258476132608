/** The official client's `conversations.*`, and its `Idempotency-Key` and `store`, against the running product. */
import { NotFoundError, UnprocessableEntityError } from "openai";
import { expect, test } from "vitest";
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
  expect(await client.conversations.delete(made.id)).toEqual({
    id: made.id,
    object: "conversation.deleted",
    deleted: true,
  });
  await expect(client.conversations.retrieve(made.id)).rejects.toBeInstanceOf(NotFoundError);
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
