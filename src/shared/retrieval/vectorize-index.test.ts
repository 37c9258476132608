import { expect, test } from "vitest";
import { FakeVectorize } from "../../../test/workers/fake-vectorize.ts";
import type { VectorOwner } from "./ports.ts";
import { type VectorizeBinding, vectorizeVectors } from "./vectorize-index.ts";

// The published declaration of the binding: what is used of it no longer compiles where it differs.
declare const published: Vectorize;
type Used = typeof published extends VectorizeBinding ? true : never;
const used: Used = true;

function promptVectorize(dimensions: number): FakeVectorize {
  const binding = new FakeVectorize(dimensions);
  binding.isPrompt = true;
  return binding;
}

const east = Float32Array.of(1, 0);
const north = Float32Array.of(0, 1);
const one: VectorOwner = { tenant: "demo", storeId: "vs_one", embedderId: "lexical" };

test.each([
  ["tenants", { ...one, tenant: "other" }],
  ["stores", { ...one, storeId: "vs_two" }],
  ["embedders", { ...one, embedderId: "fleet:bge:bge" }],
  // Names that meet where they are only put together.
  ["names that end elsewhere", { ...one, tenant: 'demo","vs', storeId: "one" }],
])("vectors of two %s with the same ids keep apart, and no name is told", async (_, other) => {
  expect(used).toBe(true);
  const binding = promptVectorize(2);
  const outside = vectorizeVectors(binding);
  const mine = await outside.of(one);
  const theirs = await outside.of(other);
  await mine.upsert([{ id: 1_048_576, values: east }]);
  await theirs.upsert([{ id: 1_048_576, values: north }]);
  expect(binding.namespaces().size).toBe(2);
  expect(await mine.nearest(east, 10)).toEqual([{ id: 1_048_576, score: 1 }]);
  expect(await theirs.nearest(east, 10)).toEqual([{ id: 1_048_576, score: 0 }]);
  expect([...binding.found.keys()].join()).not.toMatch(/demo|vs_|one|lexical|bge/);
  await mine.remove([1_048_576]);
  expect(await mine.nearest(east, 10)).toEqual([]);
  expect(await theirs.nearest(east, 10)).toHaveLength(1);
});

test("an index that answers with another's vectors is not believed", async () => {
  const binding = promptVectorize(2);
  const outside = vectorizeVectors(binding);
  const theirs = await outside.of({ ...one, tenant: "other" });
  await theirs.upsert([{ id: 7, values: east }]);
  const [id = ""] = binding.found.keys();
  binding.query = () => Promise.resolve({ count: 1, matches: [{ id, score: 1 }] });
  expect(await (await outside.of(one)).nearest(east, 10)).toEqual([]);
});

test("what is over a call's bound goes in several: a thousand are written, a hundred removed", async () => {
  const binding = promptVectorize(2);
  const index = await vectorizeVectors(binding).of(one);
  const ids = Array.from({ length: 2500 }, (_, at) => 9_007_199_254_740_991 - at);
  expect(await index.upsert(ids.map((id) => ({ id, values: east })))).toBe("mutation-3");
  expect(binding.calls.map(({ size }) => size)).toEqual([1000, 1000, 500]);
  expect((await index.nearest(east, 5000)).every(({ id }) => ids.includes(id))).toBe(true);
  expect(await index.nearest(east, 5000)).toHaveLength(100);
  expect(await index.nearest(east, 0)).toHaveLength(1);
  await index.remove(ids);
  expect(binding.calls.filter(({ call }) => call === "deleteByIds").map(({ size }) => size)).toEqual(
    Array.from({ length: 25 }, () => 100),
  );
  expect(binding.found.size).toBe(0);
});

test("a vector that Vectorize can't hold is refused before anything is written", async () => {
  const binding = promptVectorize(2);
  const index = await vectorizeVectors(binding).of(one);
  const wide = { id: 2, values: new Float32Array(1537).fill(1) };
  await expect(index.upsert([{ id: 1, values: east }, wide])).rejects.toThrow(RangeError);
  expect(binding.calls).toEqual([]);
});

test("what has no direction is neither written nor asked for: its cosine with anything is no number", async () => {
  const binding = promptVectorize(2);
  const index = await vectorizeVectors(binding).of(one);
  const nothing = Float32Array.of(0, 0);
  expect(await index.upsert([{ id: 1, values: nothing }])).toBeNull();
  expect(await index.nearest(nothing, 10)).toEqual([]);
  expect(binding.calls).toEqual([]);
  expect(
    await index.upsert([
      { id: 1, values: nothing },
      { id: 2, values: east },
    ]),
  ).toBe("mutation-1");
  expect(binding.found.size).toBe(1);
});

test.each([
  ["nothing was changed yet", null, null, { change: null, changeMs: null }],
  [
    "as the documentation has it",
    "m-1",
    "2026-11-30T10:00:00Z",
    { change: "m-1", changeMs: 1_796_032_800_000 },
  ],
  ["as the declaration has it", 7, 1_796_032_800_000, { change: null, changeMs: 1_796_032_800_000 }],
  ["anything else", {}, "yesterday", { change: null, changeMs: null }],
])("how far an index is, is read however it is said: %s", async (_, mutation, datetime, expected) => {
  const describe = () =>
    Promise.resolve({
      dimensions: 1024,
      vectorCount: 3,
      processedUpToMutation: mutation,
      processedUpToDatetime: datetime,
    });
  const outside = vectorizeVectors(Object.assign(new FakeVectorize(1024), { describe }));
  expect(await outside.state()).toEqual({ dimensions: 1024, vectors: 3, ...expected });
});

test("an index that does not say its dimensions is one that failed", async () => {
  const describe = () => Promise.resolve({} as Awaited<ReturnType<VectorizeBinding["describe"]>>);
  const outside = vectorizeVectors(Object.assign(new FakeVectorize(2), { describe }));
  await expect(outside.state()).rejects.toThrow(TypeError);
});
