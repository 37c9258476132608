/** What does a search find, and what does the index hold, whatever happens to a store and the index beside it? */
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findPassages } from "../../src/shared/retrieval/find-passages.ts";
import { lexicalReranker } from "../../src/shared/retrieval/lexical-reranker.ts";
import { action, bounds, calls, head, OutsideWorld } from "./outside-world.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("whatever comes and goes, fails and is killed: every search finds all that is there, and in the end the index holds that and nothing else", async () => {
  const told = fc.constantFrom("made" as const, "processed" as const);
  await fc.assert(
    fc.asyncProperty(told, fc.array(action, { minLength: 5, maxLength: 60 }), async (tellsTime, actions) => {
      const world = new OutsideWorld();
      world.vectorize.tellsTime = tellsTime;
      for (const one of actions) {
        await world.act(one);
        await world.check();
      }
      await world.drain();
      await world.check();
      const passages = [...world.files.values()].reduce((sum, count) => sum + count, 0);
      if (passages > bounds.from) expect(world.indexed).toBe(passages);
      else expect(world.indexed).toBeLessThanOrEqual(passages);
      // And it is known to find it.
      if (world.moves.blocks.areMade) expect(world.moves.blocks.unseenTakenMs()).toBeNull();
      for (const file of world.files.keys()) world.store.remove(file);
      world.files.clear();
      await world.drain();
      expect(world.indexed).toBe(0);
      expect([world.moves.owes, world.moves.nextDueMs(head)]).toEqual([false, Infinity]);
    }),
    { numRuns: 200 },
  );
});

test("what a killed object had sent may arrive when its file is long gone: it is removed all the same", async () => {
  const world = new OutsideWorld();
  await world.act({ kind: "put", file: 0, passages: 4 });
  await world.act({ kind: "put", file: 1, passages: 4 });
  await world.act({ kind: "kill", call: calls.indexOf("upsert"), when: 0 });
  await world.act({ kind: "remove", file: 0 });
  await world.act({ kind: "step" });
  await world.act({ kind: "step" });
  expect(world.vectorize.calls.some(({ call }) => call === "deleteByIds")).toBe(false);
  expect(world.late.length).toBe(1);
  await world.act({ kind: "later", minutes: 1 });
  world.vectorize.settle();
  expect(world.indexed).toBe(8);
  await world.check();
  await world.drain();
  expect(world.indexed).toBe(4);
});

test("a block that a killed object had sent, and is found, does not show that the second sending has arrived, nor what came with it", async () => {
  const world = new OutsideWorld();
  await world.act({ kind: "put", file: 0, passages: 3 });
  await world.act({ kind: "put", file: 1, passages: 4 });
  await world.act({ kind: "kill", call: calls.indexOf("upsert"), when: 0 });
  await world.act({ kind: "later", minutes: 1 });
  // Anew, and so a block that the killed object did not send; the other goes with it once more.
  await world.act({ kind: "put", file: 0, passages: 3 });
  world.vectorize.settle();
  await world.act({ kind: "step" });
  await world.act({ kind: "later", minutes: 1 });
  await world.act({ kind: "step" });
  await world.act({ kind: "step" });
  await world.check();
  await world.drain();
  await world.check();
  expect([world.indexed, world.moves.blocks.unseenTakenMs()]).toEqual([7, null]);
});

test("a block is known to be found also where the index named another tenant's change in place of its own, and then none", async () => {
  const world = new OutsideWorld();
  await world.act({ kind: "put", file: 0, passages: 6 });
  await world.act({ kind: "put", file: 1, passages: 6 });
  await world.act({ kind: "step" });
  await world.act({ kind: "other" });
  world.vectorize.settle();
  const upserts = () => world.vectorize.calls.filter(({ call }) => call === "upsert").length;
  const before = upserts();
  await world.act({ kind: "later", minutes: 1 });
  await world.act({ kind: "step" });
  expect([upserts(), world.moves.blocks.unseenTakenMs()]).toEqual([before, null]);
  await world.check();
});

