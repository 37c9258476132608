/**
 * The product on plain workerd, which has no bucket: files lie in parts in the Library objects. It is killed (SIGKILL) while it makes files
 * searchable, and started again on the same state: every file becomes searchable, each once, and what was deleted stays so.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startFleet, type RunningFleet } from "../../dev/origin/fleet.ts";
import { startServe, type RunningServe } from "../../dev/serve/start-serve.ts";
import { freePort } from "../../dev/free-ports.ts";
import { tokenFor } from "./product.ts";

let fleet: RunningFleet;
let state: string;
let port: number;
let serve: RunningServe;

async function start(): Promise<RunningServe> {
  return startServe({
    bundles: { ...inject("bundles"), remove: () => Promise.resolve() },
    port,
    router: "in-process",
    fleet: fleet.fleet,
    stateFolder: state,
  });
}

beforeAll(async () => {
  fleet = await startFleet({ basePort: 0, ttftMs: 0, tokenMs: 0 });
  state = await mkdtemp(join(tmpdir(), "edgewise-knowledge-"));
  port = await freePort();
  serve = await start();
});
afterAll(async () => {
  await serve.stop();
  await fleet.stop();
  await rm(state, { recursive: true, force: true });
});

/** Some hundred passages: long enough to be killed over. */
function chapter(number: number): string {
  return Array.from(
    { length: 300 },
    (_, at) => `Chapter ${number}, paragraph ${at}. ${"The beacon of number shines over words. ".repeat(12)}`,
  ).join("\n\n");
}

const count = 20;

async function kill(): Promise<void> {
  process.kill(serve.pid, "SIGKILL");
  await serve.ended;
  serve = await start();
}

test("killed three times while files are made searchable, all become so, and the deleted one stays away", async () => {
  const apiKey = await tokenFor();
  const client = new OpenAI({ baseURL: `${serve.url}/v1`, apiKey, maxRetries: 0 });
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
    await kill();
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
