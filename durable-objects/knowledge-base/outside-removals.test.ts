/** A vector store too large to compare its vectors, with an index outside: what is left there of what was removed, or is not to be there any more. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { OutsideProbe } from "../../test/workers/outside-probe.ts";
import { alarmsWait } from "../../test/workers/alarms-wait.ts";

alarmsWait();

const names = (id: string, passages: number) => Array.from({ length: passages }, (_, at) => `${id}${at}`);

test("a file that is deleted is found no more at once, and its vectors go from the index", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 6), probe.words("b", 5)]);
  await probe.settled();
  expect(probe.vectorize.found.size).toBe(11);
  await probe.stub.forgetFile({ ...probe.message, fileId: "a" });
  // The index still finds them.
  expect(probe.vectorize.found.size).toBe(11);
  expect(await probe.near()).toEqual(names("b", 5));
  await probe.settled();
  expect(probe.vectorize.found.size).toBe(5);
  expect(await probe.near()).toEqual(names("b", 5));
});

test("a file that is removed while its vectors are on their way leaves none behind", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 4), probe.words("b", 3)]);
  await probe.process();
  const { ringing, go } = await probe.standsStillIn("upsert", "before");
  await probe.stub.forgetFile({ ...probe.message, fileId: "a" });
  await runInDurableObject(probe.stub, () => go.resolve());
  await ringing;
  await probe.settled();
  expect(probe.vectorize.found.size).toBe(3);
  expect(await probe.near()).toEqual(names("b", 3));
});

test.each(["deleted", "expired"])(
  "of a store that is %s nothing stays in the index, however long that takes",
  async (end) => {
    const probe = new OutsideProbe();
    await probe.create([probe.words("a", 6), probe.words("b", 5)], 1000, { expiresAfterDays: 1 });
    await probe.settled();
    probe.vectorize.down.add("deleteByIds");
    if (end === "deleted") await probe.stub.delete(probe.message);
    else {
      await runInDurableObject(probe.stub, (_instance, { storage }) => {
        storage.sql.exec("UPDATE head SET active_ms = 0");
      });
      await probe.ring();
    }
    for (let rings = 0; rings < 3; rings += 1) expect(await probe.ring()).toBe(true);
    // A day later what is left of it is forgotten, but not what is owed.
    if (end === "deleted")
      await runInDurableObject(probe.stub, (_instance, { storage }) => {
        storage.sql.exec("UPDATE head SET deleted_ms = 1");
      });
    await probe.ring();
    expect(probe.vectorize.found.size).toBe(11);
    expect(probe.control.reports.join()).toMatch(/the index of vectors failed/);
    probe.vectorize.down.clear();
    await evictDurableObject(probe.stub);
    await probe.settled();
    probe.vectorize.settle();
    expect(probe.vectorize.found.size).toBe(0);
    if (end === "expired") return;
    await probe.ring();
    await runInDurableObject(probe.stub, (_instance, { storage }) => {
      expect(
        storage.sql.exec("SELECT name FROM sqlite_master WHERE name IN ('head', 'outside_block')").toArray(),
      ).toEqual([]);
    });
  },
);

test("a store that becomes small, or may have no vectors outside any more, takes them back", async () => {
  for (const take of [
    (probe: OutsideProbe) => probe.stub.forgetFile({ ...probe.message, fileId: "a" }),
    (probe: OutsideProbe) =>
      probe.stub.attach({ ...probe.message, files: [probe.words("b", 2)], batchId: null, maxPassages: 12 }),
  ]) {
    const probe = new OutsideProbe();
    await probe.create([probe.words("a", 6), probe.words("b", 2)]);
    await probe.settled();
    expect(probe.vectorize.found.size).toBe(8);
    await take(probe);
    const left = await probe.near();
    for (let rings = 0; rings < 6; rings += 1) {
      await probe.ring();
      probe.vectorize.settle();
      expect(await probe.near()).toEqual(left);
    }
    expect(left).toEqual(expect.arrayContaining(names("b", 2)));
    expect(probe.vectorize.found.size).toBe(0);
  }
});

test("a tenant that wants no vectors outside any more has none there, though no file is ever attached again", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 6), probe.words("b", 2)]);
  await probe.settled();
  expect(probe.vectorize.found.size).toBe(8);
  // The daily look after the index, while nobody can say what the tenant wants: all stays.
  await probe.ring();
  expect(probe.vectorize.found.size).toBe(8);
  // Another number of such as lie outside may be an older one: the next file brings it.
  probe.control.mostPassages = 500;
  await probe.ring();
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.sql.exec("SELECT max_passages FROM head").one()).toEqual({ max_passages: 1000 });
  });
  probe.control.mostPassages = 12;
  for (let rings = 0; rings < 4; rings += 1) {
    await probe.ring();
    probe.vectorize.settle();
    expect(await probe.near()).toEqual([...names("a", 6), ...names("b", 2)]);
  }
  expect(probe.vectorize.found.size).toBe(0);
  expect(await probe.ring()).toBe(false);
});

test("an index that is bound no more is done without, and what is owed to it waits for it", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 6), probe.words("b", 5)]);
  await probe.settled();
  probe.control.vectorize = null;
  expect(await probe.near()).toEqual([...names("a", 6), ...names("b", 5)]);
  await probe.stub.delete(probe.message);
  await probe.ring();
  await probe.ring();
  expect(probe.control.reports.join()).toMatch(/lie in an index that is not bound/);
  probe.control.vectorize = probe.vectorize;
  await probe.settled();
  expect(probe.vectorize.found.size).toBe(0);
});

test("code that knows of no index, as after a roll-back, compares everything, and what it removed is removed later", async () => {
  const probe = new OutsideProbe();
  await probe.create([probe.words("a", 6), probe.words("b", 6)]);
  await probe.settled();
  // As the version before removes a file.
  await runInDurableObject(probe.stub, (_instance, { storage }) => {
    expect(storage.sql.exec("SELECT count(*) AS n FROM passage_vectors").one()).toEqual({ n: 2 });
    const { number } = storage.sql
      .exec<{ number: number }>("DELETE FROM passage_file WHERE id = 'a' RETURNING number")
      .one();
    const within = [number * 1_048_576, (number + 1) * 1_048_576 - 1];
    for (const statement of [
      "DELETE FROM passage_words WHERE rowid BETWEEN ? AND ?",
      "DELETE FROM passage WHERE id BETWEEN ? AND ?",
      "DELETE FROM passage_vectors WHERE first BETWEEN ? AND ?",
    ])
      storage.sql.exec(statement, ...within);
    storage.sql.exec("DELETE FROM file WHERE id = 'a'");
  });
  await evictDurableObject(probe.stub);
  expect(await probe.near()).toEqual(names("b", 6));
  await probe.settled();
  expect(probe.vectorize.found.size).toBe(6);
});
