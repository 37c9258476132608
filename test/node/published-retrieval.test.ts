/** Does the search of knowledge bases find at least what BM25 is published to find? Runs where the published collections are. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ndcg, readCollection, recall } from "../../dev/retrieval/collection.ts";
import { EvaluatedStore } from "../../dev/retrieval/evaluate.ts";

const folder = `${process.env["EDGEWISE_DATA"] ?? "../shared/data"}/retrieval`;

describe.skipIf(!existsSync(folder))("published collections", () => {
  test.each([
    ["cranfield", 0.368],
    ["cisi", 0.371],
  ])("%s: the default is at least BM25 (nDCG@10 %s)", async (name, published) => {
    const collection = readCollection(join(folder, name));
    const store = await EvaluatedStore.of(collection);
    const words = await store.evaluate(collection.queries, "BM25 alone");
    const usual = await store.evaluate(collection.queries, "hybrid + rerank");
    store.close();
    expect(words.ndcg10).toBeGreaterThanOrEqual(published);
    expect(usual.ndcg10).toBeGreaterThanOrEqual(words.ndcg10);
    expect(usual.recall50).toBeGreaterThanOrEqual(words.recall50);
  });
});

test("measures are those of the books", () => {
  const relevant = new Map([
    ["a", 3],
    ["b", 2],
  ]);
  expect(ndcg(["a", "b"], relevant, 10)).toBe(1);
  expect(ndcg(["b", "a"], relevant, 10)).toBeCloseTo((2 + 3 / Math.log2(3)) / (3 + 2 / Math.log2(3)), 10);
  expect(ndcg(["x", "y"], relevant, 10)).toBe(0);
  expect(ndcg(["x", "a"], relevant, 1)).toBe(0);
  expect(recall(["x", "a"], relevant, 2)).toBe(0.5);
  expect(recall(["x", "a"], relevant, 1)).toBe(0);
});

test("a collection is read as BEIR lays it out, and a small one is searched", async () => {
  const small = mkdtempSync(join(tmpdir(), "edgewise-collection-"));
  const rows = (...all: object[]) => all.map((row) => JSON.stringify(row)).join("\n");
  writeFileSync(
    join(small, "corpus.jsonl"),
    rows({ _id: "d1", title: "Replicas", text: "They restart." }, { _id: "d2", text: "Bread is baked." }),
  );
  writeFileSync(
    join(small, "queries.jsonl"),
    rows({ _id: "q1", text: "baking bread" }, { _id: "q2", text: "nobody judged it" }),
  );
  writeFileSync(join(small, "qrels.tsv"), "query-id\tcorpus-id\tscore\nq1\td2\t2\nq1\td1\t0\n");
  const collection = readCollection(small);
  expect(collection.documents[0]).toEqual({ id: "d1", text: "Replicas\n\nThey restart." });
  expect(collection.queries).toEqual([{ text: "baking bread", relevant: new Map([["d2", 2]]) }]);
  const store = await EvaluatedStore.of(collection);
  for (const way of ["BM25 alone", "vectors alone", "hybrid", "hybrid + rerank"] as const)
    expect(await store.evaluate(collection.queries, way)).toMatchObject({ ndcg10: 1, recall50: 1 });
  store.close();
  rmSync(small, { recursive: true });
});
