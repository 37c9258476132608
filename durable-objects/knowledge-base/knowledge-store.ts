import type { StoreDefinition, StoreView } from "../../src/shared/contracts/knowledge-base.ts";
import type { Jurisdiction, Owner } from "../../src/shared/contracts/owner.ts";
import { LazyTables } from "../storage/lazy-tables.ts";
import { BatchRecords } from "./batch-records.ts";
import { FileRecords } from "./file-records.ts";
import { knowledgeMigrations } from "./knowledge-tables.ts";

export interface Head extends StoreDefinition {
  readonly id: string;
  readonly owner: Owner;
  readonly jurisdiction: Jurisdiction;
  readonly createdMs: number;
  readonly activeMs: number;
  readonly expiredMs: number | null;
  readonly deletedMs: number | null;
  /** When the words of what was removed are erased from the index; `null`: there are none. */
  readonly eraseMs: number | null;
  readonly maxPassages: number;
}

/** What one vector store is, as a row; its files are FileRecords', its passages PassageStore's. */
export class KnowledgeStore {
  /** Only where there is a head. */
  readonly files: FileRecords;
  readonly batches: BatchRecords;
  readonly #sql: SqlStorage;
  readonly #tables: LazyTables;

  constructor(storage: DurableObjectStorage) {
    this.#sql = storage.sql;
    this.files = new FileRecords(storage.sql);
    this.batches = new BatchRecords(storage.sql);
    this.#tables = new LazyTables(storage, knowledgeMigrations);
  }

  head(): Head | null {
    if (!this.#tables.areMade) return null;
    const [row] = this.#sql
      .exec<{
        id: string;
        tenant: string;
        user: string;
        jurisdiction: Jurisdiction;
        name: string;
        description: string;
        metadata: string;
        created_ms: number;
        active_ms: number;
        expires_days: number | null;
        expired_ms: number | null;
        deleted_ms: number | null;
        erase_ms: number | null;
        max_passages: number;
      }>("SELECT * FROM head")
      .toArray();
    if (row === undefined) return null;
    return {
      id: row.id,
      owner: { tenant: row.tenant, user: row.user },
      jurisdiction: row.jurisdiction,
      name: row.name,
      description: row.description,
      metadata: JSON.parse(row.metadata) as Head["metadata"],
      createdMs: row.created_ms,
      activeMs: row.active_ms,
      expiresAfterDays: row.expires_days,
      expiredMs: row.expired_ms,
      deletedMs: row.deleted_ms,
      eraseMs: row.erase_ms,
      maxPassages: row.max_passages,
    };
  }

  create(head: Omit<Head, "activeMs" | "expiredMs" | "deletedMs" | "eraseMs">): void {
    this.#tables.make();
    const { id, owner, jurisdiction, name, description, metadata, createdMs, expiresAfterDays } = head;
    this.#sql.exec(
      "INSERT OR IGNORE INTO head VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, ?)",
      id,
      owner.tenant,
      owner.user,
      jurisdiction,
      name,
      description,
      JSON.stringify(metadata),
      createdMs,
      createdMs,
      expiresAfterDays,
      head.maxPassages,
    );
  }

  /** Marks a store as deleted that was never made: a creation that is still on its way comes too late. */
  createNameless(owner: Owner): void {
    this.create({ ...nameless, owner });
  }

  change({ name, metadata, expiresAfterDays }: Partial<StoreDefinition>): void {
    if (name !== undefined) this.#sql.exec("UPDATE head SET name = ?", name);
    if (metadata !== undefined) this.#sql.exec("UPDATE head SET metadata = ?", JSON.stringify(metadata));
    if (expiresAfterDays !== undefined) this.#sql.exec("UPDATE head SET expires_days = ?", expiresAfterDays);
  }

  used(nowMs: number): void {
    this.#sql.exec("UPDATE head SET active_ms = max(active_ms, ?)", nowMs);
  }

  /** As the tenant is configured now. */
  boundPassages(maxPassages: number): void {
    this.#sql.exec("UPDATE head SET max_passages = ?", maxPassages);
  }

  view(head: Head): StoreView {
    const { id, name, description, metadata, createdMs, activeMs, expiresAfterDays, expiredMs } = head;
    return {
      id,
      name,
      description,
      metadata,
      createdMs,
      lastActiveMs: activeMs,
      expiresAfterDays,
      expiredMs,
      ...this.files.totals(),
    };
  }

  /** The first that was removed counts: many are erased together. */
  eraseBy(dueMs: number): void {
    this.#sql.exec("UPDATE head SET erase_ms = coalesce(erase_ms, ?)", dueMs);
  }

  erased(): void {
    this.#sql.exec("UPDATE head SET erase_ms = NULL");
  }

  expired(nowMs: number): void {
    this.#sql.exec("UPDATE head SET expired_ms = ?", nowMs);
  }

  deleted(nowMs: number): void {
    this.#sql.exec("UPDATE head SET deleted_ms = ?, name = '', description = '', metadata = '{}'", nowMs);
  }

  /** The object's storage was deleted: the next write makes the tables anew. */
  forgotten(): void {
    this.#tables.wereDeleted();
  }
}

const nameless = {
  id: "",
  jurisdiction: "none",
  name: "",
  description: "",
  metadata: {},
  createdMs: 0,
  expiresAfterDays: null,
  maxPassages: 0,
} as const;
