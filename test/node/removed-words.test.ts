/** How words of removed passages go from the full-text index where it is large, or all of it goes. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { NodeSql } from "../../dev/retrieval/node-sql.ts";
import { PassageStore } from "../../durable-objects/knowledge-base/passage-store.ts";
import { eraseSomeWords } from "../../durable-objects/knowledge-base/removed-words.ts";
import { byWords, put } from "./passage-store-fixture.ts";

test("words of a large index are erased in parts, whatever comes and goes in between", () => {
  const all = "abcdefghijklmnoprstu".split("");
  const textOf = (id: string, at: number) =>
    `zq${id}qz${at} plain ${Array.from({ length: 40 }, (_, word) => `${word}${id}word${at}`).join(" ")}`;
  const change = fc.record({ file: fc.nat(19), isPut: fc.boolean(), parts: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 10, maxLength: 40 }), (changes) => {
      const sql = new NodeSql();
      const store = new PassageStore(sql);
      const there = new Set(all);
      const putFile = (id: string) =>
        put(
          store,
          id,
          Array.from({ length: 12 }, (_, at) => textOf(id, at)),
        );
      all.forEach(putFile);
      let parts = 0;
      const erase = () => {
        parts += 1;
        return eraseSomeWords(sql.sql, 1);
      };
      store.remove("a");
      there.delete("a");
      for (const one of changes) {
        const id = all[one.file] ?? "a";
        if (one.isPut) putFile(id);
        else store.remove(id);
        if (one.isPut) there.add(id);
        else there.delete(id);
        for (let part = 0; part < one.parts; part += 1) erase();
      }
      while (!erase()) if (parts > 5_000) throw new Error("never done");
      expect(parts).toBeGreaterThan(2);
      const blocks = sql.sql.exec<{ block: ArrayBuffer }>("SELECT block FROM passage_words_data").toArray();
      const text = blocks.map(({ block }) => Buffer.from(block).toString("latin1")).join();
      for (const id of all) {
        // Of a word only what the one before does not share is kept: of the first of twelve this end.
        expect([id, text.includes(`${id}qz`)]).toEqual([id, there.has(id)]);
        expect(byWords(store, `zq${id}qz11`).length).toBe(there.has(id) ? 1 : 0);
      }
      expect(byWords(store, "plain").length).toBe(Math.min(50, there.size * 12));
      // Nothing is left for what does it in one.
      const before = sql.sql.exec("SELECT id, block FROM passage_words_data").toArray();
      sql.sql.exec("INSERT INTO passage_words (passage_words) VALUES ('optimize')");
      expect(sql.sql.exec("SELECT id, block FROM passage_words_data").toArray()).toEqual(before);
    }),
    { numRuns: 12 },
  );
});

test("all files go at once, with every word, and others come after them", () => {
  const sql = new NodeSql();
  const store = new PassageStore(sql);
  expect(store.removeAll()).toBe(false);
  put(store, "a", ["a zebracrossing"]);
  put(store, "b", ["something else"]);
  const version = store.contentVersion();
  expect([store.removeAll(), store.removeAll()]).toEqual([true, false]);
  expect(Number(store.contentVersion())).toBeGreaterThan(Number(version));
  const blocks = sql.sql.exec<{ block: ArrayBuffer }>("SELECT block FROM passage_words_data").toArray();
  const text = blocks.map(({ block }) => Buffer.from(block).toString("latin1")).join();
  expect(text).not.toMatch(/zebra|someth/);
  for (const table of ["passage", "passage_file", "passage_vectors", "passage_words_docsize"])
    expect(sql.sql.exec(`SELECT * FROM ${table}`).toArray()).toEqual([]);
  put(store, "c", ["something new"]);
  expect(byWords(store, "something zebracrossing")).toEqual(["something new"]);
  expect(store.passageIds("c")[0]).toBe(3 * 1_048_576);
});
