import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ok } from "../contracts/result.ts";
import { BestFew } from "./best-few.ts";
import { findPassages, type SearchedFiles, type SearchedStore } from "./find-passages.ts";
import { fuseRanks } from "./fuse.ts";
import { lexicalEmbedder } from "./lexical-embedder.ts";
import { rankByWords } from "./lexical-reranker.ts";
import type { FoundPassage } from "./passage.ts";
import type { Reranker } from "./ports.ts";
import { withoutRepetitions } from "./without-repetitions.ts";

function found(ordinal: number, more: Partial<FoundPassage> = {}): FoundPassage {
  const start = ordinal * 100;
  return {
    fileId: "a",
    filename: "a.txt",
    attributes: {},
    ordinal,
    text: `passage ${ordinal}`,
    start,
    end: start + 100,
    score: 0,
    ...more,
  };
}

/** A store whose lists are given: by words per query, by vectors the same for all. */
function storeOf(byWords: Record<string, number[]>, byVector: number[] = []): SearchedStore {
  return {
    contentVersion: () => "7",
    filesThatMeet: (filter): SearchedFiles => (filter === null ? "all" : [1]),
    countWithin: () => byVector.length,
    byWords: (query) => byWords[query] ?? [],
    byVector: (_vector, _embedder, _limit, _files, covered) =>
      covered === "all" ? [] : byVector.map((id) => ({ id, score: 0.95 })),
    within: (list, files) => (files === "all" ? list : list.filter(({ id }) => files.includes(id))),
    passages: (scored) => scored.map(({ id, score }) => found(id, { score })),
  };
}

const search = { maxResults: 10, filters: null, scoreThreshold: 0, rerank: false };
const byLength: Reranker = {
  id: "length",
  rank: (_query, passages) => Promise.resolve(ok(passages.map((text) => text.length / 100))),
};
const parts = { embedder: lexicalEmbedder, reranker: byLength };

async function ordinals(store: SearchedStore, more: object = {}, moreParts: object = {}) {
  const result = await findPassages(
    { ...search, queries: ["q"], ...more },
    { ...parts, store, ...moreParts },
  );
  if (!result.ok) throw new Error(result.error.kind);
  return result.value.passages.map(({ ordinal }) => ordinal);
}

test("what words and vectors both find is before what one of them finds", async () => {
  expect(
    await ordinals(storeOf({ q: [1, 2, 3] }, [3, 4]), {}, { embedder: { ...lexicalEmbedder, weight: 1 } }),
  ).toEqual([3, 1, 2, 4]);
  // The lexical embedder's list helps, and no more: what words find last does not come first by it.
  const [first, ...rest] = await ordinals(storeOf({ q: [1, 2, 3, 4, 5, 6, 7, 8] }, [8]));
  expect(first).toBe(1);
  expect(rest.indexOf(8)).toBeLessThan(rest.indexOf(7));
});

test("several queries are one search: what more of them find is first", async () => {
  const store = storeOf({ a: [1, 2], b: [3, 2], c: [2] });
  expect(await ordinals(store, { queries: ["a", "b", "c"] })).toEqual([2, 1, 3]);
});

test("scores are shares: first in every list is 1, and nothing is over it", async () => {
  const result = await findPassages(
    { ...search, queries: ["q"] },
    { ...parts, store: storeOf({ q: [1, 2] }, [1]) },
  );
  const scores = result.ok ? result.value.passages.map(({ score }) => score) : [];
  expect(scores[0]).toBe(1);
  expect(scores[1]).toBeLessThan(1);
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          ids: fc.uniqueArray(fc.nat(20), { maxLength: 10 }),
          weight: fc.double({ min: 0, max: 3, noNaN: true }),
        }),
      ),
      (lists) => {
        const fused = fuseRanks(lists);
        expect(new Set(fused.map(({ id }) => id)).size).toBe(fused.length);
        for (const { score } of fused) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1 + 1e-9);
        }
        expect(fused.map(({ score }) => score)).toEqual(
          fused.map(({ score }) => score).toSorted((left, right) => right - left),
        );
      },
    ),
  );
});

test("a reranker's order and scores hold, to its share", async () => {
  const store = storeOf({ q: [1, 10] });
  expect(await ordinals(store, { rerank: true })).toEqual([10, 1]);
  expect(await ordinals(store, { rerank: true }, { reranker: { ...byLength, share: 0.01 } })).toEqual([
    1, 10,
  ]);
  expect(await ordinals(store, { rerank: true, scoreThreshold: 0.095 })).toEqual([10]);
  expect(await ordinals(store, { rerank: true, scoreThreshold: 0.5 })).toEqual([]);
});

test("no more than asked for, and none without a query's word or vector", async () => {
  const many = Array.from({ length: 100 }, (_, at) => at + 1);
  expect((await ordinals(storeOf({ q: many }), { maxResults: 3 })).length).toBe(3);
  expect((await ordinals(storeOf({ q: many }), { maxResults: 50 })).length).toBe(50);
  expect(await ordinals(storeOf({}))).toEqual([]);
  expect(await ordinals(storeOf({}), { rerank: true })).toEqual([]);
});

