/**
 * Are a store's words, and the vectors that are made of them, as words.ts cuts them now? Those that an older version wrote are made anew, some at
 * a time: of tens of thousands of passages it takes seconds. Until then they are found by what both versions cut alike.
 */
import { lexicalEmbedder, lexicalVector } from "../../src/shared/retrieval/lexical-embedder.ts";
import { packVectors } from "../../src/shared/retrieval/vector-block.ts";
import type { Sql, SqlTransactions } from "../storage/sql-port.ts";
import { insertWords } from "./passage-rows.ts";
import { filePassages } from "./passage-tables.ts";

/** What the lexical embedder was before. */
const olderEmbedder = "lexical-1-1024";
/** Of words; of vectors one block is looked at. */
const passagesAtATime = 256;

/** Only where the tables are there. */
export function isRecutDue(sql: Sql): boolean {
  return sql.exec("SELECT 1 FROM passage_recut").toArray().length > 0;
}

/** Nothing where nothing is due. */
export function recutSome(storage: SqlTransactions): void {
  const { sql } = storage;
  storage.transactionSync(() => {
    const [due] = sql
      .exec<{ words_from: number | null; vectors_from: number | null }>(
        "SELECT words_from, vectors_from FROM passage_recut",
      )
      .toArray();
    if (due === undefined) return;
    if (due.words_from !== null) recutWords(sql, due.words_from);
    else if (due.vectors_from !== null) recutVectors(sql, due.vectors_from);
    else sql.exec("DELETE FROM passage_recut");
    sql.exec("UPDATE passage_content SET version = version + 1");
  });
}

function recutWords(sql: Sql, from: number): void {
  const rows = sql
    .exec<{ id: number; text: string; headings: string; filename: string }>(
      `SELECT passage.id AS id, text, headings, filename FROM passage
       JOIN passage_file ON number = passage.id / ${filePassages} WHERE passage.id >= ? ORDER BY passage.id LIMIT ?`,
      from,
      passagesAtATime,
    )
    .toArray();
  for (const { id, text, filename, headings } of rows) {
    // ASCII is cut as it was.
    if (isAscii(text) && isAscii(filename) && isAscii(headings)) continue;
    sql.exec("DELETE FROM passage_words WHERE rowid = ?", id);
    insertWords(sql, { id, text, filename, headings: JSON.parse(headings) as string[] });
  }
  const last = rows.length < passagesAtATime ? undefined : rows.at(-1);
  sql.exec("UPDATE passage_recut SET words_from = ?", last === undefined ? null : last.id + 1);
}

function recutVectors(sql: Sql, from: number): void {
  const [block] = sql
    .exec<{ first: number; dimensions: number; size: number }>(
      `SELECT first, dimensions, length(vectors) AS size FROM passage_vectors
       WHERE first >= ? AND embedder = ? ORDER BY first LIMIT 1`,
      from,
      olderEmbedder,
    )
    .toArray();
  sql.exec("UPDATE passage_recut SET vectors_from = ?", block === undefined ? null : block.first + 1);
  if (block === undefined) return;
  const { first, dimensions, size } = block;
  const texts = sql
    .exec<{ text: string }>(
      "SELECT text FROM passage WHERE id BETWEEN ? AND ? ORDER BY id",
      first,
      first + size / (dimensions + 4) - 1,
    )
    .toArray();
  sql.exec("UPDATE passage_vectors SET embedder = ? WHERE first = ?", lexicalEmbedder.id, first);
  if (texts.every(({ text }) => isAscii(text))) return;
  const vectors = texts.map(({ text }) => lexicalVector(text));
  sql.exec("UPDATE passage_vectors SET vectors = ? WHERE first = ?", packVectors(vectors, dimensions), first);
}

function isAscii(text: string): boolean {
  return !/[^\u0000-\u007f]/.test(text);
}
