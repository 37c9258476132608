/** The official client, unmodified, against the running product: files into a vector store, questions, and what the answers cite. */
import OpenAI, { NotFoundError } from "openai";
import { expect, test } from "vitest";
import type { Citation } from "../../src/shared/grounding/citations.ts";
import { clientFor, until } from "./product.ts";

const rules = "Devices may be returned within thirty days of purchase. Nobody waters the plants on Sundays.";
const question = "Within how many days of purchase may devices be returned?";

/** What the client's types do not know of. */
type Cited<T> = T & { readonly citations?: readonly Citation[] };

async function storeWith(client: OpenAI, filename: string, text: string): Promise<string> {
  const file = await client.files.create({ file: new File([text], filename), purpose: "assistants" });
  const store = await client.vectorStores.create({ name: filename, file_ids: [file.id] });
  await until(async () => (await client.vectorStores.retrieve(store.id)).status === "completed");
  return store.id;
}

test("a chat cites the file that it answers from, whole and streamed", async () => {
  const client = await clientFor();
  const store = await storeWith(client, "rules.md", rules);
  const retrieval = { vector_store_ids: [store] };
  const asked = { model: "auto", messages: [{ role: "user" as const, content: question }], retrieval };
  const whole = (await client.chat.completions.create(asked)) as Cited<OpenAI.ChatCompletion>;
  expect(whole.choices[0]?.message.content).toContain("thirty days of purchase [1]");
  expect(whole.citations).toMatchObject([{ index: 1, filename: "rules.md", start: 0, text: rules }]);
  const stream = client.chat.completions.stream({
    ...asked,
    stream_options: { include_usage: true },
  } as never);
  const final = (await stream.finalChatCompletion()) as Cited<OpenAI.ChatCompletion>;
  expect(final.citations).toEqual(whole.citations);
  expect(final.usage?.prompt_tokens).toBe(whole.usage?.prompt_tokens);
});

test("a response searches by the tool file_search, and the stream helper puts its citations together", async () => {
  const client = await clientFor();
  const store = await storeWith(client, "rules.md", rules);
  const stream = client.responses.stream({
    model: "auto",
    input: question,
    tools: [{ type: "file_search", vector_store_ids: [store], max_num_results: 3 }],
    include: ["file_search_call.results"],
  });
  const seen: string[] = [];
  stream.on("event", (event) => void seen.push(event.type));
  const response = await stream.finalResponse();
  expect(seen).toContain("response.file_search_call.completed");
  expect(seen).toContain("response.output_text.annotation.added");
  const [search, message] = response.output;
  expect(search).toMatchObject({
    type: "file_search_call",
    status: "completed",
    queries: [question],
    results: [{ text: rules }],
  });
  const part = message?.type === "message" ? message.content[0] : undefined;
  if (part?.type !== "output_text") throw new Error("no text");
  const [citation] = part.annotations;
  expect(citation).toMatchObject({ type: "file_citation", filename: "rules.md" });
  const index = citation?.type === "file_citation" ? citation.index : -1;
  expect(part.text.slice(index, index + 3)).toBe("[1]");
  const { text, annotations } = part;
  expect(await client.responses.retrieve(response.id)).toMatchObject({
    output: [search, { content: [{ text, annotations }] }],
  });
});

test("another user's store is not there", async () => {
  const store = await storeWith(await clientFor(), "rules.md", rules);
  const stranger = await clientFor();
  const tools = [{ type: "file_search" as const, vector_store_ids: [store] }];
  const asking = stranger.responses.create({ model: "auto", input: question, tools });
  await expect(asking).rejects.toThrow(NotFoundError);
  await expect(asking).rejects.toMatchObject({ param: "tools[0].vector_store_ids[0]" });
});
