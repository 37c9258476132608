import { expect, test } from "vitest";
import { type VectorizeBinding, vectorizeIndex } from "./vectorize-index.ts";

// The published declaration of the binding: what is used of it no longer compiles where it differs.
declare const published: Vectorize;
type Used = typeof published extends VectorizeBinding ? true : never;
const used: Used = true;

/** Vectorize's documented shape: ids are one per index, a query is answered within its namespace alone. */
function fakeVectorize() {
  const vectors = new Map<string, { namespace: string; values: Float32Array }>();
  const calls: number[] = [];
  const binding: VectorizeBinding = {
    upsert(batch) {
      calls.push(batch.length);
      if (batch.length > 1000) throw new Error("VECTOR_UPSERT_ERROR: too many vectors");
      for (const { id, namespace, values } of batch) {
        if (new TextEncoder().encode(id).length > 64) throw new Error("VECTOR_UPSERT_ERROR: id too long");
        if (new TextEncoder().encode(namespace).length > 64) throw new Error("namespace too long");
        vectors.set(id, { namespace, values });
      }
      return Promise.resolve({ mutationId: "m" });
    },
    deleteByIds(ids) {
      calls.push(ids.length);
      for (const id of ids) vectors.delete(id);
      return Promise.resolve({ mutationId: "m" });
    },
    query(vector, { topK, namespace }) {
      if (topK > 100) throw new Error("VECTOR_QUERY_ERROR: topK");
      const matches = [...vectors]
        .filter(([, one]) => one.namespace === namespace)
        .map(([id, { values }]) => ({
          id,
          score: values.reduce((sum, value, at) => sum + value * (vector[at] ?? 0), 0),
        }))
        .sort((left, right) => right.score - left.score)
        .slice(0, topK);
      return Promise.resolve({ matches });
    },
  };
  return { binding, vectors, calls };
}

const east = Float32Array.of(1, 0);
const north = Float32Array.of(0, 1);

test("two stores with the same ids keep apart, and neither's name is told", async () => {
  expect(used).toBe(true);
  const { binding, vectors } = fakeVectorize();
  const one = await vectorizeIndex(binding, { tenant: "demo", storeId: "vs_one" });
  const other = await vectorizeIndex(binding, { tenant: "other", storeId: "vs_one" });
  await one.upsert([{ id: "1048576", values: east }]);
  await other.upsert([{ id: "1048576", values: north }]);
  expect(await one.nearest(east, 10)).toEqual([{ id: "1048576", score: 1 }]);
  expect(await other.nearest(east, 10)).toEqual([{ id: "1048576", score: 0 }]);
  expect([...vectors.keys()].join()).not.toMatch(/demo|vs_/);
  await one.remove(["1048576"]);
  expect(await one.nearest(east, 10)).toEqual([]);
  expect(await other.nearest(east, 10)).toHaveLength(1);
});

test("what is over a call's bound goes in several", async () => {
  const { binding, calls } = fakeVectorize();
  const index = await vectorizeIndex(binding, { tenant: "demo", storeId: "vs_one" });
  const ids = Array.from({ length: 2500 }, (_, at) => String(9_007_199_254_740_991 - at));
  await index.upsert(ids.map((id) => ({ id, values: east })));
  await index.remove(ids);
  expect(calls).toEqual([1000, 1000, 500, 1000, 1000, 500]);
  await index.upsert(ids.map((id) => ({ id, values: east })));
  expect(await index.nearest(east, 5000)).toHaveLength(100);
  expect(await index.nearest(east, 0)).toHaveLength(1);
});

test("a vector that Vectorize can't hold is refused before anything is written", async () => {
  const { binding, vectors } = fakeVectorize();
  const index = await vectorizeIndex(binding, { tenant: "demo", storeId: "vs_one" });
  await expect(
    index.upsert([
      { id: "1", values: east },
      { id: "2", values: new Float32Array(1537) },
    ]),
  ).rejects.toThrow(RangeError);
  expect(vectors.size).toBe(0);
});
