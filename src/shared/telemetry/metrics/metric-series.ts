/** What is a metric's series made of, how is it named, and how many may there be? */
import { familyOf, type MetricId } from "./metric-table.ts";

/** Upper bounds of every histogram, in milliseconds, inclusive as Prometheus has it; +Inf follows. 1 ms to 120 s. */
export const bucketBoundsMs: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000,
];

/** How many numbers a series has. Histogram: a count for each bound, one for +Inf, then the sum in microseconds. */
export function seriesLength(id: MetricId): number {
  return familyOf(id).type === "counter" ? 1 : bucketBoundsMs.length + 2;
}

/** What a label reads where its value is over the bound, or is none that may stand there. */
export const overflowValue = "other";
/** `model` of a request that reached none. */
export const noModel = "none";

/** Separates label values in a series' key: no value may hold it. */
export const keySeparator = "\n";
export const maxLabelCharacters = 128;

/** How many different values a label may have in one place; whatever comes later reads `other`. */
export interface LabelBounds {
  readonly maxValues: number;
  /** Series of one metric. */
  readonly maxSeries: number;
}
/** In one isolate: a fleet has at most some tens of models, the API some tens of routes. */
export const isolateBounds: LabelBounds = { maxValues: 64, maxSeries: 1_000 };
/** In one shard, which meets the models of every fleet there ever was. Keeps its snapshot well below SQLite's 2 MB a value. */
export const shardBounds: LabelBounds = { maxValues: 128, maxSeries: 2_000 };
