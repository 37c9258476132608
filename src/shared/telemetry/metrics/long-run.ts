/**
 * What is written to the long-term store (Analytics Engine), and when? The total of every series that has grown, at most once a minute.
 * Totals, not increments: if a point is lost, repeated or dropped by sampling, the next one makes up for it, as with a scrape. Pure;
 * docs/metrics.md says how to read it, docs/decisions/0078-the-long-run.md why.
 */
import type { SeriesData, SumsData } from "./metric-sums.ts";
import { bucketBoundsMs, keySeparator } from "./metric-series.ts";
import { familyOf, type MetricId } from "./metric-table.ts";

/** A point for Analytics Engine: one index of 96 bytes, up to 20 blobs and 20 doubles. */
export interface LongRunPoint {
  /** The metric's name. */
  readonly indexes: [string];
  /** The shard, then the values of the labels in the table's order. */
  readonly blobs: string[];
  /** For a counter its total. For a histogram the count, the sum in seconds, and the count up to each bound; +Inf last. */
  readonly doubles: number[];
}

export const longRunEveryMs = 60_000;
/** The most points of one call: the platform accepts 250 for each invocation. The rest follows with the next calls. */
export const mostPointsAtOnce = 100;

const infinityAt = bucketBoundsMs.length;
const sumAt = infinityAt + 1;

export class LongRun {
  readonly #shard: string;
  /** The count of each series when it was last written. */
  readonly #told = new Map<string, number>();
  #waiting: LongRunPoint[] = [];
  #nextRoundMs = Number.NEGATIVE_INFINITY;

  /** @param sums the shard's initial sums: written before, or with their next growth */
  constructor(shard: string, sums: SumsData) {
    this.#shard = shard;
    for (const { metric, series } of sums)
      for (const one of series) this.#told.set(keyOf(metric, one), countedBy(one));
  }

  /** The points that are due. @param read returns the current sums; called only once a round */
  take(read: () => SumsData, nowMs: number): readonly LongRunPoint[] {
    if (this.#waiting.length === 0 && nowMs >= this.#nextRoundMs) {
      this.#nextRoundMs = nowMs + longRunEveryMs;
      this.#waiting = this.#grown(read());
    }
    return this.#waiting.splice(0, mostPointsAtOnce);
  }

  #grown(sums: SumsData): LongRunPoint[] {
    const points: LongRunPoint[] = [];
    for (const { metric, series } of sums)
      for (const one of series) {
        const key = keyOf(metric, one);
        const counted = countedBy(one);
        if (counted === (this.#told.get(key) ?? 0)) continue;
        this.#told.set(key, counted);
        points.push(this.#point(metric as MetricId, one));
      }
    return points;
  }

  #point(metric: MetricId, { labels, values }: SeriesData): LongRunPoint {
    const { name, type, labels: names } = familyOf(metric);
    const blobs = [this.#shard, ...(names.length === 0 ? [] : labels.split(keySeparator))];
    if (type === "counter") return { indexes: [name], blobs, doubles: [values[0] ?? 0] };
    let count = 0;
    const upTo = values.slice(0, sumAt).map((value) => (count += value));
    return { indexes: [name], blobs, doubles: [count, (values[sumAt] ?? 0) / 1_000_000, ...upTo] };
  }
}

function keyOf(metric: string, { labels }: SeriesData): string {
  return `${metric}${keySeparator}${labels}`;
}

/** A number that grows with every event: a counter's total, or a histogram's count. */
function countedBy({ values }: SeriesData): number {
  return values.length === 1
    ? (values[0] ?? 0)
    : values.slice(0, sumAt).reduce((sum, value) => sum + value, 0);
}
