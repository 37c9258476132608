import type { NewItem } from "../../src/shared/contracts/conversation.ts";
import type { DeletionRecord } from "../../src/shared/contracts/conversation-index.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { LazyTables } from "../storage/lazy-tables.ts";
import type { TurnPlace } from "./branch-point.ts";
import { BranchStore } from "./branch-store.ts";
import { conversationMigrations, type HeadRow, type TitleBy } from "./conversation-tables.ts";
import { DeletionRecords } from "./deletion-records.ts";
import { archiveDuty, DoomedTurns } from "./doomed-turns.ts";
import { itemId } from "./item-id.ts";
import { ItemReader } from "./item-reader.ts";
import { LargeItems } from "./large-items.ts";
import { UnsavedTurns } from "./unsaved-turns.ts";

/** A conversation's head and the writing of its items. Only SQL and its transactions: who may ask is decided by the caller. */
export interface Head {
  readonly id: string;
  readonly owner: Owner;
  readonly createdMs: number;
  readonly deletedMs: number | null;
  readonly metadata: string;
  readonly incarnation: number;
  readonly items: number;
  readonly title: string | null;
  readonly titleBy: TitleBy | null;
  /** The active branch: the one that a turn goes on, and that is listed. */
  readonly branch: number;
  /** What the index was, and is to be, told. */
  readonly revision: number;
  readonly told: number;
  readonly deletion: DeletionRecord | null;
}

