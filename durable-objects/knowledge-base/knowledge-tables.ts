/** The tables of one vector store (docs/storage.md), except those of its passages, which belong to PassageStore. */
export const knowledgeMigrations = [
  `CREATE TABLE head (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     id TEXT NOT NULL, tenant TEXT NOT NULL, user TEXT NOT NULL, jurisdiction TEXT NOT NULL,
     name TEXT NOT NULL, description TEXT NOT NULL, metadata TEXT NOT NULL,
     created_ms INTEGER NOT NULL, active_ms INTEGER NOT NULL, expires_days INTEGER, expired_ms INTEGER, deleted_ms INTEGER, erase_ms INTEGER,
     max_passages INTEGER NOT NULL);
   CREATE TABLE file (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL,
     filename TEXT NOT NULL, purpose TEXT NOT NULL, media_type TEXT NOT NULL, bytes INTEGER NOT NULL, stored_in TEXT NOT NULL,
     attributes TEXT NOT NULL, max_tokens INTEGER NOT NULL, overlap_tokens INTEGER NOT NULL,
     status TEXT NOT NULL, error_code TEXT, error_message TEXT, usage_bytes INTEGER NOT NULL, passages INTEGER NOT NULL,
     work INTEGER NOT NULL, attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL);
   CREATE INDEX file_to_process ON file (due_ms) WHERE status = 'in_progress';
   CREATE TABLE batch (id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, cancelled_ms INTEGER) WITHOUT ROWID;
   CREATE TABLE batch_file (
     batch_id TEXT NOT NULL, file_id TEXT NOT NULL, PRIMARY KEY (batch_id, file_id)) WITHOUT ROWID;
   CREATE INDEX batch_file_by_file ON batch_file (file_id);
   CREATE TABLE gone (
     file_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, forgotten INTEGER NOT NULL, until_ms INTEGER NOT NULL)
     WITHOUT ROWID;`,
];

/** How long a deleted store, and a file that is out of one, are remembered, so that nothing late brings them back. */
export const rememberedMs = 86_400_000;
