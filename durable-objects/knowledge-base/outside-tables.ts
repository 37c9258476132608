/**
 * The tables of a store's vectors that lie in an index outside as well (docs/storage.md). Made when the first are sent: an ordinary store has
 * none of them. Older code does not know them, and compares all vectors, which are all still in the object.
 */
export const outsideMigrations = [
  `CREATE TABLE outside_block (
     first INTEGER PRIMARY KEY, passages INTEGER NOT NULL, embedder TEXT NOT NULL, sent_ms INTEGER NOT NULL,
     taken_ms INTEGER, change TEXT, seen INTEGER);
   CREATE TABLE outside_step (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1), dimensions INTEGER NOT NULL, described_ms INTEGER NOT NULL,
     last_seen INTEGER NOT NULL, failures INTEGER NOT NULL, again_ms INTEGER NOT NULL);
   INSERT INTO outside_step VALUES (1, 0, 0, 0, 0, 0);`,
  // Older code names the columns that it writes.
  `ALTER TABLE outside_step ADD COLUMN taken_back_ms INTEGER NOT NULL DEFAULT 0`,
  // How often it was sent to the index as it is: once, of what older code sends.
  `ALTER TABLE outside_block ADD COLUMN sendings INTEGER NOT NULL DEFAULT 1`,
];
