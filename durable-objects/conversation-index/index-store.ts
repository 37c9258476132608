import type { DeletionRecord, IndexEntry, TellIndex } from "../../src/shared/contracts/conversation-index.ts";
import type { Owner } from "../../src/shared/contracts/owner.ts";
import { erasureTables, ErasureStore } from "../storage/erasure-store.ts";
import type { RolledStore } from "../storage/index-roll-ports.ts";
import { OwnedTables } from "../storage/owned-tables.ts";
import { RollStore } from "../storage/roll-store.ts";

/**
 * The tables of one user's list of conversations (docs/storage.md). Ordered by creation time, which never changes: no entry is shown twice
 * or left out, whatever happens between two pages.
 */
const migrations = [
  `CREATE TABLE owner (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1), tenant TEXT NOT NULL, user TEXT NOT NULL);
   CREATE TABLE entry (
     object_name TEXT PRIMARY KEY, revision INTEGER NOT NULL, deleted_ms INTEGER,
     id TEXT, created_ms INTEGER, title TEXT, metadata TEXT) WITHOUT ROWID;
   CREATE UNIQUE INDEX entry_by_age ON entry (created_ms, id) WHERE id IS NOT NULL;
   CREATE INDEX entry_by_id ON entry (id) WHERE id IS NOT NULL;
   CREATE INDEX entry_gone ON entry (deleted_ms) WHERE deleted_ms IS NOT NULL;
   CREATE TABLE deletion (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, record TEXT NOT NULL);`,
  erasureTables,
];

/** How long a deleted conversation's revision is kept, so that a late message does not bring it back. */
const rememberedMs = 86_400_000;

type EntryRow = { id: string; created_ms: number; title: string | null; metadata: string };

export class IndexStore implements RolledStore {
  readonly roll: RollStore;
  readonly erasure: ErasureStore;
  readonly #tables: OwnedTables;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#tables = new OwnedTables(storage, migrations);
    this.#sql = this.#tables.sql;
    this.roll = new RollStore(this.#sql);
    this.erasure = new ErasureStore(this.#sql);
  }

  owner(): Owner | null {
    return this.#tables.owner();
  }

  open(owner: Owner): void {
    this.#tables.write(owner, () => undefined);
  }

  tell({ owner, objectName, revision, entry, deletion }: TellIndex, nowMs: number): void {
    this.#tables.write(owner, () => {
      const [known] = this.#sql
        .exec<{ revision: number; created_ms: number | null }>(
          "SELECT revision, created_ms FROM entry WHERE object_name = ?",
          objectName,
        )
        .toArray();
      if (known !== undefined && known.revision >= revision) return;
      this.#sql.exec(
        "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
        objectName,
        revision,
        entry === null ? nowMs : null,
        entry?.id ?? null,
        // Of a deleted one as well: where a page goes on behind it.
        entry?.createdMs ?? known?.created_ms ?? null,
        entry?.title ?? null,
        entry?.metadata ?? null,
      );
      if (deletion !== null && !this.erasure.isOfErasure(deletion.id))
        this.#sql.exec(
          "INSERT OR REPLACE INTO deletion VALUES ((SELECT sequence FROM deletion WHERE id = ?1), ?1, ?2)",
          deletion.id,
          JSON.stringify(deletion),
        );
      if (entry === null)
        this.#sql.exec(
          "DELETE FROM entry WHERE deleted_ms IS NOT NULL AND deleted_ms < ?",
          nowMs - rememberedMs,
        );
      if (entry !== null && this.erasure.covers(entry.createdMs))
        this.#doomThrough(this.erasure.throughMs(), nowMs);
    });
  }

  doomThrough(throughMs: number, nowMs: number): void {
    const owner = this.#tables.owner();
    if (owner !== null) this.#tables.write(owner, () => this.#doomThrough(throughMs, nowMs));
  }

  /** What an erasure leaves of a conversation is nothing, not even that there was one. */
  forgetDeletion(id: string): void {
    this.#sql.exec("DELETE FROM deletion WHERE id = ?", id);
  }

  holdsAny(): boolean {
    return this.#sql.exec("SELECT 1 FROM entry WHERE id IS NOT NULL LIMIT 1").toArray().length > 0;
  }

  isEmpty(nowMs: number): boolean {
    const kept = this.#sql.exec(
      "SELECT 1 FROM entry WHERE id IS NOT NULL OR deleted_ms >= ? UNION ALL SELECT 1 FROM deletion LIMIT 1",
      nowMs - rememberedMs,
    );
    return kept.toArray().length === 0;
  }

  erase(): Promise<void> {
    return this.#tables.erase();
  }

  /** One more than `limit` tells of the next page; `null`: no conversation is called `after`. */
  page(
    after: string | null,
    afterObject: string | null,
    limit: number,
    order: "asc" | "desc",
  ): IndexEntry[] | null {
    if (!this.#tables.areMade) return after === null ? [] : null;
    let from: { readonly createdMs: number; readonly id: string } | null = null;
    if (after !== null) {
      const [row] = this.#sql
        .exec<{ created_ms: number }>(
          "SELECT created_ms FROM entry WHERE id = ?1 OR (object_name = ?2 AND created_ms IS NOT NULL)",
          after,
          afterObject,
        )
        .toArray();
      if (row === undefined) return null;
      from = { createdMs: row.created_ms, id: after };
    }
    const [sign, direction] = order === "asc" ? [">", "ASC"] : ["<", "DESC"];
    const columns = "SELECT id, created_ms, title, metadata FROM entry WHERE id IS NOT NULL";
    const ordered = `ORDER BY created_ms ${direction}, id ${direction} LIMIT ?`;
    const rows =
      from === null
        ? this.#sql.exec<EntryRow>(`${columns} ${ordered}`, limit)
        : this.#sql.exec<EntryRow>(
            `${columns} AND (created_ms, id) ${sign} (?, ?) ${ordered}`,
            from.createdMs,
            from.id,
            limit,
          );
    return rows
      .toArray()
      .map(({ id, created_ms: createdMs, title, metadata }) => ({ id, createdMs, title, metadata }));
  }

  /** Newest first; as `page`. */
  deletions(after: string | null, limit: number): DeletionRecord[] | null {
    if (!this.#tables.areMade) return after === null ? [] : null;
    let before = Number.MAX_SAFE_INTEGER;
    if (after !== null) {
      const [row] = this.#sql
        .exec<{ sequence: number }>("SELECT sequence FROM deletion WHERE id = ?", after)
        .toArray();
      if (row === undefined) return null;
      before = row.sequence;
    }
    return this.#sql
      .exec<{ record: string }>(
        "SELECT record FROM deletion WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
        before,
        limit,
      )
      .toArray()
      .map(({ record }) => JSON.parse(record) as DeletionRecord);
  }

  #doomThrough(throughMs: number, nowMs: number): void {
    const doomed = "id IS NOT NULL AND created_ms <= ?";
    this.erasure.doom("entry", doomed, throughMs);
    this.#sql.exec(
      `UPDATE entry SET deleted_ms = ?, id = NULL, title = NULL, metadata = NULL WHERE ${doomed}`,
      nowMs,
      throughMs,
    );
    this.#sql.exec("DELETE FROM deletion WHERE json_extract(record, '$.deletedMs') <= ?", throughMs);
  }
}
