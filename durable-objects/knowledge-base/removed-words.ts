/**
 * How are the words of removed passages erased from the full-text index? Its segments are merged into one, which leaves them out: FTS5's
 * `optimize` in parts (https://sqlite.org/fts5.html). Each begins where the last one stopped, whatever was written in between.
 */
import type { Sql } from "../storage/sql-port.ts";

/** A page has some 4 KB. */
const pagesOfMerge = 250;
/** Of one alarm, some tenths of a second: searches come in between. An ordinary store's index is done with by the first, and the second says so. */
const mergesAtATime = 2;

/** Within the caller's transaction. @returns whether there is nothing more to merge */
export function eraseSomeWords(sql: Sql, pages = pagesOfMerge): boolean {
  for (let merges = 0; merges < mergesAtATime; merges += 1) {
    const before = changesOf(sql);
    // Negative: all segments are to become one.
    sql.exec("INSERT INTO passage_words (passage_words, rank) VALUES ('merge', ?)", -pages);
    // The command itself counts as one.
    if (changesOf(sql) - before < 2) return true;
  }
  return false;
}

function changesOf(sql: Sql): number {
  return sql.exec<{ n: number }>("SELECT total_changes() AS n").one().n;
}
