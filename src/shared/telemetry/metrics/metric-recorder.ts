/**
 * How do an isolate's metrics reach the hub? Added up here, a few additions per request, and delivered about once a second in the
 * background of one of the requests.
 *
 * A batch is frozen when it is first sent and is sent again, unchanged, until the hub says that it is on disk: each record counts once,
 * whatever is lost on the way. Memory is bounded by the number of series, not by time. Lost are: the records since the last delivery if the
 * isolate dies, a second's worth (while the hub can't be reached: all since then); and, told by `edgewise_metrics_batches_in_doubt_total`,
 * at most `maxPending` batches where a shard was silent for `giveUpAfterMs`.
 */
import type { Background } from "../../contracts/background.ts";
import type { RequestRecord } from "../request-record.ts";
import { countRecord } from "./count-record.ts";
import {
  type DeliveryOutcome,
  giveUpAfterMs,
  hubVersion,
  type MetricBatch,
  type MetricDelivery,
} from "./hub-protocol.ts";
import { MetricSums } from "./metric-sums.ts";
import { isolateBounds } from "./metric-series.ts";
import type { CounterId, CounterLabels, HistogramId } from "./metric-table.ts";

export interface RecorderOptions {
  /** A random name of this isolate. */
  readonly source: string;
  /** One call of this isolate's shard. May throw, may never settle: the request under which it was made can be reset. */
  readonly deliver: (delivery: MetricDelivery) => Promise<DeliveryOutcome>;
  readonly now: () => number;
  /** Resolves after so many milliseconds, in the calling request's context. */
  readonly sleep: (ms: number) => Promise<void>;
}

const flushDelayMs = 1_000;
/** While the hub fails; below the 30 s that background work may last. */
const longestDelayMs = 8_000;
/** Frozen batches. While so many are unacknowledged, new records gather in the one that is not frozen yet. */
const maxPending = 2;

interface PendingBatch extends MetricBatch {
  readonly firstSentMs: number;
}

export class MetricRecorder {
  readonly #options: RecorderOptions;
  readonly #live = new MetricSums(isolateBounds);
  #pending: PendingBatch[] = [];
  #sequence = 0;
  #delayMs = flushDelayMs;
  /** When the flush in flight was promised. One that is overdue belonged to a request that was reset: another is made. */
  #promisedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Counts an ended request or turn; it reaches the hub within seconds, under `background`. */
  record(record: RequestRecord, background: Background): void {
    countRecord(this.#live, record);
    this.#promise(background);
  }

  /** Counts what belongs to no record. It leaves with the next one. */
  count<Id extends CounterId>(id: Id, labels: CounterLabels<Id>, by = 1): void {
    this.#live.count(id, labels, by);
  }

  /** The same for a time, in milliseconds. */
  observe(id: HistogramId, labels: string, ms: number): void {
    this.#live.observe(id, labels, ms);
  }

  /** Everything recorded so far is on the hub's disk when this resolves. Rejects where the hub can't be reached. */
  async flush(): Promise<void> {
    await this.#deliver("now");
    // With as many batches under way as may be, the newest records had to wait for their acknowledgement.
    if (!this.#live.isEmpty()) await this.#deliver("now");
  }

  #promise(background: Background): void {
    const now = this.#options.now();
    if (now - this.#promisedAtMs < 2 * this.#delayMs) return;
    this.#promisedAtMs = now;
    background.run(
      "metrics flush",
      this.#options.sleep(this.#delayMs).then(() => {
        // Records that come while this one is delivered promise the next.
        this.#promisedAtMs = Number.NEGATIVE_INFINITY;
        return this.#deliver("soon");
      }),
    );
  }

  async #deliver(acknowledge: MetricDelivery["acknowledge"]): Promise<void> {
    this.#freeze();
    if (this.#pending.length === 0) return;
    const batches = this.#pending.map(({ sequence, sums }) => ({ sequence, sums }));
    try {
      const outcome = await this.#options.deliver({
        v: hubVersion,
        source: this.#options.source,
        batches,
        acknowledge,
      });
      if (outcome.result !== "kept") throw new Error(`the hub answered ${outcome.result}`);
      this.#pending = this.#pending.filter((batch) => batch.sequence > outcome.through);
      this.#delayMs = flushDelayMs;
    } catch (error) {
      this.#delayMs = Math.min(2 * this.#delayMs, longestDelayMs);
      throw error;
    }
  }

  #freeze(): void {
    const now = this.#options.now();
    const kept = this.#pending.filter((batch) => now - batch.firstSentMs < giveUpAfterMs);
    if (kept.length < this.#pending.length) {
      this.#live.count("batchesInDoubt", "", this.#pending.length - kept.length);
      this.#pending = kept;
    }
    if (this.#pending.length >= maxPending || this.#live.isEmpty()) return;
    this.#sequence += 1;
    this.#pending.push({ sequence: this.#sequence, sums: this.#live.take(), firstSentMs: now });
  }
}
