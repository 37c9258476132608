/** The store of passages over Node's SQLite: what it finds, and what it must never do. Inside workerd: durable-objects/knowledge-base. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { NodeSql } from "../../dev/retrieval/node-sql.ts";
import { PassageStore } from "../../durable-objects/knowledge-base/passage-store.ts";
import type { AttributeFilter } from "../../src/shared/retrieval/attribute-filter.ts";
import { lexicalEmbedder, lexicalVector } from "../../src/shared/retrieval/lexical-embedder.ts";
import { byVector, byWords, empty, passagesOf, put } from "./passage-store-fixture.ts";

test("a store without files has no tables and finds nothing", () => {
  const sql = new NodeSql();
  const store = new PassageStore(sql);
  expect(store.contentVersion()).toBe("0");
  expect(store.counts()).toEqual({ files: 0, passages: 0, characters: 0 });
  expect(byWords(store, "anything")).toEqual([]);
  expect(byVector(store, "anything")).toEqual([]);
  expect(store.remove("file-1")).toBe(false);
  expect(store.setAttributes("file-1", {})).toBe(false);
  expect(store.passageIds("file-1")).toEqual([]);
  expect(sql.sql.exec("SELECT name FROM sqlite_master").toArray()).toEqual([]);
});

test("words and vectors find what says them, whatever its form", () => {
  const store = empty();
  put(store, "a", ["Replicas restart when the pool drains.", "Bread is baked in an oven."]);
  put(store, "b", ["東京の天気は晴れです。", "Crème brûlée"]);
  expect(byWords(store, "Does a replica RESTART?")).toEqual(["Replicas restart when the pool drains."]);
  expect(byWords(store, "天気")).toEqual(["東京の天気は晴れです。"]);
  expect(byWords(store, "creme BRULEE")).toEqual(["Crème brûlée"]);
  expect(byWords(store, "a.txt").length).toBeGreaterThan(0);
  expect(byVector(store, "baking bread")[0]).toBe("Bread is baked in an oven.");
  const [found] = store.passages(store.byVector(lexicalVector("oven"), lexicalEmbedder.id, 1, "all"));
  expect(found).toMatchObject({
    fileId: "a",
    filename: "a.txt",
    ordinal: 1,
    start: 39,
    end: 65,
    headings: [],
  });
});

test("headings and the file's name are searched as well", () => {
  const store = empty();
  store.put({
    id: "a",
    filename: "holiday-policy.md",
    attributes: {},
    passages: [{ text: "Twenty days a year.", start: 0, end: 19, headings: ["Staff", "Leave"] }],
    vectors: null,
    embedderId: "none",
  });
  for (const query of ["leave", "holiday", "staff", "days"]) expect(byWords(store, query).length).toBe(1);
  expect(byVector(store, "days")).toEqual([]);
});

test("filters hold for words and vectors, and a change of attributes is a change of content", () => {
  const store = empty();
  put(store, "eu", ["words of europe"], { region: "eu", year: 2024 });
  put(store, "us", ["words of america"], { region: "us" });
  const eu: AttributeFilter = { type: "eq", key: "region", value: "eu" };
  const never: AttributeFilter = { type: "eq", key: "region", value: "mars" };
  for (const find of [byWords, byVector]) {
    expect(find(store, "words", eu)).toEqual(["words of europe"]);
    expect(find(store, "words", never)).toEqual([]);
    expect(find(store, "words").length).toBe(2);
  }
  const version = store.contentVersion();
  expect(store.setAttributes("us", { region: "eu" })).toBe(true);
  expect(store.contentVersion()).not.toBe(version);
  expect(byWords(store, "words", eu).length).toBe(2);
  const [id = 0] = store.passageIds("us");
  const [one, gone] = [id, id + 1_048_576].map((id) => ({ id, score: 1 }));
  if (one === undefined || gone === undefined) throw new Error("two");
  expect(store.within([one, gone], store.filesThatMeet(never))).toEqual([]);
  expect(store.within([one], store.filesThatMeet(eu))).toEqual([one]);
  // What an index outside still finds of a file that is gone.
  expect(store.within([gone, one], "all")).toEqual([one]);
});

test("vectors of two embedders are never compared", () => {
  const store = empty();
  const vector = lexicalVector("words");
  store.put({
    id: "a",
    filename: "a",
    attributes: {},
    passages: passagesOf("words"),
    vectors: [vector],
    embedderId: "other",
  });
  expect(store.byVector(vector, lexicalEmbedder.id, 10, "all")).toEqual([]);
  expect(store.byVector(vector.slice(0, 10), "other", 10, "all")).toEqual([]);
  expect(store.byVector(vector, "other", 10, "all").length).toBe(1);
});

test("any text is a query: operators, quotes and nonsense are words or nothing", () => {
  const store = empty();
  put(store, "a", ["alpha beta gamma", "NEAR OR AND NOT text headings"]);
  for (const query of [
    '"',
    '""',
    "'; DROP TABLE passage; --",
    'alpha" OR "beta',
    "alpha AND",
    "NEAR(alpha beta)",
    "text:alpha",
    "{text headings}:alpha",
    "^alpha*",
    "-alpha",
    "alpha\u0000beta",
    "(((",
    "😀😀",
    "\ud83d",
    "*",
    "+",
    "alpha ".repeat(20_000),
    Array.from({ length: 20_000 }, (_, at) => `w${at}`).join(" "),
    "x".repeat(100_000),
  ])
    expect(Array.isArray(byWords(store, query)), query.slice(0, 40)).toBe(true);
  expect(byWords(store, "text:alpha")).toContain("alpha beta gamma");
  expect(byWords(store, "alpha\u0000beta")).toEqual(["alpha beta gamma"]);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (query) => {
      expect(Array.isArray(byWords(store, query))).toBe(true);
      expect(Array.isArray(byVector(store, query))).toBe(true);
    }),
  );
});

test("words and vectors that an older version cut are made anew, some at a time, and only then found so", () => {
  const sql = new NodeSql();
  put(new PassageStore(sql), "a", ["我们使用Python编程。", "plain words"], { year: 2026 });
  put(
    new PassageStore(sql),
    "b",
    Array.from({ length: 600 }, (_, at) => `第${at}章 Kapitel${at}`),
  );
  // As the version before left them: mixed letters by pairs, vectors under its own name.
  sql.sql.exec("DROP TABLE passage_recut; ALTER TABLE passage DROP COLUMN page");
  sql.sql.exec("UPDATE passage_schema_version SET version = 1");
  sql.sql.exec("DELETE FROM passage_words WHERE rowid != 1048577");
  sql.sql.exec("UPDATE passage_vectors SET embedder = 'lexical-1-1024', vectors = zeroblob(length(vectors))");
  const store = new PassageStore(sql);
  const find = () => [byWords(store, "python"), byWords(store, "Kapitel599"), byVector(store, "python")];
  expect(find()).toEqual([[], [], []]);
  let steps = 0;
  for (; store.isRecutDue(); steps += 1) store.recutSome();
  // Three times words, the blocks of both files, and that there is no more of either.
  expect(steps).toBeLessThan(12);
  const [words, chapter, near = []] = find();
  expect([words, chapter, near[0]]).toEqual([
    ["我们使用Python编程。"],
    ["第599章 Kapitel599"],
    "我们使用Python编程。",
  ]);
  expect(byWords(store, "plain")).toEqual(["plain words"]);
  store.recutSome();
  expect(new PassageStore(sql).isRecutDue()).toBe(false);
});

test("a store that never had a passage has none to make anew", () => {
  const store = empty();
  store.open();
  expect(store.isRecutDue()).toBe(false);
});

test("a question of nothing but small words is searched by them", () => {
  const store = empty();
  put(store, "a", ["to be or not to be", "words"]);
  expect(byWords(store, "To be, or not to be?")).toEqual(["to be or not to be"]);
});

test("the nearest vectors are those that comparing all of them by hand gives", () => {
  const random = (() => {
    let state = 7;
    return () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state / 2_147_483_648 - 0.5;
    };
  })();
  const dimensions = 48;
  const vectors = Array.from({ length: 1500 }, () => {
    const vector = Float32Array.from({ length: dimensions }, random);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  });
  const store = empty();
  // Blocks of 512: the second file needs more than one.
  for (const [id, of] of [
    ["a", vectors.slice(0, 3)],
    ["b", vectors.slice(3)],
  ] as const)
    store.put({
      id,
      filename: id,
      attributes: {},
      passages: passagesOf(...of.map(() => "x")),
      vectors: of,
      embedderId: "e",
    });
  const query = vectors[700] ?? new Float32Array(dimensions);
  const cosine = (vector: Float32Array) =>
    vector.reduce((sum, value, at) => sum + value * (query[at] ?? 0), 0);
  const found = store.byVector(query, "e", 10, "all");
  const exact = vectors.map(cosine).sort((left, right) => right - left);
  expect(found[0]?.id).toBe(2 * 1_048_576 + 697);
  for (const [at, { score }] of found.entries())
    expect(Math.abs(score - (exact[at] ?? 0))).toBeLessThan(0.01);
});
