/**
 * Which turns left nothing here, while there was no conversation, and are kept by their own objects? The deletion of the conversation that is made by
 * this name reaches them, and until there is one, their own.
 */
import type { LazyTables } from "../storage/lazy-tables.ts";

export class UnsavedTurns {
  readonly #sql: SqlStorage;
  readonly #tables: LazyTables;

  constructor(sql: SqlStorage, tables: LazyTables) {
    this.#sql = sql;
    this.#tables = tables;
  }

  /**
   * Forgets those that are over, so that a conversation whose turns go on failing keeps no more of them than there are objects.
   *
   * @param untilMs so long its object may keep it
   */
  note(responseId: string, untilMs: number, nowMs: number): void {
    this.#tables.make();
    this.#sql.exec("DELETE FROM unsaved WHERE until_ms <= ?", nowMs);
    this.#sql.exec(
      "INSERT INTO unsaved VALUES (?, ?) ON CONFLICT (response_id) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)",
      responseId,
      untilMs,
    );
  }

  areAny(nowMs: number): boolean {
    return this.untilMs() > nowMs;
  }

  /** When the last of them is over; 0: there is none. */
  untilMs(): number {
    if (!this.#tables.areMade) return 0;
    return this.#sql
      .exec<{ until_ms: number }>("SELECT coalesce(max(until_ms), 0) AS until_ms FROM unsaved")
      .one().until_ms;
  }
}
