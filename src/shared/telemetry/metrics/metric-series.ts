/** What does a metric's series consist of, how is it identified, and how many may there be? */
import { familyOf, type MetricId } from "./metric-table.ts";

/** Upper bounds of every histogram, in milliseconds, inclusive as Prometheus has it; +Inf follows. 1 ms to 120 s. */
export const bucketBoundsMs: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000,
];

/** How many numbers a series has. For a histogram: a count for each bound, one for +Inf, then the sum in microseconds. */
export function seriesLength(id: MetricId): number {
  return familyOf(id).type === "counter" ? 1 : bucketBoundsMs.length + 2;
}

/** Replaces a label's value that is beyond the bound or not allowed. */
export const overflowValue = "other";
/** `model` of a request that reached no model. */
export const noModel = "none";

/** Separates label values in a series' key: no value may contain it. */
export const keySeparator = "\n";
export const maxLabelCharacters = 128;

/** How many different values a label may have in one isolate or shard; later values become `other`. */
export interface LabelBounds {
  readonly maxValues: number;
  /** The most series of one metric. */
  readonly maxSeries: number;
}
/** In one isolate: a fleet has at most some tens of models, the API some tens of routes. */
export const isolateBounds: LabelBounds = { maxValues: 64, maxSeries: 1_000 };
/** In one shard, which gets the models of every fleet that ever existed. Keeps its snapshot well below SQLite's 2 MB for a value. */
export const shardBounds: LabelBounds = { maxValues: 128, maxSeries: 2_000 };
