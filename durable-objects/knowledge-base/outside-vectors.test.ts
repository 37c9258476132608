/** A vector store too large to compare its vectors, with an index outside: what is found at every moment. */
import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { OutsideProbe } from "../../test/workers/outside-probe.ts";
import { FakeVectorize } from "../../test/workers/fake-vectorize.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

const names = (id: string, passages: number) => Array.from({ length: passages }, (_, at) => `${id}${at}`);

test("a small store has nothing to do with the index, and no tables for it", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 4)]);
  await probe.process();
  expect(await probe.ring()).toBe(false);
  expect(await probe.near()).toEqual(names("a", 4));
  expect(probe.vectorize.calls).toEqual([]);
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'outside%'").toArray()).toEqual(
      [],
    );
  });
});

test("one that grows beyond what is compared is found whole at every step of its way into the index", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 4), probe.words("b", 3)]);
  await probe.process();
  const all = [...names("a", 4), ...names("b", 3)];
  for (let rings = 0; (await probe.owed()) > 0; rings += 1) {
    expect(rings).toBeLessThan(20);
    expect(await probe.near()).toEqual(all);
    await evictDurableObject(probe.stub);
    await probe.ring();
    expect(await probe.near()).toEqual(all);
    if (rings > 2) probe.vectorize.settle(1);
  }
  expect(probe.vectorize.found.size).toBe(7);
  expect(await probe.nearOutside()).toEqual(all);
  expect((await probe.search("qwertzuiop")).lacking).toBeUndefined();
  // It looks after it once a day, and does nothing more.
  const { length } = probe.vectorize.calls;
  await probe.ring();
  expect(probe.vectorize.calls.slice(length).map(({ call }) => call)).toEqual(["describe", "query"]);
});

test("a filter that leaves few passages is answered by comparing them, exactly", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 6), { ...probe.words("b", 2), attributes: { year: 2026 } }]);
  await probe.settled();
  const { length } = probe.vectorize.calls;
  const filters = { type: "eq", key: "year", value: 2026 };
  const { passages } = await probe.search("qwertzuiop", { filters });
  expect(passages.map(({ fileId }) => fileId)).toEqual(["b", "b"]);
  expect(probe.vectorize.calls.length).toBe(length);
});

const gates = (["describe", "upsert", "deleteByIds"] as const).flatMap((call) =>
  (["before", "behind"] as const).map((when) => ({ call, when })),
);

test.for(gates)(
  "killed $when $call: nothing is missed, nothing is left, and all of it ends the same",
  async ({ call, when }) => {
    const probe = new OutsideProbe();
    await probe.create([probe.words("a", 4), probe.words("b", 3)]);
    await probe.process();
    if (call === "deleteByIds") {
      await probe.settled();
      await probe.stub.detachFile({ ...probe.message, fileId: "a" });
    }
    const { ringing } = await probe.standsStillIn(call, when);
    await abortAllDurableObjects();
    await ringing;
    const left = call === "deleteByIds" ? names("b", 3) : [...names("a", 4), ...names("b", 3)];
    expect(await probe.near()).toEqual(left);
    await probe.settled();
    expect(await probe.near()).toEqual(left);
    expect(probe.vectorize.found.size).toBe(left.length);
  },
);

test("while the index is down words find what they find, the answer says what it lacks, and files come in", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 6)]);
  await probe.settled();
  probe.vectorize.down.add("query").add("upsert").add("describe");
  const queries = () => probe.vectorize.calls.filter(({ call }) => call === "query").length;
  const before = queries();
  await probe.attach([probe.words("b", 2)]);
  await probe.process();
  const byWord = await probe.search("zyzzyvaa3x");
  expect(byWord.passages.map(({ fileId, ordinal }) => `${fileId}${ordinal}`)).toContain("a3");
  expect(byWord.lacking).toEqual(["vectors"]);
  // What the index does not have yet is compared.
  expect(await probe.near()).toEqual(names("b", 2));
  // A search behind a failure does not wait for another.
  expect(queries()).toBe(before + 1);
  probe.vectorize.down.clear();
  await evictDurableObject(probe.stub);
  await probe.settled();
  expect(await probe.near()).toEqual([...names("a", 6), ...names("b", 2)]);
});

test("an index that never answers a search is given up, as one that is down", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 6)]);
  await probe.settled();
  probe.vectorize.pass = (call) => (call === "query" ? new Promise(() => undefined) : Promise.resolve());
  const found = await probe.search("zyzzyvaa3x");
  expect(found.passages[0]).toMatchObject({ fileId: "a", ordinal: 3 });
  expect(found.lacking).toEqual(["vectors"]);
});

