import { rollTables } from "../storage/roll-store.ts";

/**
 * The tables of one owner's files, uploads, vector stores and batches (docs/storage.md). Ids begin with the time of their making, so a list in the order of ids
 * is one in the order of time, and a page goes on behind an id that is gone.
 */
export const libraryMigrations = [
  `CREATE TABLE owner (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     tenant TEXT NOT NULL, user TEXT NOT NULL, jurisdiction TEXT NOT NULL);
   CREATE TABLE file (
     id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, ready INTEGER NOT NULL, stored_in TEXT NOT NULL,
     bytes INTEGER NOT NULL, filename TEXT NOT NULL, purpose TEXT NOT NULL, media_type TEXT NOT NULL,
     expires_ms INTEGER) WITHOUT ROWID;
   CREATE INDEX file_by_expiry ON file (expires_ms) WHERE expires_ms IS NOT NULL;
   CREATE TABLE part (
     file_id TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (file_id, part));
   CREATE TABLE store (id TEXT PRIMARY KEY) WITHOUT ROWID;
   CREATE TABLE use (file_id TEXT NOT NULL, store_id TEXT NOT NULL, PRIMARY KEY (file_id, store_id)) WITHOUT ROWID;
   CREATE INDEX use_by_store ON use (store_id);
   CREATE TABLE duty (
     id TEXT PRIMARY KEY, kind TEXT NOT NULL, file_id TEXT NOT NULL, store_id TEXT NOT NULL, message TEXT NOT NULL,
     attempts INTEGER NOT NULL, due_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX duty_by_time ON duty (due_ms);`,
  rollTables,
  `CREATE TABLE batch (id TEXT PRIMARY KEY, state TEXT NOT NULL, attempts INTEGER NOT NULL, due_ms INTEGER) WITHOUT ROWID;
   CREATE INDEX batch_by_time ON batch (due_ms) WHERE due_ms IS NOT NULL;`,
  `CREATE TABLE batch_claim (
     key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, batch_id TEXT NOT NULL, made_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX batch_claim_by_batch ON batch_claim (batch_id);`,
  `CREATE TABLE upload (
     id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, state TEXT NOT NULL, filename TEXT NOT NULL, purpose TEXT NOT NULL,
     media_type TEXT NOT NULL, bytes INTEGER NOT NULL, expires_after_ms INTEGER, file_id TEXT, fingerprint TEXT) WITHOUT ROWID;
   CREATE INDEX upload_by_time ON upload (created_ms);
   CREATE TABLE upload_part (
     id TEXT PRIMARY KEY, upload_id TEXT NOT NULL, created_ms INTEGER NOT NULL, whole INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX upload_part_by_upload ON upload_part (upload_id);`,
  "CREATE TABLE batch_place (batch_id TEXT PRIMARY KEY, lines INTEGER NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID",
];