test("what an index outside finds stands among what the store compares, by nearness, within the files asked for", async () => {
  const nearest = () =>
    Promise.resolve([
      { id: 2, score: 1 },
      { id: 9, score: 0.94 },
      { id: 1, score: 0.9 },
    ]);
  const store = storeOf({}, [9]);
  expect(await ordinals(store, {}, { index: { covers: 3, compares: 9, nearest } })).toEqual([2, 9, 1]);
  expect(await ordinals(store, {}, { index: { covers: "all", compares: 9, nearest } })).toEqual([2, 9, 1]);
  const filters = { type: "eq", key: "a", value: 1 } as const;
  expect(await ordinals(store, { filters }, { index: { covers: "all", compares: 9, nearest } })).toEqual([1]);
});

test("where an index's nearest are mostly others than those asked for, the store compares, as far as it may; else it says that some lack", async () => {
  const hundred = Array.from({ length: 100 }, (_, at) => ({ id: at + 100, score: 0.99 }));
  const filters = { type: "eq", key: "a", value: 1 } as const;
  const store: SearchedStore = {
    ...storeOf({}, []),
    filesThatMeet: () => [1, 2, 3, 4, 5, 101],
    countWithin: () => 6,
    byVector: (_vector, _embedder, _limit, _files, covered) =>
      covered === null ? [1, 2, 3, 4, 5, 101].map((id) => ({ id, score: 1 - id / 1000 })) : [],
  };
  const asked = async (more: object, index: object) => {
    const result = await findPassages(
      { ...search, queries: ["q"], filters, ...more },
      {
        ...parts,
        store,
        index: { covers: "all", compares: 6, nearest: () => Promise.resolve(hundred), ...index },
      },
    );
    if (!result.ok) throw new Error(result.error.kind);
    return [result.value.passages.map(({ ordinal }) => ordinal), result.value.lacking];
  };
  expect(await asked({ maxResults: 5 }, {})).toEqual([[1, 2, 3, 4, 5], undefined]);
  // As many as are wanted are among them.
  expect(await asked({ maxResults: 1 }, {})).toEqual([[101], undefined]);
  expect(await asked({ maxResults: 5 }, { compares: 5 })).toEqual([[101], ["vectors"]]);
  // The bound holds for all queries together.
  expect(await asked({ maxResults: 5, queries: ["q", "r"] }, { compares: 11 })).toEqual([[101], ["vectors"]]);
  expect(await asked({ maxResults: 5, queries: ["q", "r"] }, { compares: 12 })).toEqual([
    [1, 2, 3, 4, 5],
    undefined,
  ]);
  // It named all that it has.
  const ten = () => Promise.resolve(hundred.slice(0, 10));
  expect(await asked({ maxResults: 5 }, { compares: 5, nearest: ten })).toEqual([[101], undefined]);
});

test("an index outside that fails costs what it alone would find, and is told of", async () => {
  const index = { covers: 3, compares: 9, nearest: () => Promise.reject(new Error("down")) };
  const lacks: string[] = [];
  const result = await findPassages(
    { ...search, queries: ["q"] },
    { ...parts, store: storeOf({ q: [1] }, [9]), index, onLack: (part) => lacks.push(part) },
  );
  if (!result.ok) throw new Error(result.error.kind);
  expect(result.value.passages.map(({ ordinal }) => ordinal)).toEqual([1, 9]);
  expect([result.value.lacking, lacks]).toEqual([["vectors"], ["vectors"]]);
});

test("of neighbours that share much of their text the better one stays, of two files both do", () => {
  const one = found(0);
  const half = found(1, { start: 50, end: 150 });
  const apart = found(2, { start: 140, end: 240 });
  const other = found(0, { fileId: "b" });
  expect(withoutRepetitions([one, half, apart, other])).toEqual([one, apart, other]);
  expect(withoutRepetitions([half, one, apart])).toEqual([half, apart]);
  const within = found(3, { start: 10, end: 20 });
  expect(withoutRepetitions([one, within])).toEqual([one]);
});

test("a passage that says what was asked is before one that only says part of it", () => {
  const scores = rankByWords("restart of a replica", [
    "A replica answers questions about bread.",
    "The restart of a replica takes a minute.",
    "Bread is baked.",
    "",
  ]);
  expect(scores[1]).toBeGreaterThan(scores[0] ?? 1);
  expect(scores[0]).toBeGreaterThan(scores[2] ?? 1);
  expect(scores[3]).toBe(0);
  expect(rankByWords("anything", [])).toEqual([]);
  expect(rankByWords("", ["a"])).toHaveLength(1);
});

test("whatever is ranked, scores are numbers of 0 to 1", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }),
      fc.array(fc.string({ unit: "grapheme" }), { maxLength: 6 }),
      (query, passages) => {
        const scores = rankByWords(query, passages);
        expect(scores.length).toBe(passages.length);
        for (const score of scores) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1 + 1e-9);
        }
      },
    ),
  );
});

test("the best few are those of sorting them all", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -5, max: 5 }), { maxLength: 200 }),
      fc.integer({ min: 1, max: 20 }),
      (scores, limit) => {
        const best = new BestFew(limit);
        for (const [id, score] of scores.entries()) best.add(id, score);
        const sorted = scores
          .map((score, id) => ({ id, score }))
          .sort((left, right) => right.score - left.score || left.id - right.id);
        expect(best.toArray()).toEqual(sorted.slice(0, limit));
      },
    ),
  );
});