test("files wait for an index that is behind, and go on with it", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 6), probe.words("b", 6), probe.words("c", 6)]);
  for (let rings = 0; rings < 6; rings += 1) await probe.ring();
  // Twelve are compared, and that is the most: nothing was said to be found yet.
  expect(await probe.view()).toMatchObject({ counts: { completed: 2, in_progress: 1 } });
  expect(await probe.near()).toEqual([...names("a", 6), ...names("b", 6)]);
  await probe.settled();
  expect(await probe.view()).toMatchObject({ counts: { completed: 3, in_progress: 0 } });
  expect(await probe.near()).toEqual([...names("a", 6), ...names("b", 6), ...names("c", 6)]);
});

test("files do not wait for ever: behind an index that is down for long they fail, and say so", async () => {
  const probe = new OutsideProbe();
  probe.vectorize.down.add("upsert");
  await probe.create([probe.words("a", 6), probe.words("b", 6), probe.words("c", 6)]);
  for (let rings = 0; rings < 20; rings += 1) await probe.ring();
  expect(await probe.status("c")).toBe("server_error");
  probe.vectorize.down.clear();
  await probe.settled();
  await probe.attach([probe.words("c", 6)]);
  await probe.settled();
  expect(await probe.status("c")).toBe("completed");
});

test("vectors of other dimensions than the index's are compared here, as many as may be", async () => {
  const probe = new OutsideProbe(new FakeVectorize(8));
  await probe.create([probe.words("a", 6), probe.words("b", 6)]);
  await probe.process();
  for (let rings = 0; rings < 4; rings += 1) await probe.ring();
  expect(probe.vectorize.calls.some(({ call }) => call === "upsert")).toBe(false);
  expect(await probe.near()).toEqual([...names("a", 6), ...names("b", 6)]);
  await probe.attach([probe.words("c", 2)]);
  await probe.process();
  const file = await probe.stub.getFile({ ...probe.message, fileId: "c" });
  expect(file).toMatchObject({
    file: {
      lastError: { code: "invalid_file", message: expect.stringContaining("has room for 0 more") as string },
    },
  });
});

test("a store of a jurisdiction never comes into the index, and keeps to what is compared", async () => {
  const probe = new OutsideProbe();
  await probe.stub.create({
    ...probe.message,
    jurisdiction: "eu",
    id: "vs_eu",
    createdMs: Date.now(),
    definition: probe.definition,
    files: [probe.words("a", 6), probe.words("b", 6)],
    maxPassages: 1000,
  });
  await probe.process();
  expect(await probe.ring()).toBe(false);
  expect(probe.vectorize.calls).toEqual([]);
  expect(await probe.near()).toEqual([...names("a", 6), ...names("b", 6)]);
});

test("two tenants' stores in one index find their own alone", async () => {
  const one = new OutsideProbe();
  const other = new OutsideProbe(one.vectorize);
  for (const probe of [one, other]) {
    await probe.create([probe.words(probe === one ? "a" : "b", 6)]);
    await probe.settled();
  }
  expect(one.vectorize.namespaces().size).toBe(2);
  expect(await one.nearOutside()).toEqual(names("a", 6));
  expect(await other.nearOutside()).toEqual(names("b", 6));
  await one.stub.delete(one.message);
  await one.settled();
  expect(one.vectorize.found.size).toBe(6);
  expect(await other.near()).toEqual(names("b", 6));
});

test("files that are embedded anew by another embedder are another index's, and the old vectors go", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 6), probe.words("b", 6)]);
  await probe.settled();
  probe.control.embedderId = "another";
  // Vectors of two embedders are never compared, there as here.
  expect(await probe.near()).toEqual([]);
  await probe.attach([probe.words("a", 6)]);
  await probe.settled();
  expect(await probe.near()).toEqual(names("a", 6));
  await probe.attach([probe.words("b", 6)]);
  await probe.settled();
  expect([probe.vectorize.found.size, probe.vectorize.namespaces().size]).toEqual([12, 1]);
});

test("an index that was made anew gets everything anew", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 6)]);
  await probe.settled();
  probe.vectorize.found.clear();
  await probe.ring();
  expect(await probe.near()).toEqual(names("a", 6));
  await probe.settled();
  expect(probe.vectorize.found.size).toBe(6);
});
