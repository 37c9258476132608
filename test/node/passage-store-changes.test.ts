/** What is left of a file in the store of passages once it was put again or removed: nothing that is found, and nothing at all. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { NodeSql } from "../../dev/retrieval/node-sql.ts";
import { PassageStore } from "../../durable-objects/knowledge-base/passage-store.ts";
import { byVector, byWords, empty, passagesOf, put } from "./passage-store-fixture.ts";

test("a file put again is found as it is now, and a removed one not at all", () => {
  const store = empty();
  const versions = [store.contentVersion()];
  const note = () => versions.push(store.contentVersion());
  put(store, "a", ["old words", "older words"]);
  note();
  put(store, "b", ["other words"]);
  note();
  put(store, "a", ["new words"]);
  note();
  expect(byWords(store, "words").sort()).toEqual(["new words", "other words"]);
  expect(byVector(store, "old")).not.toContain("old words");
  expect(store.counts()).toEqual({ files: 2, passages: 2, characters: 20 });
  expect(store.remove("a")).toBe(true);
  note();
  expect(store.remove("a")).toBe(false);
  expect(versions[versions.length - 1]).toBe(store.contentVersion());
  expect(byWords(store, "new old words")).toEqual(["other words"]);
  expect(byVector(store, "new words")).toEqual(["other words"]);
  expect(new Set(versions).size).toBe(versions.length);
});

test("nothing of a removed file is left in any table", () => {
  const sql = new NodeSql();
  const store = new PassageStore(sql);
  put(store, "a", ["secret plans", "more of them"]);
  put(store, "a", ["secret plans"]);
  store.remove("a");
  for (const table of ["passage", "passage_file", "passage_vectors"])
    expect(sql.sql.exec(`SELECT * FROM ${table}`).toArray()).toEqual([]);
  expect(
    sql.sql.exec("SELECT rowid FROM passage_words WHERE passage_words MATCH '\"secret\"'").toArray(),
  ).toEqual([]);
});

test("words of a removed file are in no block of the index once they are erased", () => {
  const sql = new NodeSql();
  const store = new PassageStore(sql);
  store.eraseRemovedWords();
  put(store, "a", ["a zebracrossing"]);
  put(store, "b", ["something else"]);
  store.remove("a");
  store.eraseRemovedWords();
  const blocks = sql.sql.exec<{ block: ArrayBuffer }>("SELECT block FROM passage_words_data").toArray();
  const text = blocks.map(({ block }) => Buffer.from(block).toString("latin1")).join();
  expect(text).toContain("someth");
  expect(text).not.toContain("zebra");
  expect(byWords(store, "something")).toEqual(["something else"]);
});

test("words are erased as well from an index that was merged before, file by file, until nothing is left", () => {
  const sql = new NodeSql();
  const store = new PassageStore(sql);
  const letters = "abcdefgh".split("");
  // Terms are kept without what they share with the one before: what is looked for is their ends.
  for (const letter of letters)
    put(store, letter, [`zq${letter}qz and ${"more words ".repeat(20)}`, "plain"]);
  const left = () => {
    const blocks = sql.sql.exec<{ block: ArrayBuffer }>("SELECT block FROM passage_words_data").toArray();
    const text = blocks.map(({ block }) => Buffer.from(block).toString("latin1")).join();
    return "abcdefgh".split("").filter((letter) => text.includes(`${letter}qz`));
  };
  expect(left()).toEqual(letters);
  for (let letter = letters.shift(); letter !== undefined; letter = letters.shift()) {
    store.remove(letter);
    store.eraseRemovedWords();
    expect(left()).toEqual(letters);
    expect(sql.sql.exec("SELECT 1 FROM passage_words_data").toArray().length).toBeGreaterThan(0);
    expect(byWords(store, "plain").length).toBe(letters.length);
  }
});

test("a put that fails leaves the file as it was", () => {
  const store = empty();
  put(store, "a", ["as it was"]);
  const version = store.contentVersion();
  const broken = { id: "a", filename: "a", attributes: {}, embedderId: "e" };
  const passages = passagesOf("one", "two");
  const short = new Float32Array(3);
  for (const vectors of [[short], [short, new Float32Array(4)], [short, Float32Array.of(1, Number.NaN, 0)]])
    expect(() => store.put({ ...broken, passages, vectors })).toThrow(RangeError);
  expect(byWords(store, "was")).toEqual(["as it was"]);
  expect(store.contentVersion()).toBe(version);
});

test("whatever is put and removed, in any order, what is found is what is there", () => {
  const step = fc.oneof(
    fc.record({
      put: fc.constantFrom("a", "b", "c"),
      words: fc.array(fc.constantFrom("one", "two", "three"), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ remove: fc.constantFrom("a", "b", "c") }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const store = empty();
      const model = new Map<string, string[]>();
      for (const one of steps)
        if ("put" in one) {
          put(store, one.put, one.words);
          model.set(one.put, one.words);
        } else expect(store.remove(one.remove)).toBe(model.delete(one.remove));
      for (const word of ["one", "two", "three"]) {
        const there = [...model.values()].flat().filter((text) => text === word);
        expect(byWords(store, word)).toEqual(there);
        expect(byVector(store, word).slice(0, there.length)).toEqual(there);
      }
      expect(store.counts().files).toBe(model.size);
    }),
    { numRuns: 60 },
  );
});
