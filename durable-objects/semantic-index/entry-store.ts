import type {
  EraseEntries,
  FindNearest,
  IndexOwner,
  KeepEntry,
} from "../../src/shared/contracts/semantic-index.ts";
import { similarity } from "../../src/shared/cache/semantic/vector-bytes.ts";
import { type KeptVector, ScopeMemory } from "./scope-memory.ts";
import { LazyTables } from "../storage/lazy-tables.ts";

/**
 * The tables of one owner's answered questions (docs/storage.md): vectors, hashes and the keys of answers, never text. Few enough
 * that looking at each of a scope is quicker than any index of vectors.
 */
const migrations = [
  `CREATE TABLE owner (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1), tenant TEXT NOT NULL, user TEXT, jurisdiction TEXT NOT NULL,
     enrolment TEXT, leaving TEXT, erased_ms INTEGER NOT NULL DEFAULT 0);
   CREATE TABLE entry (
     sequence INTEGER PRIMARY KEY, scope TEXT NOT NULL, answer_key TEXT NOT NULL, expires_ms INTEGER NOT NULL,
     asked_by TEXT NOT NULL, vector BLOB NOT NULL, scale REAL NOT NULL, features TEXT NOT NULL);
   CREATE UNIQUE INDEX entry_by_answer ON entry (scope, answer_key);
   CREATE TABLE member (
     user TEXT PRIMARY KEY, enrolment TEXT NOT NULL, doomed_ms INTEGER) WITHOUT ROWID;`,
];

/** A question has at most 2,000 characters; a model's vector at most 4,096 dimensions. */
export const entryBounds = { vectorBytes: 4096, featuresCharacters: 65_536, keyCharacters: 128 } as const;

/** No turn lasts longer (`requests.deadline_seconds`): nothing that was asked before an erasure comes later than this. */
export const rememberErasureMs = 3_700_000;

const mostAheadMs = 3_600_000;

export interface StoredOwner extends IndexOwner {
  readonly jurisdiction: "none" | "eu";
}

