/** What real programs wrote (test/data/documents/README.md), put into a store by the official client, and found there. */
import { readFile } from "node:fs/promises";
import OpenAI, { toFile } from "openai";
import { expect } from "vitest";
import { root } from "../../dev/local-secrets.ts";
import { hasOpenAiSchema, openAiComplaints } from "../node/openai-schema.ts";

const waits = { pollIntervalMs: 50 };
const folder = `${root}test/data/documents/`;

export async function storeWith(client: OpenAI, names: readonly string[]) {
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

export const documentNames = ["lending.pdf", "handbook.docx", "outlook.pptx", "stock.xlsx"];

/** What only one of the documents says, where, and in which words. */
export async function expectFound(client: OpenAI, storeId: string): Promise<void> {
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
