/** PDF and Office files by the official client, against the running product. */
import { expect, test } from "vitest";
import { documentNames, expectFound, storeWith } from "./found-documents.ts";
import { clientFor } from "./product.ts";

test("what real programs write is uploaded, becomes searchable and is found", async () => {
  const client = await clientFor();
  await expectFound(client, await storeWith(client, documentNames));
});

test("a grounded chat answers from a PDF and cites its page", async () => {
  const client = await clientFor();
  const storeId = await storeWith(client, ["lending.pdf"]);
  const chat = await client.chat.completions.create({
    model: "auto",
    messages: [{ role: "user", content: "What is the fine for a lost atlas?" }],
    ...({ retrieval: { vector_store_ids: [storeId] } } as object),
  });
  expect(chat.choices[0]?.message.content).toContain("forty crowns");
  const { citations } = chat as unknown as { citations: readonly object[] };
  expect(citations).toContainEqual(expect.objectContaining({ filename: "lending.pdf", page: 2 }));
  const response = await client.responses.create({
    model: "auto",
    input: "What is the fine for a lost atlas?",
    tools: [{ type: "file_search", vector_store_ids: [storeId] }],
    include: ["file_search_call.results"],
  });
  const call = response.output.find(({ type }) => type === "file_search_call");
  expect(call).toMatchObject({
    results: expect.arrayContaining([expect.objectContaining({ attributes: { page: 2 } })]) as unknown,
  });
});
