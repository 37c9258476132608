/** How far is a store's move into the outside index? The one row beside its blocks (outside-blocks.ts); only where the tables are made. */
import type { Sql } from "../storage/sql-port.ts";

export interface OutsideStep {
  /** Of the index, as it said last; 0: it was never asked. */
  readonly dimensions: number;
  readonly describedMs: number;
  /** One after another. */
  readonly failures: number;
  /** Before that the index is not asked. */
  readonly againMs: number;
  /** When a block that the store still has was last taken out of the index: a copy of it may be found for a while. */
  readonly takenBackMs: number;
}

export class OutsideProgress {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  step(): OutsideStep {
    const row = this.#sql
      .exec<{
        dimensions: number;
        described_ms: number;
        failures: number;
        again_ms: number;
        taken_back_ms: number;
      }>("SELECT dimensions, described_ms, failures, again_ms, taken_back_ms FROM outside_step")
      .one();
    return {
      dimensions: row.dimensions,
      describedMs: row.described_ms,
      failures: row.failures,
      againMs: row.again_ms,
      takenBackMs: row.taken_back_ms,
    };
  }

  described(dimensions: number, nowMs: number): void {
    this.#sql.exec("UPDATE outside_step SET dimensions = ?, described_ms = ?", dimensions, nowMs);
  }

  worked(): void {
    this.#sql.exec("UPDATE outside_step SET failures = 0, again_ms = 0");
  }

  failed(failures: number, againMs: number): void {
    this.#sql.exec("UPDATE outside_step SET failures = ?, again_ms = ?", failures, againMs);
  }

  tookBack(nowMs: number): void {
    this.#sql.exec("UPDATE outside_step SET taken_back_ms = ?", nowMs);
  }

  /** Of blocks that are found from now on; larger than all before. */
  nextMark(): number {
    return this.#sql
      .exec<{ mark: number }>("UPDATE outside_step SET last_seen = last_seen + 1 RETURNING last_seen AS mark")
      .one().mark;
  }
}