export class EntryStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #memory = new ScopeMemory();
  readonly #tables: LazyTables;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#tables = new LazyTables(storage, migrations);
  }

  get isReady(): boolean {
    return this.#tables.areMade;
  }

  /** `null`: nothing was ever written here. */
  owner(): StoredOwner | null {
    if (!this.#tables.areMade) return null;
    return (
      this.#sql.exec<StoredOwner & Row>("SELECT tenant, user, jurisdiction FROM owner").toArray()[0] ?? null
    );
  }

  /** Makes the tables. The first write notes the owner. */
  own({ tenant, user, jurisdiction }: StoredOwner): void {
    this.#tables.make();
    this.#sql.exec(
      "INSERT OR IGNORE INTO owner (only_row, tenant, user, jurisdiction) VALUES (1, ?, ?, ?)",
      tenant,
      user,
      jurisdiction,
    );
  }

  /** `enrolment`: by which the tenant's object counts on this one. `leaving`: one that it is still to be told the end of. */
  membership(): { readonly enrolment: string | null; readonly leaving: string | null } {
    if (!this.#tables.areMade) return { enrolment: null, leaving: null };
    return (
      this.#sql
        .exec<{ enrolment: string | null; leaving: string | null }>("SELECT enrolment, leaving FROM owner")
        .toArray()[0] ?? { enrolment: null, leaving: null }
    );
  }

  enrolled(enrolment: string): void {
    this.#sql.exec("UPDATE owner SET enrolment = ?", enrolment);
  }

  /** A later write enrols anew. */
  leaves(): void {
    this.#sql.exec("UPDATE owner SET leaving = enrolment, enrolment = NULL WHERE enrolment IS NOT NULL");
  }

  left(leaving: string): void {
    if (this.#tables.areMade) this.#sql.exec("UPDATE owner SET leaving = NULL WHERE leaving = ?", leaving);
  }

  erasedMs(): number {
    if (!this.#tables.areMade) return 0;
    return this.#sql.exec<{ erased_ms: number }>("SELECT erased_ms FROM owner").toArray()[0]?.erased_ms ?? 0;
  }

  /** Nearest first. What has ended is passed over; the alarm takes it away. */
  nearest(
    { scope, vector, scale, atLeast, limit }: FindNearest,
    nowMs: number,
  ): { readonly answerKey: string; readonly score: number; readonly features: string }[] {
    if (!this.#tables.areMade) return [];
    const asked = { bytes: vector, scale };
    const near: { sequence: number; score: number }[] = [];
    for (const { sequence, expiresMs, packed } of this.#memory.of(scope, () => this.#read(scope))) {
      if (expiresMs <= nowMs) continue;
      const score = similarity(asked, packed);
      if (score >= atLeast) near.push({ sequence, score });
    }
    near.sort((left, right) => right.score - left.score);
    return near.slice(0, limit).map(({ sequence, score }) => {
      const { answer_key: answerKey, features } = this.#sql
        .exec<{ answer_key: string; features: string }>(
          "SELECT answer_key, features FROM entry WHERE sequence = ?",
          sequence,
        )
        .one();
      return { answerKey, score, features };
    });
  }

  #read(scope: string): KeptVector[] {
    return this.#sql
      .exec<{ sequence: number; answer_key: string; expires_ms: number; vector: ArrayBuffer; scale: number }>(
        "SELECT sequence, answer_key, expires_ms, vector, scale FROM entry WHERE scope = ?",
        scope,
      )
      .toArray()
      .map(({ sequence, answer_key: answerKey, expires_ms: expiresMs, vector, scale }) => ({
        sequence,
        answerKey,
        expiresMs,
        packed: { bytes: new Uint8Array(vector), scale },
      }));
  }

  /** `false`: the question was asked before an erasure, and is not stored. Above `maxEntries` the oldest entries are dropped. */
  keep(entry: KeepEntry): boolean {
    const kept = this.#storage.transactionSync(() => {
      if (entry.askedMs <= this.erasedMs()) return null;
      const { sequence } = this.#sql
        .exec<{ sequence: number }>(
          `INSERT OR REPLACE INTO entry (scope, answer_key, expires_ms, asked_by, vector, scale, features)
           VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING sequence`,
          entry.scope,
          entry.answerKey,
          entry.expiresMs,
          entry.askedBy,
          entry.vector.slice().buffer,
          entry.scale,
          entry.features,
        )
        .one();
      const over = Math.max(0, this.count() - entry.maxEntries);
      const gone = this.#sql
        .exec<{ scope: string; sequence: number }>(
          `DELETE FROM entry WHERE sequence IN (SELECT sequence FROM entry ORDER BY sequence LIMIT ?)
           RETURNING scope, sequence`,
          over,
        )
        .toArray();
      return { sequence, gone };
    });
    if (kept === null) return false;
    const { scope, answerKey, expiresMs, vector, scale } = entry;
    const packed = { bytes: vector.slice(), scale };
    this.#memory.keep(scope, { sequence: kept.sequence, answerKey, expiresMs, packed });
    this.#memory.remove(kept.gone);
    return true;
  }

  count(): number {
    if (!this.#tables.areMade) return 0;
    return this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM entry").one().n;
  }

  /** All of it, or what one user asked. What of it is still on its way comes too late. */
  erase({ askedBy, throughMs }: Pick<EraseEntries, "askedBy" | "throughMs">, nowMs: number): void {
    this.#memory.forget();
    const through = Math.min(throughMs, nowMs + mostAheadMs);
    this.#storage.transactionSync(() => {
      if (askedBy === null) this.#sql.exec("DELETE FROM entry");
      else this.#sql.exec("DELETE FROM entry WHERE asked_by = ?", askedBy);
      this.#sql.exec("UPDATE owner SET erased_ms = max(erased_ms, ?)", through);
    });
  }

  removeExpired(nowMs: number): void {
    if (!this.#tables.areMade) return;
    this.#memory.forget();
    this.#sql.exec("DELETE FROM entry WHERE expires_ms <= ?", nowMs);
  }

  /** When the next entry ends; `null`: there is none. */
  nextEndMs(): number | null {
    if (!this.#tables.areMade) return null;
    return this.#sql.exec<{ next: number | null }>("SELECT min(expires_ms) AS next FROM entry").one().next;
  }

  /** The object's storage was deleted: the next write makes the tables anew. */
  forgotten(): void {
    this.#memory.forget();
    this.#tables.wereDeleted();
  }
}

type Row = Record<string, SqlStorageValue>;
