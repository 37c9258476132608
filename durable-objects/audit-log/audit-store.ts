import { emptyChain, type AuditEntry, type ChainHead } from "../../src/shared/admin/audit-chain.ts";
import type { KeyBook } from "../../src/shared/admin/ledger.ts";
import type { KeyRecord } from "../../src/shared/identity/key-record.ts";
import { LazyTables } from "../storage/lazy-tables.ts";

/** The SQL of one tenant's audit log and of its API keys, which change together. docs/storage.md lists the tables. */
const migrations = [
  `CREATE TABLE entry (
     sequence INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
     subject TEXT NOT NULL, detail TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL);
   CREATE TABLE api_key (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, expires_ms INTEGER, revoked_ms INTEGER,
     record TEXT NOT NULL, pending INTEGER NOT NULL);
   CREATE INDEX api_key_pending ON api_key (sequence) WHERE pending = 1;
   CREATE TABLE owner (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), log TEXT NOT NULL, jurisdiction TEXT NOT NULL)`,
] as const;

/** Whose log it is. */
export interface LogOwner {
  /** A tenant's id, or `platform`. */
  readonly log: string;
  readonly jurisdiction: "none" | "eu";
}

interface EntryRow extends Record<string, SqlStorageValue> {
  readonly sequence: number;
  readonly at_ms: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly detail: string;
  readonly previous: string;
  readonly hash: string;
}

export class AuditStore implements KeyBook {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #tables: LazyTables;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#tables = new LazyTables(storage, migrations);
  }

  /** `null`: nothing was ever written here. */
  owner(): LogOwner | null {
    if (!this.#tables.areMade) return null;
    const [row] = this.#sql.exec<{ log: string; jurisdiction: "none" | "eu" }>(
      "SELECT log, jurisdiction FROM owner",
    );
    return row ?? null;
  }

  head(): ChainHead {
    if (!this.#tables.areMade) return emptyChain;
    const [row] = this.#sql.exec<{ sequence: number; hash: string }>(
      "SELECT sequence, hash FROM entry ORDER BY sequence DESC LIMIT 1",
    );
    return row ?? emptyChain;
  }

  /** Writes an entry together with its change, if the log still ends where the entry begins; `false`: it does not. */
  commit(owner: LogOwner, entry: AuditEntry, records: readonly KeyRecord[]): boolean {
    if (this.head().sequence !== entry.sequence - 1) return false;
    this.#tables.make();
    this.#storage.transactionSync(() => {
      this.#sql.exec("INSERT OR IGNORE INTO owner VALUES (1, ?, ?)", owner.log, owner.jurisdiction);
      const { sequence, atMs, actor, action, subject, detail, previous, hash } = entry;
      this.#sql.exec(
        "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        sequence,
        atMs,
        actor,
        action,
        subject,
        JSON.stringify(detail),
        previous,
        hash,
      );
      for (const record of records)
        this.#sql.exec(
          `INSERT INTO api_key (id, expires_ms, revoked_ms, record, pending) VALUES (?, ?, ?, ?, 1)
           ON CONFLICT (id) DO UPDATE SET expires_ms = excluded.expires_ms, revoked_ms = excluded.revoked_ms,
             record = excluded.record, pending = 1`,
          record.id,
          record.expires_ms,
          record.revoked_ms,
          JSON.stringify(record),
        );
    });
    return true;
  }

  find(id: string): KeyRecord | null {
    if (!this.#tables.areMade) return null;
    const [row] = this.#sql.exec<{ record: string }>("SELECT record FROM api_key WHERE id = ?", id);
    return row === undefined ? null : recordOf(row);
  }

  countLive(now: number): number {
    if (!this.#tables.areMade) return 0;
    return this.#sql
      .exec<{ live: number }>(
        "SELECT COUNT(*) AS live FROM api_key WHERE revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > ?)",
        now,
      )
      .one().live;
  }

  madeMs(count: number): number | null {
    if (!this.#tables.areMade) return null;
    const [row] = this.#sql.exec<{ record: string }>(
      "SELECT record FROM api_key ORDER BY sequence DESC LIMIT 1 OFFSET ?",
      count - 1,
    );
    return row === undefined ? null : recordOf(row).created_ms;
  }

  unrevoked(): readonly KeyRecord[] {
    if (!this.#tables.areMade) return [];
    return this.#sql
      .exec<{ record: string }>("SELECT record FROM api_key WHERE revoked_ms IS NULL")
      .toArray()
      .map(recordOf);
  }

  /** Newest first, one more than `limit` where there is more; `null`: there is no such `after`. */
  list(after: string | null, limit: number): readonly KeyRecord[] | null {
    if (!this.#tables.areMade) return after === null ? [] : null;
    let below = Number.MAX_SAFE_INTEGER;
    if (after !== null) {
      const [row] = this.#sql.exec<{ sequence: number }>("SELECT sequence FROM api_key WHERE id = ?", after);
      if (row === undefined) return null;
      below = row.sequence;
    }
    return this.#sql
      .exec<{ record: string }>(
        "SELECT record FROM api_key WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
        below,
        limit + 1,
      )
      .toArray()
      .map(recordOf);
  }

  /** Newest first, one more than `limit` where there is more. */
  entries(before: number | null, limit: number): readonly AuditEntry[] {
    if (!this.#tables.areMade) return [];
    return this.#sql
      .exec<EntryRow>(
        "SELECT * FROM entry WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
        before ?? Number.MAX_SAFE_INTEGER,
        limit + 1,
      )
      .toArray()
      .map(({ at_ms: atMs, detail, sequence, actor, action, subject, previous, hash }) => ({
        sequence,
        atMs,
        actor,
        action,
        subject,
        previous,
        hash,
        detail: JSON.parse(detail) as AuditEntry["detail"],
      }));
  }

  /** When the last of these actions was done, each with its subject. */
  lastOf(actions: readonly (readonly [action: string, subject: string])[]): number | null {
    if (!this.#tables.areMade) return null;
    const [row] = this.#sql.exec<{ at_ms: number }>(
      `SELECT at_ms FROM entry WHERE ${actions.map(() => "(action = ? AND subject = ?)").join(" OR ")}
       ORDER BY sequence DESC LIMIT 1`,
      ...actions.flat(),
    );
    return row?.at_ms ?? null;
  }

  /**
   * Records that KV, and the bucket of a revoked one, were not told of yet: as text, as they are. Those behind `after` first, then
   * round to the others.
   */
  pending(after: number, limit: number): readonly { readonly sequence: number; readonly record: string }[] {
    if (!this.#tables.areMade) return [];
    return this.#sql
      .exec<{ sequence: number; record: string }>(
        "SELECT sequence, record FROM api_key WHERE pending = 1 ORDER BY sequence <= ?, sequence LIMIT ?",
        after,
        limit,
      )
      .toArray();
  }

  isPending(id: string): boolean {
    if (!this.#tables.areMade) return false;
    return this.#sql.exec("SELECT 1 FROM api_key WHERE id = ? AND pending = 1", id).toArray().length > 0;
  }

  /** This very record was told; one that changed meanwhile stays pending. */
  delivered(id: string, record: string): void {
    this.#sql.exec("UPDATE api_key SET pending = 0 WHERE id = ? AND record = ?", id, record);
  }
}

function recordOf({ record }: { readonly record: string }): KeyRecord {
  return JSON.parse(record) as KeyRecord;
}
