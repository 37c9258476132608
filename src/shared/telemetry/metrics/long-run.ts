/**
 * What goes to the store for the long run (Analytics Engine), and when? Of every series that has grown its total so far, once a minute
 * at most. Totals, and not what was added: a point that is lost, repeated or left out by sampling takes nothing away that the next one
 * does not say, as with a scrape. Pure; docs/metrics.md says how it is read (docs/decisions/0078-the-long-run.md says why).
 */
import type { SeriesData, SumsData } from "./metric-sums.ts";
import { bucketBoundsMs, keySeparator } from "./metric-series.ts";
import { familyOf, type MetricId } from "./metric-table.ts";

/** As Analytics Engine takes it: one index of 96 bytes, up to 20 blobs and 20 doubles. */
export interface LongRunPoint {
  /** The metric's name. */
  readonly indexes: [string];
  /** The shard, then the values of the labels in the table's order. */
  readonly blobs: string[];
  /** Of a counter its total. Of a histogram: how many, their sum in seconds, and how many up to each bound; +Inf last. */
  readonly doubles: number[];
}

export const longRunEveryMs = 60_000;
/** At one call: the platform takes 250 of one invocation. What is more goes with the next calls. */
export const mostPointsAtOnce = 100;

const infinityAt = bucketBoundsMs.length;
const sumAt = infinityAt + 1;

export class LongRun {
  readonly #shard: string;
  /** How much each series had counted when it was last told. */
  readonly #told = new Map<string, number>();
  #waiting: LongRunPoint[] = [];
  #nextRoundMs = Number.NEGATIVE_INFINITY;

  /** @param sums what the shard begins with: told before, or with the next growth */
  constructor(shard: string, sums: SumsData) {
    this.#shard = shard;
    for (const { metric, series } of sums)
      for (const one of series) this.#told.set(keyOf(metric, one), countedBy(one));
  }

  /** What is due. `read`: the sums as they are; asked for once a round only. */
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

/** Grows with every event: a counter's total, or the number of a histogram's. */
function countedBy({ values }: SeriesData): number {
  return values.length === 1
    ? (values[0] ?? 0)
    : values.slice(0, sumAt).reduce((sum, value) => sum + value, 0);
}
