import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { findPassages } from "../../src/shared/retrieval/find-passages.ts";
import { lexicalEmbedder, lexicalVector } from "../../src/shared/retrieval/lexical-embedder.ts";
import { lexicalReranker } from "../../src/shared/retrieval/lexical-reranker.ts";
import { PassageStore } from "./passage-store.ts";

/** Any object with SQLite will do. */
function object(name: string) {
  return env.CONVERSATION_INDEX.getByName(`passage-store-test-${name}`);
}

function file(id: string, texts: readonly string[], attributes = {}) {
  return {
    id,
    filename: `${id}.txt`,
    attributes,
    passages: texts.map((text, at) => ({
      text,
      start: at * 1000,
      end: at * 1000 + text.length,
      headings: [],
    })),
    vectors: texts.map(lexicalVector),
    embedderId: lexicalEmbedder.id,
  };
}

const parts = { embedder: lexicalEmbedder, reranker: lexicalReranker };
const search = { maxResults: 10, filters: null, scoreThreshold: 0, rerank: true };

test("in an object: put, find, filter, remove, and its memory lost in between", async () => {
  const stub = object("life");
  await runInDurableObject(stub, (_instance, { storage }) => {
    const store = new PassageStore(storage);
    expect(store.counts().files).toBe(0);
    expect(storage.sql.exec("SELECT count(*) AS n FROM sqlite_master").one()).toEqual({ n: 0 });
    store.put(file("a", ["Replicas restart when the pool drains.", "Bread is baked."], { region: "eu" }));
    store.put(file("b", ["Replicas answer questions.", "東京の天気は晴れです。"], { region: "us" }));
    expect(store.contentVersion()).toBe("2");
  });
  await evictDurableObject(stub);
  await runInDurableObject(stub, async (_instance, { storage }) => {
    const store = new PassageStore(storage);
    const found = await findPassages(
      { ...search, queries: ["When does a replica restart?", "天気"] },
      { ...parts, store },
    );
    if (!found.ok) throw new Error(found.error.kind);
    expect(found.value.passages.map(({ text }) => text)).toEqual(
      expect.arrayContaining(["Replicas restart when the pool drains.", "東京の天気は晴れです。"]),
    );
    expect(found.value.contentVersion).toBe("2");
    const filtered = await findPassages(
      { ...search, queries: ["replicas"], filters: { type: "eq", key: "region", value: "us" } },
      { ...parts, store },
    );
    expect(filtered.ok && filtered.value.passages.every(({ fileId }) => fileId === "b")).toBe(true);
    expect(store.remove("a")).toBe(true);
  });
  await evictDurableObject(stub);
  await runInDurableObject(stub, (_instance, { storage }) => {
    const store = new PassageStore(storage);
    expect(store.byWords("bread drains", 10, "all")).toEqual([]);
    expect(store.counts()).toMatchObject({ files: 1, passages: 2 });
    expect(storage.sql.exec("SELECT count(*) AS n FROM passage").one()).toEqual({ n: 2 });
  });
});

test("a put inside of a transaction that fails is undone with it", async () => {
  await runInDurableObject(object("undone"), (_instance, { storage }) => {
    const store = new PassageStore(storage);
    store.put(file("a", ["as it was"]));
    expect(() =>
      storage.transactionSync(() => {
        store.put(file("a", ["as it should not be"]));
        throw new Error("the caller's own");
      }),
    ).toThrow("the caller's own");
    expect(store.byWords("should", 10, "all")).toEqual([]);
    expect(store.byWords("was", 10, "all").length).toBe(1);
  });
});

test("any text is a query there as well", async () => {
  await runInDurableObject(object("queries"), (_instance, { storage }) => {
    const store = new PassageStore(storage);
    store.put(file("a", ["alpha beta"]));
    for (const query of ['alpha" OR *', "text:alpha", "alpha\u0000", "\ud83d alpha", "alpha ".repeat(20_000)])
      expect(store.byWords(query, 10, "all").length).toBe(1);
    for (const query of ["", '"', "😀", "(", "x".repeat(100_000)])
      expect(store.byWords(query, 10, "all")).toEqual([]);
  });
});

const topics = Array.from({ length: 10_000 }, (_, at) => at);
/** 20 words of a vocabulary of 2,000, and one of its own. */
function passageText(at: number): string {
  const words = Array.from({ length: 20 }, (_, place) => `word${(at * 7919 + place * 104_729) % 2000}x`);
  return `${words.join(" ")} unique${at}y`;
}

test("10,000 passages are put in", { timeout: 240_000 }, async () => {
  await runInDurableObject(object("many"), (_instance, { storage }) => {
    const store = new PassageStore(storage);
    for (let from = 0; from < topics.length; from += 1000)
      store.put(file(`f${from}`, topics.slice(from, from + 1000).map(passageText), { part: from }));
    expect(store.counts()).toMatchObject({ files: 10, passages: 10_000 });
  });
});

test("of 10,000 passages the right one is found by words, 20 times", async () => {
  await runInDurableObject(object("many"), (_instance, { storage }) => {
    const store = new PassageStore(storage);
    for (const at of topics.slice(0, 20).map((one) => one * 499)) {
      const [first] = store.byWords(passageText(at), 100, "all");
      expect(store.passages([{ id: first ?? 0, score: 1 }])[0]?.text).toBe(passageText(at));
    }
  });
});

test("of 10,000 passages the right one is found by vectors, 20 times", async () => {
  await runInDurableObject(object("many"), (_instance, { storage }) => {
    const store = new PassageStore(storage);
    for (const at of topics.slice(0, 20).map((one) => one * 499)) {
      const [first] = store.byVector(lexicalVector(passageText(at)), lexicalEmbedder.id, 100, "all");
      expect(store.passages([{ id: first?.id ?? 0, score: 1 }])[0]?.text).toBe(passageText(at));
    }
  });
});

test("of 10,000 passages the right one is found by a whole search, 20 times", async () => {
  await runInDurableObject(object("many"), async (_instance, { storage }) => {
    const store = new PassageStore(storage);
    for (const at of topics.slice(0, 20).map((one) => one * 499)) {
      const found = await findPassages(
        { ...search, queries: [`What is unique${at}y?`] },
        { ...parts, store },
      );
      expect(found.ok && found.value.passages[0]?.text).toBe(passageText(at));
    }
  });
});

test("a file of 1,000 passages among 10,000 is removed", async () => {
  await runInDurableObject(object("many"), (_instance, { storage }) => {
    const store = new PassageStore(storage);
    expect(store.remove("f5000")).toBe(true);
    expect(store.counts()).toMatchObject({ files: 9, passages: 9000 });
    expect(store.byWords("unique5500y", 10, "all")).toEqual([]);
    expect(store.byWords("unique6000y", 10, "all").length).toBe(1);
  });
});
