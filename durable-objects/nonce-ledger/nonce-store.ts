/**
 * Which nonces are still remembered? One table a span of time, named by it: forgetting a span is dropping its table,
 * which is billed as nothing, where deleting is billed by the row.
 */

/** Longer than any signature may live (src/shared/signing/signing-policy.ts), so that two or three tables are there at once. */
const spanMs = 900_000;
/** An object may come to life again where the clock is behind by as much. */
const clockMs = 60_000;
const prefix = "nonces_";

export class NonceStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** True for the first call with this nonce, until its span is dropped. Writes one row then, none otherwise. */
  add(nonce: string, untilMs: number): boolean {
    const table = tableOf(untilMs);
    const spans = this.#tables();
    for (const known of spans)
      if (this.#sql.exec(`SELECT 1 FROM ${known} WHERE nonce = ?`, nonce).toArray().length > 0) return false;
    if (!spans.includes(table))
      this.#sql.exec(`CREATE TABLE ${table} (nonce TEXT PRIMARY KEY) WITHOUT ROWID`);
    this.#sql.exec(`INSERT INTO ${table} VALUES (?)`, nonce);
    return true;
  }

  /** Drops what is over. When the next span will be, in milliseconds since 1970; null where nothing is left. */
  dropUntil(nowMs: number): number | null {
    let next: number | null = null;
    for (const table of this.#tables()) {
      const endsMs = endOf(table);
      if (endsMs <= nowMs) this.#sql.exec(`DROP TABLE ${table}`);
      else next = Math.min(next ?? endsMs, endsMs);
    }
    return next;
  }

  #tables(): string[] {
    return this.#sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'nonces\\_%' ESCAPE '\\'",
      )
      .toArray()
      .map(({ name }) => name);
  }
}

function tableOf(untilMs: number): string {
  return prefix + String(Math.floor(untilMs / spanMs));
}

/** When the last signature of a span is too old, by any clock that this object may have next. */
function endOf(table: string): number {
  return (Number(table.slice(prefix.length)) + 1) * spanMs + clockMs;
}

/** When the span that holds this time ends. */
export function spanEndMs(untilMs: number): number {
  return endOf(tableOf(untilMs));
}
