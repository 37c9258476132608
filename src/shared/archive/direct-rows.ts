/**
 * How do the rows of direct turns reach the archive? In batches, in the background, best effort: an isolate collects the turns that have
 * ended and hands them over every 2 s or 50 rows. Rows that it still holds when it is killed are lost. While the queue is unreachable rows
 * are kept up to a bound, and dropped beyond it. Charges are never lost with them: those are in the buckets.
 */
import type { Background } from "../contracts/background.ts";
import type { ReportFault } from "../contracts/report-fault.ts";
import { mostTurnsAtOnce, type Archive, type ArchivedTurn } from "./ports.ts";

export interface DirectRowsOptions {
  readonly archive: Archive;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly report: ReportFault;
}

const maxDelayMs = 2_000;
const mostKept = 1_000;
/** What a request began ends 30 s after its client has gone at the latest, and is then never heard of again. */
const overdueMs = 60_000;

interface HandedOver {
  readonly rows: readonly ArchivedTurn[];
  readonly atMs: number;
}

export class DirectRows {
  readonly #options: DirectRowsOptions;
  #rows: ArchivedTurn[] = [];
  /** Not yet known to be taken. */
  readonly #underWay = new Set<HandedOver>();
  /** When the flush in flight was promised. One that is overdue belonged to a request that was reset: another is made. */
  #promisedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: DirectRowsOptions) {
    this.#options = options;
  }

  /** Keeps the row; it is handed over within 2 s, under `background`. */
  add(row: ArchivedTurn, background: Background): void {
    this.#takeBackOverdue();
    if (this.#rows.length + this.#countUnderWay() >= mostKept)
      this.#options.report("archive", `${mostKept} direct turns' rows are waiting: one is lost`);
    else this.#rows.push(row);
    if (this.#rows.length === mostTurnsAtOnce) {
      background.run("archive", this.#flush());
      return;
    }
    const nowMs = this.#options.now();
    if (nowMs - this.#promisedAtMs < 2 * maxDelayMs) return;
    this.#promisedAtMs = nowMs;
    background.run(
      "archive",
      this.#options.sleep(maxDelayMs).then(() => {
        this.#promisedAtMs = Number.NEGATIVE_INFINITY;
        return this.#flush();
      }),
    );
  }

  /** The request that handed these over was reset: sent again, since a row counts once (by its charge id). */
  #takeBackOverdue(): void {
    for (const handedOver of this.#underWay) {
      if (this.#options.now() - handedOver.atMs < overdueMs) continue;
      this.#underWay.delete(handedOver);
      this.#rows.unshift(...handedOver.rows);
    }
  }

  #countUnderWay(): number {
    let count = 0;
    for (const { rows } of this.#underWay) count += rows.length;
    return count;
  }

  /** All there is, until the queue takes no more. */
  async #flush(): Promise<void> {
    for (;;) {
      const rows = this.#rows.splice(0, mostTurnsAtOnce);
      if (rows.length === 0) return;
      const handedOver = { rows, atMs: this.#options.now() };
      this.#underWay.add(handedOver);
      const outcome = await this.#options.archive.charges(rows);
      const isStillOurs = this.#underWay.delete(handedOver);
      if (outcome.result !== "unreachable") continue;
      // With a later turn again.
      if (isStillOurs) this.#rows.unshift(...rows);
      this.#options.report("archive", outcome.detail);
      return;
    }
  }
}