test("the same where a search of the index never shows it: one block is sent once more an hour later, whose change tells", async () => {
  const world = new OutsideWorld();
  await world.act({ kind: "put", file: 0, passages: 6 });
  await world.act({ kind: "put", file: 1, passages: 6 });
  await world.act({ kind: "step" });
  await world.act({ kind: "other" });
  world.vectorize.settle();
  // As where more passages are the same to the letter than it names: none of the first of a block.
  world.vectorize.hides = (id) => Number(id.split("/")[1]) % 1_048_576 === 0;
  const upserts = () => world.vectorize.calls.filter(({ call }) => call === "upsert").length;
  const before = upserts();
  const minutes = async (many: number) => {
    for (let minute = 0; minute < many; minute += 1) {
      await world.act({ kind: "later", minutes: 1 });
      await world.act({ kind: "step" });
      world.vectorize.settle();
    }
  };
  await minutes(59);
  expect([upserts(), world.moves.blocks.unseenTakenMs()]).toEqual([before, expect.any(Number)]);
  await minutes(12);
  expect([upserts(), world.moves.blocks.unseenTakenMs()]).toEqual([before + 1, null]);
  world.vectorize.hides = () => false;
  await world.check();
});

test("what was taken out of the index and comes in again is not taken for the copy that is still on its way out", async () => {
  const world = new OutsideWorld();
  world.vectorize.tellsTime = "processed";
  await world.act({ kind: "put", file: 0, passages: 2 });
  await world.act({ kind: "put", file: 1, passages: 6 });
  await world.drain();
  // Small: all of it is taken back, and the index has not carried that out when the store is large again.
  await world.act({ kind: "remove", file: 1 });
  await world.act({ kind: "later", minutes: 3 });
  for (let others = 0; others < 3; others += 1) await world.act({ kind: "other" });
  await world.act({ kind: "step" });
  expect([world.moves.blocks.areAny, world.indexed]).toEqual([false, 8]);
  await world.act({ kind: "put", file: 2, passages: 6 });
  for (let minute = 0; minute < 5; minute += 1) {
    await world.act({ kind: "step" });
    await world.act({ kind: "later", minutes: 1 });
    await world.act({ kind: "settle", most: 1 });
    await world.check();
  }
  while (world.vectorize.waits > 0) {
    world.vectorize.settle(1);
    await world.check();
    await world.act({ kind: "later", minutes: 1 });
    await world.act({ kind: "step" });
    await world.check();
  }
  await world.drain();
  await world.check();
  expect(world.indexed).toBe(8);
});

test("an index that says when it carried out a change, and not when it was made, is not believed to find what came behind that", async () => {
  const world = new OutsideWorld();
  world.vectorize.tellsTime = "processed";
  await world.act({ kind: "put", file: 0, passages: 6 });
  await world.act({ kind: "put", file: 1, passages: 6 });
  await world.drain();
  await world.act({ kind: "put", file: 2, passages: 6 });
  await world.act({ kind: "other" });
  await world.act({ kind: "step" });
  // It is minutes behind, and has come as far as another tenant's change, which was made before.
  await world.act({ kind: "later", minutes: 3 });
  await world.act({ kind: "settle", most: 1 });
  await world.act({ kind: "step" });
  expect(world.indexed).toBe(12);
  await world.check();
  // The next one that it names is another tenant's again: that it finds the block, it shows.
  await world.act({ kind: "other" });
  world.vectorize.settle();
  await world.act({ kind: "later", minutes: 1 });
  await world.act({ kind: "step" });
  expect(world.moves.blocks.unseenTakenMs()).toBeNull();
  await world.check();
});

test("a filter that leaves many passages, none of them among the index's first hundred, is answered by comparing them", async () => {
  const world = new OutsideWorld();
  const put = (id: string, passages: number, year: number, values: Float32Array) =>
    world.store.put({
      id,
      filename: id,
      attributes: { year },
      passages: Array.from({ length: passages }, (_, at) => ({
        text: `${id} ${at}`,
        start: at,
        end: at + 1,
        headings: [],
      })),
      vectors: Array.from({ length: passages }, () => values),
      embedderId: world.embedder.id,
    });
  put("near", 120, 2025, Float32Array.of(1, 0, 0, 0));
  put("far", 8, 2026, Float32Array.of(0.6, 0.8, 0, 0));
  await world.drain();
  expect(world.indexed).toBe(128);
  const filters = { type: "eq", key: "year", value: 2026 } as const;
  const index = world.search.indexFor(head, world.embedder.id, filters);
  if (index === undefined) throw new Error("the index is not asked");
  const found = await findPassages(
    { queries: ["?"], maxResults: 5, filters, scoreThreshold: 0, rerank: false },
    { store: world.store, embedder: world.embedder, reranker: lexicalReranker, index },
  );
  if (!found.ok) throw new Error(found.error.kind);
  expect(found.value.passages.map(({ fileId }) => fileId)).toEqual(Array.from({ length: 5 }, () => "far"));
  expect(found.value.lacking).toBeUndefined();
});