export class ConversationStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly reader: ItemReader;
  readonly branches: BranchStore;
  readonly large: LargeItems;
  /** Only once there are tables. */
  readonly earlierDeletions: DeletionRecords;
  readonly doomed: DoomedTurns;
  readonly unsaved: UnsavedTurns;
  readonly #tables: LazyTables;

  /** @param hasBucket whether items that are too long for a row go to a bucket */
  constructor(storage: DurableObjectStorage, hasBucket = false) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.large = new LargeItems(storage, hasBucket);
    this.reader = new ItemReader(storage.sql, this.large);
    this.branches = new BranchStore(storage.sql);
    this.earlierDeletions = new DeletionRecords(storage.sql);
    this.doomed = new DoomedTurns(storage.sql);
    this.#tables = new LazyTables(storage, conversationMigrations);
    this.unsaved = new UnsavedTurns(storage.sql, this.#tables);
  }

  /** Whether there are tables at all. */
  get isReady(): boolean {
    return this.#tables.areMade;
  }

  /** Before the first write of anything. */
  prepare(): void {
    this.#tables.make();
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
      title: row.title,
      titleBy: row.title_by,
      branch: row.branch ?? 0,
      // What older code made is not known to the index: it is told with the next change.
      revision: row.revision ?? 1,
      told: row.told ?? 0,
      deletion: row.deletion === null ? null : (JSON.parse(row.deletion) as DeletionRecord),
    };
  }

  /** Makes the conversation, or makes it anew after a deletion. */
  open(id: string, owner: Owner, metadata: string, nowMs: number, createdMs = nowMs): void {
    this.prepare();
    this.#storage.transactionSync(() => {
      this.#sql.exec(
        `INSERT INTO head VALUES (1, ?, ?, ?, ?, NULL, ?, 1, 1, 0)
         ON CONFLICT (only_row) DO UPDATE SET created_ms = excluded.created_ms, deleted_ms = NULL, metadata = excluded.metadata`,
        id,
        owner.tenant,
        owner.user,
        createdMs,
        metadata,
      );
      this.#reveal({ title: null, titleBy: null, branch: 0 }, nowMs);
    });
  }

  /** The turn's first sequence and how many items it had, if it has been appended. */
  appendedTurn(turnId: string): { readonly first: number; readonly items: number } | null {
    if (!this.#tables.areMade) return null;
    const [row] = this.#sql
      .exec<{ first: number; items: number }>(
        "SELECT first_sequence AS first, items FROM turn WHERE turn_id = ?",
        turnId,
      )
      .toArray();
    return row ?? null;
  }

  /**
   * All of a turn's items in one transaction. Returns the first sequence. The conversation must be open.
   *
   * Its branch is the active one then.
   *
   * @param turn.place behind a key: at a branch's end it goes on with the branch, else it begins one (key 0: before
   *   everything); `null`: at the end of the active branch
   */
  append(turn: {
    readonly turnId: string;
    readonly items: readonly NewItem[];
    readonly place: TurnPlace | null;
    readonly responseId: string | null;
    readonly nowMs: number;
  }): number {
    const { turnId, items, nowMs } = turn;
    return this.#storage.transactionSync(() => {
      const head = this.head();
      if (head === null) throw new Error("append to a conversation that was never opened");
      const { place } = turn;
      const branch =
        place?.kind === "behind"
          ? this.branches.branchBehind(place.key, nowMs)
          : (place?.branch ?? head.branch);
      const first = this.branches.take(branch, items.length);
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
          this.large.write(sequence, item.json),
          nowMs,
        );
      }
      this.#sql.exec("INSERT INTO turn VALUES (?, ?, ?, ?)", turnId, first, items.length, nowMs);
      if (turn.responseId !== null) this.noteResponse(turnId, turn.responseId);
      // One write of the row: of the count, and where the branch is the first, of its next position.
      this.#sql.exec(
        "UPDATE head SET next_sequence = next_sequence + ?, items = items + ? WHERE only_row = 1",
        branch === 0 ? items.length : 0,
        items.length,
      );
      if (branch !== head.branch) this.#reveal({ branch }, nowMs);
      return first;
    });
  }

  /** A deletion finds the turn's own object by it. The conversation must be open. */
  noteResponse(turnId: string, responseId: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO turn_response VALUES (?, ?)", turnId, responseId);
  }

  /** Takes one item away. Nothing else moves. */
  remove(sequence: number, nowMs: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("DELETE FROM item WHERE sequence = ?", sequence);
      this.large.remove(sequence, nowMs);
      this.#sql.exec("UPDATE head SET items = items - 1");
      // A summary may tell of it, and so does every later one.
      this.#sql.exec("DELETE FROM summary");
    });
  }

  setMetadata(metadata: string, nowMs: number): void {
    this.#storage.transactionSync(() => {
      this.#sql.exec("UPDATE head SET metadata = ?", metadata);
      this.#reveal({}, nowMs);
    });
  }

  /** A rule's title gives way to a model's, and both to the user's own. `null` by the user: none, until a rule makes one. */
  setTitle(title: string | null, by: TitleBy, nowMs: number): void {
    const head = this.head();
    const titleBy = title === null ? null : by;
    if (head === null || rank(head.titleBy) > rank(by)) return;
    if (head.title === title && head.titleBy === titleBy) return;
    this.#storage.transactionSync(() => this.#reveal({ title, titleBy }, nowMs));
  }

  setBranch(branch: number, nowMs: number): void {
    this.#storage.transactionSync(() => this.#reveal({ branch }, nowMs));
  }

  /** Acknowledged by the index. */
  told(revision: number): void {
    // What older code made has no row yet, and would be told for ever.
    this.#sql.exec(
      `INSERT INTO shown VALUES (1, NULL, NULL, 0, ?1, ?1, NULL)
       ON CONFLICT (only_row) DO UPDATE SET told = max(told, excluded.told)`,
      revision,
    );
  }

  /** Erases all content and keeps that there was something, so that a turn which began before is not saved after. */
  erase(running: readonly string[], deletion: DeletionRecord): void {
    this.#storage.transactionSync(() => {
      const before = this.head();
      const earlier = before?.deletion ?? null;
      const isTold = before !== null && before.revision <= before.told;
      if (earlier !== null && !(isTold && earlier.turnsPending === 0)) this.earlierDeletions.keep(earlier);
      for (const id of [archiveDuty, ...running]) this.doomed.add(id);
      this.doomed.addKnown();
      for (const table of ["item", "turn", "turn_response", "unsaved", "branch", "summary"])
        this.#sql.exec(`DELETE FROM ${table}`);
      this.large.removeAll(deletion.deletedMs);
      this.#sql.exec(
        "UPDATE head SET deleted_ms = ?, metadata = '{}', incarnation = incarnation + 1, items = 0",
        deletion.deletedMs,
      );
      const record = { ...deletion, turnsPending: this.#pending() };
      this.#reveal({ title: null, titleBy: null, branch: 0, deletion: record }, deletion.deletedMs);
    });
  }

  turns(): number {
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM turn").one().n;
  }

  /** How many turns' objects, and of how many large items the bucket, have not confirmed yet. */
  #pending(): number {
    return this.doomed.countTurns() + this.large.ledger.countLeaving();
  }

  /** What of a deletion is not confirmed yet: so many. */
  notePending(nowMs: number): void {
    const deletion = this.head()?.deletion ?? null;
    if (deletion === null) return;
    const turnsPending = this.#pending();
    this.#storage.transactionSync(() => {
      const changed = this.earlierDeletions.mostPending(turnsPending);
      if (changed || deletion.turnsPending !== turnsPending)
        this.#reveal({ deletion: { ...deletion, turnsPending } }, nowMs);
    });
  }

  /** The index has this record. What it shows is then told under a revision of its own. */
  toldEarlier(deletion: DeletionRecord, nowMs: number): void {
    this.#storage.transactionSync(() => {
      this.earlierDeletions.told(deletion);
      this.#reveal({}, nowMs);
    });
  }

  /** Changes what the index shows: under a new revision, so that it is told. */
  #reveal(change: Partial<Pick<Head, "title" | "titleBy" | "branch" | "deletion">>, nowMs: number): void {
    const head = this.head();
    const next = { title: null, titleBy: null, branch: 0, deletion: null, ...head, ...change };
    this.#sql.exec(
      "INSERT OR REPLACE INTO shown VALUES (1, ?, ?, ?, ?, ?, ?)",
      next.title,
      next.titleBy,
      next.branch,
      // The time, so that a conversation which comes to life again is above what the index remembers of it.
      Math.max((head?.revision ?? 0) + 1, nowMs),
      head?.told ?? 0,
      next.deletion === null ? null : JSON.stringify(next.deletion),
    );
  }

  #headRow(): HeadRow | null {
    if (!this.#tables.areMade) return null;
    return (
      this.#sql
        .exec<HeadRow>("SELECT * FROM head LEFT JOIN shown ON shown.only_row = head.only_row")
        .toArray()[0] ?? null
    );
  }
}

function rank(by: TitleBy | null): number {
  return by === null ? 0 : { rule: 1, model: 2, user: 3 }[by];
}
