import type { Branch, Place, Segment } from "../../src/shared/turn/durable/item-path.ts";
import { keyOf, mostBranches, pathTo, placeOf } from "../../src/shared/turn/durable/item-path.ts";
import type { BranchRow } from "./conversation-tables.ts";

/** A conversation's branches: where each begins, and where its next item goes. Branch 0 is the head's own. */
export interface KnownBranch extends Branch {
  readonly branch: number;
  /** Position of its last item, or its fork where it has none. */
  readonly end: number;
  readonly createdMs: number;
}

export class BranchStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** All of a branch's items, from its end to the beginning of everything. */
  path(branch: number): Segment[] {
    return this.pathTo({ branch, position: this.#next(branch) - 1 });
  }

  pathTo(end: Place): Segment[] {
    return pathTo(end, (branch) => this.#row(branch));
  }

  exists(branch: number): boolean {
    return branch === 0 || this.#row(branch) !== null;
  }

  /** Whether an item stands there, or stood there once. */
  reaches({ branch, position }: Place): boolean {
    return position > 0 && this.exists(branch) && position < this.#next(branch);
  }

  count(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM branch").one().n;
  }

  /** All but branch 0, in the order of their making. */
  all(): KnownBranch[] {
    return this.#sql
      .exec<BranchRow>("SELECT * FROM branch ORDER BY branch LIMIT ?", mostBranches)
      .toArray()
      .map((row) => ({
        branch: row.branch,
        parent: row.parent,
        fork: row.fork,
        end: row.next_position - 1,
        createdMs: row.created_ms,
      }));
  }

  /** Whether a turn behind that item would begin a branch. */
  forks(key: number): boolean {
    const { branch, position } = placeOf(key);
    const end = keyOf({ branch, position: this.#next(branch) - 1 });
    if (position > 0 && key === end) return false;
    return (
      this.#sql.exec("SELECT 1 FROM item WHERE sequence > ? AND sequence <= ? LIMIT 1", key, end).toArray()
        .length > 0
    );
  }

  /** The branch on which a turn behind that item goes: the item's own where nothing follows it there, else a new one. */
  branchBehind(key: number, nowMs: number): number {
    const { branch: parent, position: fork } = placeOf(key);
    if (!this.forks(key)) return parent;
    const branch =
      this.#sql.exec<{ last: number | null }>("SELECT max(branch) AS last FROM branch").one().last ?? 0;
    this.#sql.exec("INSERT INTO branch VALUES (?, ?, ?, ?, ?)", branch + 1, parent, fork, fork + 1, nowMs);
    return branch + 1;
  }

  /** Takes the next `count` positions; returns the first one's key. Branch 0 is counted on by whoever writes the head. */
  take(branch: number, count: number): number {
    const position = this.#next(branch);
    keyOf({ branch, position: position + count });
    if (branch !== 0)
      this.#sql.exec("UPDATE branch SET next_position = next_position + ? WHERE branch = ?", count, branch);
    return keyOf({ branch, position });
  }

  #next(branch: number): number {
    if (branch === 0)
      return this.#sql.exec<{ next_sequence: number }>("SELECT next_sequence FROM head").one().next_sequence;
    const row = this.#row(branch);
    if (row === null) throw new Error("no such branch");
    return row.next_position;
  }

  #row(branch: number): BranchRow | null {
    return this.#sql.exec<BranchRow>("SELECT * FROM branch WHERE branch = ?", branch).toArray()[0] ?? null;
  }
}
