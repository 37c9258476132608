/** The tables of a store's passages (docs/storage.md), and what a passage's id says: the file's number times `filePassages`, plus its place in the file. */

/**
 * The words are cut by us (src/shared/retrieval/words.ts) and handed over with blanks between them, so that the index needs no tokenizer
 * beyond `ascii`, and knows languages without blanks. Their text is not kept there a second time (`content = ''`).
 */
export const passageMigrations = [
  `CREATE TABLE passage_content (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1), version INTEGER NOT NULL, last_file INTEGER NOT NULL);
   INSERT INTO passage_content VALUES (1, 0, 0);
   CREATE TABLE passage_file (
     number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, filename TEXT NOT NULL, attributes TEXT NOT NULL,
     passages INTEGER NOT NULL, characters INTEGER NOT NULL);
   CREATE TABLE passage (
     id INTEGER PRIMARY KEY, start_at INTEGER NOT NULL, end_at INTEGER NOT NULL, headings TEXT NOT NULL, text TEXT NOT NULL);
   CREATE TABLE passage_vectors (
     first INTEGER PRIMARY KEY, embedder TEXT NOT NULL, dimensions INTEGER NOT NULL, vectors BLOB NOT NULL);
   CREATE VIRTUAL TABLE passage_words USING fts5(
     text, headings, content = '', contentless_delete = 1, tokenize = 'ascii');`,
  `CREATE TABLE passage_recut (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1), words_from INTEGER, vectors_from INTEGER);
   INSERT INTO passage_recut SELECT 1, 0, 0 WHERE EXISTS (SELECT 1 FROM passage);`,
  // Null of what older code writes, which names its columns.
  `ALTER TABLE passage ADD COLUMN page INTEGER`,
];

/** Places of a file's passages among all ids. */
export const filePassages = 1_048_576;

export function fileOf(passageId: number): number {
  return Math.floor(passageId / filePassages);
}
