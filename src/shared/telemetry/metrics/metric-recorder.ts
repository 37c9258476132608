/**
 * How do an isolate's metrics reach the hub? Added up here, a few additions per request, and delivered about once a second in the
 * background of one of the requests.
 *
 * A batch is frozen when it is first sent, and repeated unchanged until the hub confirms that it is on disk: each record counts once, whatever
 * is lost on the way. Memory is bounded by the number of series, not by time. If the isolate dies, the records since the last delivery are
 * lost: a second's worth, or all since the hub became unreachable. If a shard is silent for `giveUpAfterMs`, at most `maxPending` batches may
 * be lost, as `edgewise_metrics_batches_in_doubt_total` shows.
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
  /** A random name for this isolate. */
  readonly source: string;
  /** One call to this isolate's shard. It may throw, or never settle if its request is reset. */
  readonly deliver: (delivery: MetricDelivery) => Promise<DeliveryOutcome>;
  readonly now: () => number;
  /** Resolves after this many milliseconds, in the calling request's context. */
  readonly sleep: (ms: number) => Promise<void>;
}

const flushDelayMs = 1_000;
/** The longest delay while the hub fails; below the 30 s that background work may take. */
const longestDelayMs = 8_000;
/** The most frozen batches. While so many are unacknowledged, new records are added to the open one. */
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
  /** When the pending flush was scheduled. An overdue one belonged to a request that was reset, so another is scheduled. */
  #promisedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Counts an ended request or turn; it reaches the hub within seconds, under `background`. */
  record(record: RequestRecord, background: Background): void {
    countRecord(this.#live, record);
    this.#promise(background);
  }

  /** Counts something outside any record. It is delivered with the next record. */
  count<Id extends CounterId>(id: Id, labels: CounterLabels<Id>, by = 1): void {
    this.#live.count(id, labels, by);
  }

  /** The same for a time, in milliseconds. */
  observe(id: HistogramId, labels: string, ms: number): void {
    this.#live.observe(id, labels, ms);
  }

  /** Resolves when everything recorded so far is on the hub's disk. Rejects if the hub can't be reached. */
  async flush(): Promise<void> {
    await this.#deliver("now");
    // If the maximum number of batches was pending, the newest records had to wait for their acknowledgement.
    if (!this.#live.isEmpty()) await this.#deliver("now");
  }

  #promise(background: Background): void {
    const now = this.#options.now();
    if (now - this.#promisedAtMs < 2 * this.#delayMs) return;
    this.#promisedAtMs = now;
    background.run(
      "metrics flush",
      this.#options.sleep(this.#delayMs).then(() => {
        // Records that come during this delivery schedule the next one.
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
