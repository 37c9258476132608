/** Does our stemmer cut words as SQLite's does? */
import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { porterStem } from "../../src/shared/retrieval/porter-stem.ts";

const endings =
  "s es ed ing eed ational tional enci anci izer logi bli alli entli eli ousli ization ation ator alism iveness fulness ousness aliti iviti biliti icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent sion tion ion ou ism ate iti ous ive ize e ll y".split(
    " ",
  );

test("any word of a to z is cut as FTS5's porter cuts it", () => {
  const database = new DatabaseSync(":memory:");
  database.exec(
    "CREATE VIRTUAL TABLE words USING fts5(word, tokenize = 'porter ascii'); CREATE VIRTUAL TABLE vocabulary USING fts5vocab(words, 'instance')",
  );
  const insert = database.prepare("INSERT INTO words (rowid, word) VALUES (?, ?)");
  const words: string[] = [];
  // Every short stem of these letters, with each ending: where the rules meet their own beginnings.
  const letters = "aeiybltsz".split("");
  let stems = [""];
  for (let length = 0; length <= 3; length += 1) {
    for (const stem of stems) for (const ending of endings) words.push(stem + ending);
    stems = stems.flatMap((stem) => letters.map((letter) => stem + letter));
  }
  const stem = fc.string({
    unit: fc.constantFrom(..."aeiouybcdlnrstz".split("")),
    minLength: 1,
    maxLength: 8,
  });
  const ended = fc.tuple(stem, fc.constantFrom(...endings), fc.constantFrom("", ...endings));
  for (const parts of fc.sample(ended, 5000)) words.push(parts.join(""));
  database.exec("BEGIN");
  for (const [at, word] of words.entries()) insert.run(at + 1, word);
  database.exec("COMMIT");
  const rows = database.prepare("SELECT doc, term FROM vocabulary").all();
  expect(rows.length).toBe(words.length);
  const wrong = rows
    .map(({ doc, term }) => ({ word: words[Number(doc) - 1] ?? "", theirs: term }))
    .filter(({ word, theirs }) => porterStem(word) !== theirs);
  expect(wrong).toEqual([]);
  database.close();
});
