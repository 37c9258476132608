/**
 * A conversation's tables (docs/storage.md), and their rows.
 *
 * `item.sequence` is the key of src/shared/turn/durable/item-path.ts: branch and position. A turn's items are adjacent, since a turn is
 * appended in one transaction, and `turn` makes that idempotent. Later additions have tables of their own: older code inserts without
 * naming columns, and so goes on working.
 */
export const conversationMigrations = [
  `CREATE TABLE head (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     conversation_id TEXT NOT NULL, owner_tenant TEXT NOT NULL, owner_user TEXT NOT NULL,
     created_ms INTEGER NOT NULL, deleted_ms INTEGER, metadata TEXT NOT NULL,
     incarnation INTEGER NOT NULL, next_sequence INTEGER NOT NULL, items INTEGER NOT NULL);
   CREATE TABLE turn (
     turn_id TEXT PRIMARY KEY, first_sequence INTEGER NOT NULL, items INTEGER NOT NULL, ended_ms INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE item (
     sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, turn_id TEXT NOT NULL, type TEXT NOT NULL, role TEXT,
     json TEXT NOT NULL, created_ms INTEGER NOT NULL);`,
  `CREATE TABLE shown (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     title TEXT, title_by TEXT, branch INTEGER NOT NULL,
     revision INTEGER NOT NULL, told INTEGER NOT NULL, deletion TEXT);
   CREATE TABLE branch (
     branch INTEGER PRIMARY KEY, parent INTEGER NOT NULL, fork INTEGER NOT NULL,
     next_position INTEGER NOT NULL, created_ms INTEGER NOT NULL);
   CREATE TABLE turn_response (turn_id TEXT PRIMARY KEY, response_id TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE summary (through INTEGER PRIMARY KEY, text TEXT NOT NULL, created_ms INTEGER NOT NULL);
   CREATE TABLE doomed (response_id TEXT PRIMARY KEY) WITHOUT ROWID;`,
  `CREATE TABLE earlier_deletion (
     id TEXT PRIMARY KEY, record TEXT NOT NULL, told INTEGER NOT NULL) WITHOUT ROWID;`,
  `CREATE TABLE unsaved (response_id TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;`,
  `CREATE INDEX unsaved_until ON unsaved (until_ms);`,
];

export type TitleBy = "rule" | "model" | "user";

export type HeadRow = {
  conversation_id: string;
  owner_tenant: string;
  owner_user: string;
  created_ms: number;
  deleted_ms: number | null;
  metadata: string;
  incarnation: number;
  next_sequence: number;
  items: number;
  title: string | null;
  title_by: TitleBy | null;
  /** `null`: not written yet, by older code. */
  branch: number | null;
  revision: number | null;
  told: number | null;
  deletion: string | null;
};

export type ItemRow = {
  sequence: number;
  id: string;
  turn_id: string;
  type: string;
  role: string | null;
  json: string;
  created_ms: number;
};

export type BranchRow = {
  branch: number;
  parent: number;
  fork: number;
  next_position: number;
  created_ms: number;
};
