import type { StoredItem } from "../../src/shared/contracts/conversation.ts";
import {
  historyWindow,
  type HistoryWindow,
  type ItemUnits,
  unitsHeld,
} from "../../src/shared/turn/durable/history-window.ts";
import { after, before, isOn, type Segment } from "../../src/shared/turn/durable/item-path.ts";
import { elsewhere } from "../../src/shared/content/large-content.ts";
import type { ItemRow } from "./conversation-tables.ts";
import { sequenceOf } from "./item-id.ts";
import type { LargeItems } from "./large-items.ts";

/** One page holds no more than this, whatever its items' size: UTF-16 units. An RPC message takes 32 MiB. */
const maxPageUnits = 4_000_000;

/** An item as its row has it: with `units` its text lies elsewhere, and `json` is empty (whole-items.ts fetches it). */
export type ReadItem = StoredItem & { readonly units?: ItemUnits };

/** Reads the items of one path through a conversation. Only the rows that are needed are read. */
export class ItemReader {
  readonly #sql: SqlStorage;
  readonly #large: LargeItems;
  /** For tests: that a long conversation costs no more than what is returned. */
  rowsRead = 0;

  constructor(sql: SqlStorage, large: LargeItems) {
    this.#sql = sql;
    this.#large = large;
  }

  /** The latest items within the limits. */
  latest(
    path: readonly Segment[],
    limits: { readonly items: number; readonly tokens: number },
  ): HistoryWindow<ReadItem> {
    return historyWindow(this.newestFirst(path), limits);
  }

  /** A page behind the item named `from`; `null` where the path has no such item. */
  page(
    path: readonly Segment[],
    from: string | null,
    limit: number,
    order: "asc" | "desc",
  ): { readonly items: ReadItem[]; readonly hasMore: boolean } | null {
    let rest = path;
    if (from !== null) {
      const key = this.#keyOfItem(from);
      if (key === null || !isOn(path, key)) return null;
      rest = order === "asc" ? after(path, key) : before(path, key);
    }
    return cutPage(order === "asc" ? this.oldestFirst(rest) : this.newestFirst(rest), limit);
  }

  /** Every item of every branch, in the order of their keys: for the export. */
  everything(above: number, limit: number): { readonly items: ReadItem[]; readonly hasMore: boolean } {
    return cutPage(this.#rows("SELECT * FROM item WHERE sequence > ? ORDER BY sequence", above), limit);
  }

  /** A turn's items that are still there, whatever their size: what one message brought, another carries. */
  ofTurn(turnId: string, first: number, count: number): ReadItem[] {
    const query = "SELECT * FROM item WHERE sequence >= ? AND sequence < ? AND turn_id = ? ORDER BY sequence";
    return [...this.#rows(query, first, first + count, turnId)];
  }

  item(id: string): ReadItem | null {
    const sequence = sequenceOf(id);
    if (sequence === null) return null;
    const rows = this.#rows("SELECT * FROM item WHERE sequence = ? AND id = ?", sequence, id);
    return [...rows][0] ?? null;
  }

  /**
   * Where a page goes on behind that item; `null`: it is none of this conversation. One that was taken out since the page
   * before stood where its id says.
   */
  #keyOfItem(id: string): number | null {
    const key = sequenceOf(id);
    return key !== null && (this.isGone(key) || this.item(id) !== null) ? key : null;
  }

  /** Whether no item has this key: none was there, or it was taken out. */
  isGone(key: number): boolean {
    return this.#sql.exec("SELECT 1 FROM item WHERE sequence = ?", key).toArray().length === 0;
  }

  count(path: readonly Segment[]): number {
    let count = 0;
    for (const { above, upTo } of path)
      count += this.#sql
        .exec<{ n: number }>(
          "SELECT count(*) AS n FROM item WHERE sequence > ? AND sequence <= ?",
          above,
          upTo,
        )
        .one().n;
    return count;
  }

  /** Lazily: stop, and no further row is read. */
  *newestFirst(path: readonly Segment[]): Generator<ReadItem> {
    for (const { above, upTo } of path)
      yield* this.#rows(
        "SELECT * FROM item WHERE sequence > ? AND sequence <= ? ORDER BY sequence DESC",
        above,
        upTo,
      );
  }

  *oldestFirst(path: readonly Segment[]): Generator<ReadItem> {
    for (const { above, upTo } of path.toReversed())
      yield* this.#rows(
        "SELECT * FROM item WHERE sequence > ? AND sequence <= ? ORDER BY sequence",
        above,
        upTo,
      );
  }

  *#rows(query: string, ...bindings: readonly (number | string)[]): Generator<ReadItem> {
    const cursor = this.#sql.exec<ItemRow>(query, ...bindings);
    let before = 0;
    for (const row of cursor) {
      this.rowsRead += cursor.rowsRead - before;
      before = cursor.rowsRead;
      const item = {
        sequence: row.sequence,
        id: row.id,
        turnId: row.turn_id,
        type: row.type,
        role: row.role,
        json: row.json,
        createdMs: row.created_ms,
      };
      yield row.json === elsewhere ? { ...item, json: "", units: this.#large.units(row.sequence) } : item;
    }
  }
}

function cutPage(
  rows: Iterable<ReadItem>,
  limit: number,
): { readonly items: ReadItem[]; readonly hasMore: boolean } {
  const items: ReadItem[] = [];
  let units = 0;
  for (const item of rows) {
    units += unitsHeld(item);
    if (items.length >= limit || (units > maxPageUnits && items.length > 0)) return { items, hasMore: true };
    items.push(item);
  }
  return { items, hasMore: false };
}
