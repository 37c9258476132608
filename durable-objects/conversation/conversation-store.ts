import { maxItemBytes, type NewItem, type StoredItem } from "../../src/shared/contracts/conversation.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { historyWindow, type HistoryWindow } from "../../src/shared/turn/durable/history-window.ts";
import { hasSchema, migrate } from "../storage/migrations.ts";
import { itemId, sequenceOf } from "./item-id.ts";

/**
 * A conversation's tables (docs/storage.md). Only SQL and its transactions: who may ask is decided by the caller.
 *
 * `item.sequence` orders everything; a turn's items are adjacent, since a turn is appended in one transaction.
 * `turn` makes appending idempotent.
 */
const migrations = [
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
];

export interface Head {
  readonly id: string;
  readonly owner: Owner;
  readonly createdMs: number;
  readonly deletedMs: number | null;
  readonly metadata: string;
  readonly incarnation: number;
  readonly items: number;
}

type ItemRow = {
  sequence: number;
  id: string;
  turn_id: string;
  type: string;
  role: string | null;
  json: string;
  created_ms: number;
};
type HeadRow = {
  conversation_id: string;
  owner_tenant: string;
  owner_user: string;
  created_ms: number;
  deleted_ms: number | null;
  metadata: string;
  incarnation: number;
  next_sequence: number;
  items: number;
};

export class ConversationStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  #ready: boolean;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#ready = hasSchema(storage.sql);
    if (this.#ready) migrate(storage, migrations);
  }

  head(): Head | null {
    const row = this.#headRow();
    if (row === null) return null;
    return {
      id: row.conversation_id,
      owner: { tenant: row.owner_tenant, user: row.owner_user },
      createdMs: row.created_ms,
      deletedMs: row.deleted_ms,
      metadata: row.metadata,
      incarnation: row.incarnation,
      items: row.items,
    };
  }

  /** Makes the conversation, or makes it anew after a deletion. */
  open(id: string, owner: Owner, metadata: string, nowMs: number): void {
    if (!this.#ready) migrate(this.#storage, migrations);
    this.#ready = true;
    this.#sql.exec(
      `INSERT INTO head VALUES (1, ?, ?, ?, ?, NULL, ?, 1, 1, 0)
       ON CONFLICT (only_row) DO UPDATE SET created_ms = excluded.created_ms, deleted_ms = NULL, metadata = excluded.metadata`,
      id,
      owner.tenant,
      owner.user,
      nowMs,
      metadata,
    );
  }

  /** The turn's first sequence, if it has been appended. */
  appended(turnId: string): number | null {
    const [row] = this.#sql
      .exec<{ first_sequence: number }>("SELECT first_sequence FROM turn WHERE turn_id = ?", turnId)
      .toArray();
    return row?.first_sequence ?? null;
  }

  /** All of a turn's items in one transaction. Returns the first sequence. The conversation must be open. */
  append(turnId: string, items: readonly NewItem[], nowMs: number): number {
    return this.#storage.transactionSync(() => {
      const row = this.#headRow();
      if (row === null) throw new Error("append to a conversation that was never opened");
      const first = row.next_sequence;
      for (const [at, item] of items.entries()) {
        const sequence = first + at;
        const id = itemId(item.type, sequence, crypto.getRandomValues(new Uint8Array(10)));
        this.#sql.exec(
          "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?)",
          sequence,
          id,
          turnId,
          item.type,
          item.role,
          item.json,
          nowMs,
        );
      }
      this.#sql.exec("INSERT INTO turn VALUES (?, ?, ?, ?)", turnId, first, items.length, nowMs);
      this.#sql.exec(
        "UPDATE head SET next_sequence = ?, items = items + ? WHERE only_row = 1",
        first + items.length,
        items.length,
      );
      return first;
    });
  }

  /** The latest items within the limits: rows are read one by one, newest first, and no more than are needed. */
  latest(limits: { readonly items: number; readonly tokens: number }): HistoryWindow<StoredItem> {
    const rows = this.#sql.exec<ItemRow>(
      "SELECT * FROM item ORDER BY sequence DESC LIMIT ?",
      limits.items + 1,
    );
    return historyWindow(storedItems(rows), limits);
  }

  /** A page after the item named `after`; `null` where there is no such item. One item more than the limit tells of the next page. */
  page(after: string | null, limit: number, order: "asc" | "desc"): StoredItem[] | null {
    const from = after === null ? edge(order) : this.#positionOf(after);
    if (from === null) return null;
    const rows =
      order === "asc"
        ? this.#sql.exec<ItemRow>(
            "SELECT * FROM item WHERE sequence > ? ORDER BY sequence LIMIT ?",
            from,
            limit,
          )
        : this.#sql.exec<ItemRow>(
            "SELECT * FROM item WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
            from,
            limit,
          );
    return [...storedItems(rows)];
  }

  item(id: string): StoredItem | null {
    const sequence = sequenceOf(id);
    if (sequence === null) return null;
    const rows = this.#sql.exec<ItemRow>("SELECT * FROM item WHERE sequence = ? AND id = ?", sequence, id);
    return [...storedItems(rows)][0] ?? null;
  }

  setMetadata(metadata: string): void {
    this.#sql.exec("UPDATE head SET metadata = ?", metadata);
  }

  /** Erases all content and keeps that there was something, so that a turn which began before is not saved after. */
  erase(nowMs: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("DELETE FROM item");
      this.#sql.exec("DELETE FROM turn");
      this.#sql.exec(
        "UPDATE head SET deleted_ms = ?, metadata = '{}', incarnation = incarnation + 1, items = 0",
        nowMs,
      );
    });
  }

  #headRow(): HeadRow | null {
    if (!this.#ready) return null;
    return this.#sql.exec<HeadRow>("SELECT * FROM head").toArray()[0] ?? null;
  }

  #positionOf(id: string): number | null {
    const sequence = sequenceOf(id);
    if (sequence === null) return null;
    const found = this.#sql.exec("SELECT 1 FROM item WHERE sequence = ? AND id = ?", sequence, id).toArray();
    return found.length === 0 ? null : sequence;
  }
}

/** Whether an item is small enough to be kept here. */
export function fits(item: NewItem): boolean {
  // A UTF-16 unit is at most 3 bytes of UTF-8: only what might be too large is measured.
  return item.json.length * 3 <= maxItemBytes || new TextEncoder().encode(item.json).length <= maxItemBytes;
}

function edge(order: "asc" | "desc"): number {
  return order === "asc" ? 0 : Number.MAX_SAFE_INTEGER;
}

function* storedItems(rows: Iterable<ItemRow>): Generator<StoredItem> {
  for (const row of rows)
    yield {
      sequence: row.sequence,
      id: row.id,
      turnId: row.turn_id,
      type: row.type,
      role: row.role,
      json: row.json,
      createdMs: row.created_ms,
    };
}
