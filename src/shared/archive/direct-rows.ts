/**
 * How do direct turns' rows reach the archive? Together, in the background, best effort: an isolate keeps what has ended and
 * hands it over every 2 s or 50 rows. What it still has when it is killed is lost, and what a queue that is away does not take
 * is bounded and then lost as well. Their charges are not: those live in their buckets.
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

export class DirectRows {
  readonly #options: DirectRowsOptions;
  #rows: ArchivedTurn[] = [];
  /** Handed over, and not yet known to be taken. */
  #underWay = 0;
  /** When the flush in flight was promised. One that is overdue belonged to a request that was reset: another is made. */
  #promisedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: DirectRowsOptions) {
    this.#options = options;
  }

  /** Keeps the row; it is handed over within 2 s, under `background`. */
  add(row: ArchivedTurn, background: Background): void {
    if (this.#rows.length + this.#underWay >= mostKept)
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

  /** All there is, until the queue takes no more. */
  async #flush(): Promise<void> {
    for (;;) {
      const rows = this.#rows.splice(0, mostTurnsAtOnce);
      if (rows.length === 0) return;
      this.#underWay += rows.length;
      const outcome = await this.#options.archive.charges(rows);
      this.#underWay -= rows.length;
      if (outcome.result !== "unreachable") continue;
      // With a later turn again.
      this.#rows.unshift(...rows);
      this.#options.report("archive", outcome.detail);
      return;
    }
  }
}
