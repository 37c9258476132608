/** In a tenant's own Library: how many batches of its users have not ended, and of how many requests are they? Their table is one of library-tables.ts's. */
import type { HoldPlaces, HoldPlacesOutcome } from "../../src/shared/contracts/library.ts";

type Held = Extract<HoldPlacesOutcome, { readonly result: "held" | "full" }>;
type Wanted = Pick<HoldPlaces, "batchId" | "lines" | "maxOpen" | "maxLines" | "untilMs">;

/** Only where the tables are there. */
export class BatchPlaces {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  hold(wanted: Wanted, nowMs: number): Held {
    const { batchId, lines, maxOpen = Infinity, maxLines = Infinity, untilMs } = wanted;
    this.#sql.exec("DELETE FROM batch_place WHERE until_ms <= ?", nowMs);
    const others = this.#sql
      .exec<{ batches: number; lines: number }>(
        "SELECT count(*) AS batches, total(lines) AS lines FROM batch_place WHERE batch_id <> ?",
        batchId,
      )
      .one();
    if (others.batches >= maxOpen) return { result: "full", most: maxOpen };
    if (others.lines + lines > maxLines) return { result: "full", most: maxLines };
    // Whoever makes it once more does not know of how many it is.
    this.#sql.exec(
      `INSERT INTO batch_place VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET lines = max(lines, excluded.lines), until_ms = excluded.until_ms`,
      batchId,
      lines,
      untilMs,
    );
    return { result: "held" };
  }

  release(batchId: string): void {
    this.#sql.exec("DELETE FROM batch_place WHERE batch_id = ?", batchId);
  }
}
