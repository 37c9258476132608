/** The tables of one batch (docs/storage.md). A line's number is its position in the file, from 1. */
export const batchMigrations = [
  `CREATE TABLE batch (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), life TEXT NOT NULL);
   CREATE TABLE tally (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1), completed INTEGER NOT NULL, failed INTEGER NOT NULL,
     input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
     reasoning_tokens INTEGER NOT NULL);
   CREATE TABLE line (
     number INTEGER PRIMARY KEY, custom_id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, bytes INTEGER NOT NULL,
     state INTEGER NOT NULL, attempt INTEGER NOT NULL);
   CREATE TABLE result (
     kind TEXT NOT NULL, place INTEGER NOT NULL, piece INTEGER NOT NULL, text TEXT NOT NULL,
     PRIMARY KEY (kind, place, piece)) WITHOUT ROWID;`,
  "CREATE TABLE charge (id TEXT PRIMARY KEY, debt TEXT) WITHOUT ROWID",
];

/** `begun`: it may have a turn. `done`: what came of it is in `result`. */
export const lineStates = { waiting: 0, begun: 1, done: 2 } as const;
