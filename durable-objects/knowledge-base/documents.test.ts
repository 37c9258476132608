/** Documents on their way into a store: read by a reader elsewhere, which may break off; and what a store keeps of their pages. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { lexicalEmbedder, lexicalVector } from "../../src/shared/retrieval/lexical-embedder.ts";
import { documentControl, knowledgeControl } from "../../test/workers/gated-knowledge.ts";
import { PassageStore } from "./passage-store.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

async function storeWith(tenant: string, text: string) {
  const owner = { tenant, user: "ann" };
  const message = { v: 1, owner } as const;
  const stub = env.GATED_KNOWLEDGE.getByName(tenant);
  knowledgeControl(tenant).texts.set("a", text);
  const file = {
    fileId: "a",
    filename: "a.pdf",
    purpose: "assistants",
    mediaType: "",
    bytes: text.length,
    storedIn: "bucket",
    attributes: {},
    chunking: { maxTokens: 100, overlapTokens: 0 },
  } as const;
  await stub.create({
    ...message,
    jurisdiction: "none",
    id: `vs_${tenant}`,
    createdMs: Date.now(),
    definition: { name: "n", description: "", metadata: {}, expiresAfterDays: null },
    files: [file],
    maxPassages: 100,
  });
  return {
    ring: async () => {
      await runInDurableObject(stub, (_instance, { storage }) => {
        storage.sql.exec("UPDATE file SET due_ms = 0");
      });
      await runDurableObjectAlarm(stub);
    },
    status: async () => {
      const outcome = await stub.getFile({ ...message, fileId: "a" });
      if (outcome.result !== "ok") return outcome.result;
      return outcome.file.lastError?.code ?? outcome.file.status;
    },
    why: async () => {
      const outcome = await stub.getFile({ ...message, fileId: "a" });
      return outcome.result === "ok" ? outcome.file.lastError?.message : outcome.result;
    },
    pages: async (query: string) => {
      const search = { queries: [query], maxResults: 10, filters: null, scoreThreshold: 0.5, rerank: true };
      const outcome = await stub.search({ ...message, search });
      if (outcome.result !== "ok") throw new Error(outcome.result);
      return outcome.passages.map(({ page }) => page);
    },
  };
}

const filler = "Nothing is said here. ".repeat(40);
const text = `${filler}\f The zyzzyva is a weevil.\n\n${filler}\f Bread is baked. ${filler}`;

test("a reader of documents that breaks off is asked again, six times", async () => {
  const store = await storeWith("documents-broken", text);
  documentControl.fails = 2;
  await store.ring();
  expect(await store.status()).toBe("in_progress");
  await store.ring();
  await store.ring();
  expect([documentControl.fails, await store.status()]).toEqual([0, "completed"]);
  const lost = await storeWith("documents-lost", text);
  documentControl.fails = 6;
  for (let ring = 0; ring < 6; ring += 1) await lost.ring();
  expect([documentControl.fails, await lost.status()]).toEqual([0, "server_error"]);
});

test("a document over which its reader dies is read alone from then on; after the third time it is given up, and it is said why", async () => {
  const store = await storeWith("documents-deadly", text);
  documentControl.deaths = 3;
  documentControl.alone = [];
  await store.ring();
  await store.ring();
  expect(await store.status()).toBe("in_progress");
  await store.ring();
  expect([documentControl.deaths, await store.status()]).toEqual([0, "invalid_file"]);
  expect(await store.why()).toContain("its reader ended over it 3 times");
  expect(documentControl.alone).toEqual([false, true, true]);
  // One that only stood beside such a one is read.
  const neighbour = await storeWith("documents-neighbour", text);
  documentControl.deaths = 1;
  await neighbour.ring();
  await neighbour.ring();
  expect(await neighbour.status()).toBe("completed");
});

test("a passage is found with the page on which it stands", async () => {
  const store = await storeWith("documents-pages", text);
  await store.ring();
  expect(await store.status()).toBe("completed");
  expect(await store.pages("zyzzyva weevil")).toEqual([2]);
  expect(await store.pages("bread baked")).toEqual([3]);
});

/** The passages' tables as the version before made them. */
const before = [
  "CREATE TABLE passage_schema_version (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), version INTEGER NOT NULL)",
  "INSERT INTO passage_schema_version VALUES (1, 1)",
  "CREATE TABLE passage_content (only_row INTEGER PRIMARY KEY, version INTEGER NOT NULL, last_file INTEGER NOT NULL)",
  "INSERT INTO passage_content VALUES (1, 1, 1)",
  "CREATE TABLE passage_file (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, filename TEXT NOT NULL, attributes TEXT NOT NULL, passages INTEGER NOT NULL, characters INTEGER NOT NULL)",
  "INSERT INTO passage_file VALUES (1, 'old', 'old.txt', '{}', 1, 3)",
  "CREATE TABLE passage (id INTEGER PRIMARY KEY, start_at INTEGER NOT NULL, end_at INTEGER NOT NULL, headings TEXT NOT NULL, text TEXT NOT NULL)",
  "INSERT INTO passage (id, start_at, end_at, headings, text) VALUES (1048576, 0, 3, '[]', 'old')",
  "CREATE TABLE passage_vectors (first INTEGER PRIMARY KEY, embedder TEXT NOT NULL, dimensions INTEGER NOT NULL, vectors BLOB NOT NULL)",
  "CREATE VIRTUAL TABLE passage_words USING fts5(text, headings, content = '', contentless_delete = 1, tokenize = 'ascii')",
];

test("what the version before wrote has no pages, and what it writes again after a roll-back is read", async () => {
  const stub = env.CONVERSATION_INDEX.getByName("passage-pages");
  await runInDurableObject(stub, (_instance, { storage }) => {
    for (const statement of before) storage.sql.exec(statement);
    const store = new PassageStore(storage);
    store.put({
      id: "new",
      filename: "new.pdf",
      attributes: {},
      passages: [{ text: "new", start: 0, end: 3, headings: [], page: 7 }],
      vectors: [lexicalVector("new")],
      embedderId: lexicalEmbedder.id,
    });
    storage.sql.exec(
      "INSERT INTO passage (id, start_at, end_at, headings, text) VALUES (1048577, 0, 3, '[]', 'later')",
    );
    const scored = [1_048_576, 1_048_577, 2 * 1_048_576].map((id) => ({ id, score: 1 }));
    expect(store.passages(scored).map(({ text: said, page }) => [said, page])).toEqual([
      ["old", undefined],
      ["later", undefined],
      ["new", 7],
    ]);
  });
});
