import type {
  BeginChange,
  BeginChangeOutcome,
  Begun,
  EndChange,
  HeldByOthers,
} from "../../src/shared/admin/tenant-claims.ts";
import type { Lasting } from "../../src/shared/tenancy/lately-left.ts";
import { LazyTables } from "../storage/lazy-tables.ts";

/**
 * Which tenants are being changed, which hostnames and issuers were assigned recently, and what did the last change of a tenant leave? Only
 * in the platform's own log.
 */
const migrations = [
  `CREATE TABLE change (tenant TEXT PRIMARY KEY, id TEXT NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE claim (
     key TEXT PRIMARY KEY, tenant TEXT NOT NULL, change TEXT NOT NULL, until_ms INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX claim_by_tenant ON claim (tenant)`,
  `CREATE TABLE lately_left (
     tenant TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, jurisdiction TEXT, created_after INTEGER NOT NULL,
     until_ms INTEGER NOT NULL) WITHOUT ROWID`,
] as const;

/** A change whose Worker died keeps others out no longer. Longer than writing the longest configuration takes. */
const changeMs = 120_000;
/** KV usually shows a change everywhere within a minute. */
const claimMs = 600_000;

export class ClaimStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #tables: LazyTables;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#tables = new LazyTables(storage, migrations, "claim_schema_version");
  }

  begin({ tenant, change, keys }: BeginChange, nowMs: number): BeginChangeOutcome {
    this.#tables.make();
    return this.#storage.transactionSync((): BeginChangeOutcome => {
      for (const table of ["change", "claim", "lately_left"])
        this.#sql.exec(`DELETE FROM ${table} WHERE until_ms <= ?`, nowMs);
      const [running] = this.#sql.exec<{ id: string }>("SELECT id FROM change WHERE tenant = ?", tenant);
      if (running !== undefined) return running.id === change ? this.#begun(tenant) : { result: "busy" };
      for (const key of keys) {
        const [held] = this.#sql.exec<{ by: string }>(
          "SELECT tenant AS by FROM claim WHERE key = ? AND tenant <> ?",
          key,
          tenant,
        );
        if (held !== undefined) return { result: "taken", key, by: held.by };
      }
      this.#sql.exec("INSERT INTO change VALUES (?, ?, ?)", tenant, change, nowMs + changeMs);
      for (const key of keys)
        this.#sql.exec(
          "INSERT OR IGNORE INTO claim VALUES (?, ?, ?, ?)",
          key,
          tenant,
          change,
          nowMs + claimMs,
        );
      return this.#begun(tenant);
    });
  }

  #begun(tenant: string): Begun {
    const [row] = this.#sql.exec<LeftRow>(
      "SELECT at_ms, jurisdiction, created_after FROM lately_left WHERE tenant = ?",
      tenant,
    );
    if (row === undefined) return { result: "begun" };
    const { at_ms: atMs, jurisdiction, created_after: createdAfter } = row;
    const lasting = jurisdiction === null ? null : { jurisdiction, createdAfter };
    return { result: "begun", lately: { atMs, lasting } };
  }

  heldByOthers({ tenant, keys }: HeldByOthers, nowMs: number): string[] {
    if (!this.#tables.areMade) return [];
    return this.#sql
      .exec<{ key: string }>(
        "SELECT key FROM claim WHERE tenant <> ? AND until_ms > ? AND key IN (SELECT value FROM json_each(?)) ORDER BY key",
        tenant,
        nowMs,
        JSON.stringify(keys),
      )
      .toArray()
      .map(({ key }) => key);
  }

  /** Frees the keys that the tenant gave up; for a failed change, those that it would have got. */
  end({ tenant, change, keys, isKept, leaves }: EndChange, nowMs: number): void {
    if (!this.#tables.areMade) return;
    this.#storage.transactionSync(() => {
      const ended = this.#sql.exec("DELETE FROM change WHERE tenant = ? AND id = ?", tenant, change);
      // It took so long that another change may have been made since.
      if (ended.rowsWritten === 0) return;
      if (!isKept) {
        this.#sql.exec("DELETE FROM claim WHERE tenant = ? AND change = ?", tenant, change);
        return;
      }
      this.#sql.exec(
        "DELETE FROM claim WHERE tenant = ? AND key NOT IN (SELECT value FROM json_each(?))",
        tenant,
        JSON.stringify(keys),
      );
      this.#sql.exec("UPDATE claim SET until_ms = ? WHERE tenant = ?", nowMs + claimMs, tenant);
      if (leaves === undefined) return;
      this.#sql.exec(
        "INSERT OR REPLACE INTO lately_left VALUES (?, ?, ?, ?, ?)",
        tenant,
        leaves.atMs,
        leaves.lasting?.jurisdiction ?? null,
        leaves.lasting?.createdAfter ?? 0,
        nowMs + claimMs,
      );
    });
  }
}

interface LeftRow extends Record<string, SqlStorageValue> {
  readonly at_ms: number;
  /** `null`: no tenant was left. */
  readonly jurisdiction: Lasting["jurisdiction"] | null;
  readonly created_after: number;
}
