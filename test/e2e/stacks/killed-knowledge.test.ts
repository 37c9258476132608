/**
 * The product on plain workerd, which has no bucket: files lie in parts in the Library objects. It is killed (SIGKILL) while it makes files
 * searchable, and started again on the same state: every file becomes searchable, each once, and what was deleted stays so.
 */
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tokenFor } from "../callers.ts";
import { startRestartedProduct, type RestartedProduct } from "./restarted-product.ts";

let product: RestartedProduct;
beforeAll(async () => {
  product = await startRestartedProduct({ ttftMs: 0, tokenMs: 0 });
});
afterAll(() => product.stop());

/** Some hundred passages: long enough to be killed over. */
function chapter(number: number): string {
  return Array.from(
    { length: 300 },
    (_, at) => `Chapter ${number}, paragraph ${at}. ${"The beacon of number shines over words. ".repeat(12)}`,
  ).join("\n\n");
}

const count = 20;

test("killed three times while files are made searchable, all become so, and the deleted one stays away", async () => {
  const apiKey = await tokenFor();
  const client = new OpenAI({ baseURL: `${product.url}/v1`, apiKey, maxRetries: 0 });
  const ids: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const file = await toFile(Buffer.from(chapter(number)), `chapter-${number}.txt`);
    ids.push((await client.files.create({ file, purpose: "assistants" })).id);
  }
  const store = await client.vectorStores.create({});
  const batch = await client.vectorStores.fileBatches.create(store.id, { file_ids: ids });
  for (const least of [0, 1, 4]) {
    await expect
      .poll(async () => (await client.vectorStores.retrieve(store.id)).file_counts.completed)
      .toBeGreaterThanOrEqual(least);
    if (least === 1) await client.files.delete(ids[count - 1] ?? "");
    const { in_progress: waiting } = (await client.vectorStores.retrieve(store.id)).file_counts;
    expect(waiting).toBeGreaterThan(0);
    await product.kill();
    await product.start();
  }
  const done = await client.vectorStores.fileBatches.poll(store.id, batch.id, { pollIntervalMs: 100 });
  expect(done).toMatchObject({
    status: "completed",
    file_counts: { completed: count - 1, failed: 0, in_progress: 0, total: count - 1 },
  });
  const usage = (await client.vectorStores.retrieve(store.id)).usage_bytes;
  const files = await client.vectorStores.files.list(store.id, { limit: 100 });
  expect(files.data.map(({ id }) => id).sort()).toEqual(ids.slice(0, count - 1).sort());
  expect(files.data.reduce((sum, file) => sum + file.usage_bytes, 0)).toBe(usage);
  for (const number of [0, 6]) {
    const found = await client.vectorStores.search(store.id, { query: `chapter ${number} paragraph 250` });
    expect(found.data.map(({ file_id: id }) => id)).toContain(ids[number]);
  }
  const text = await (await client.files.content(ids[3] ?? "")).text();
  expect(text === chapter(3)).toBe(true);
});
