/**
 * PDF and Office files by the official client, against the running product and on plain workerd. The files are what real programs write
 * (test/data/documents/README.md).
 */
import { readFile } from "node:fs/promises";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { hasOpenAiSchema, openAiComplaints } from "../node/openai-schema.ts";
import { clientFor, tokenFor } from "./product.ts";
import { startServeWorld, type ServeWorld } from "./serve-world.ts";

const waits = { pollIntervalMs: 50 };
const folder = `${root}test/data/documents/`;

async function storeWith(client: OpenAI, names: readonly string[]) {
  const store = await client.vectorStores.create({});
  for (const name of names) {
    const file = await client.files.create({
      file: await toFile(await readFile(folder + name), name),
      purpose: "assistants",
    });
    const attached = await client.vectorStores.files.createAndPoll(store.id, { file_id: file.id }, waits);
    expect(attached).toMatchObject({ status: "completed", last_error: null });
  }
  return store.id;
}

interface Found {
  readonly data: readonly {
    readonly filename: string;
    readonly attributes: Readonly<Record<string, unknown>>;
    readonly content: readonly { readonly text: string }[];
  }[];
}

/** As it comes over the wire: the client's own page leaves members out. */
async function best(client: OpenAI, storeId: string, query: string) {
  const found: Found = await client.post(`/vector_stores/${storeId}/search`, {
    body: { query, max_num_results: 1 },
  });
  if (hasOpenAiSchema) expect(openAiComplaints("VectorStoreSearchResultsPage", found)).toEqual([]);
  return found.data[0];
}

const names = ["lending.pdf", "handbook.docx", "outlook.pptx", "stock.xlsx"];

/** What only one of them says, where, and in which words. */
async function expectFound(client: OpenAI, storeId: string): Promise<void> {
  const pdf = await best(client, storeId, "What is the fine for a lost atlas?");
  expect(pdf).toMatchObject({ filename: "lending.pdf", attributes: { page: 2 } });
  expect(pdf?.content[0]?.text).toContain(
    "A lost atlas costs forty crowns, whatever its condition was when it was borrowed.",
  );
  const docx = await best(client, storeId, "Who keeps the key of the observatory?");
  expect(docx?.filename).toBe("handbook.docx");
  expect(docx?.content[0]?.text).toContain("Observatory | Mrs. Lindqvist");
  const pptx = await best(client, storeId, "When does the reading garden open?");
  expect(pptx).toMatchObject({ filename: "outlook.pptx", attributes: { page: 2 } });
  const xlsx = await best(client, storeId, "When did the globe arrive?");
  expect(xlsx?.filename).toBe("stock.xlsx");
  expect(xlsx?.content[0]?.text).toContain("Item: Globe | Arrived: 2025-12-01 | Price: 120.5");
}

test("what real programs write is uploaded, becomes searchable and is found", async () => {
  const client = await clientFor();
  await expectFound(client, await storeWith(client, names));
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

let world: ServeWorld;
beforeAll(async () => {
  world = await startServeWorld();
});
afterAll(async () => {
  await world.stop();
});

test("on plain workerd they are read by the same reader", async () => {
  const client = new OpenAI({ baseURL: `${world.url}/v1`, apiKey: await tokenFor(), maxRetries: 0 });
  await expectFound(client, await storeWith(client, names));
});
