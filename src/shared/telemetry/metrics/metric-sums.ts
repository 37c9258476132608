/**
 * Counters and histograms as numbers that can be added up in any order and any grouping with the same result: counts, and
 * times as whole microseconds, never as floating seconds.
 */
import {
  bucketBoundsMs,
  keySeparator,
  type LabelBounds,
  maxLabelCharacters,
  overflowValue,
  seriesLength,
} from "./metric-series.ts";
import {
  type CounterId,
  type CounterLabels,
  familyOf,
  type HistogramId,
  type LabelName,
  labelNames,
  type MetricId,
  metricIds,
  metricTable,
} from "./metric-table.ts";

export interface SeriesData {
  /** Label values in the table's order, joined by `keySeparator`. */
  readonly labels: string;
  /** Their number is `seriesLength`. */
  readonly values: readonly number[];
}
/** The form in which sums are sent and stored. */
export type SumsData = readonly {
  readonly metric: string;
  readonly series: readonly SeriesData[];
}[];

const infinityAt = bucketBoundsMs.length;
const sumAt = infinityAt + 1;
const largestBoundMs = bucketBoundsMs.at(-1) ?? 0;

export class MetricSums {
  readonly #bounds: LabelBounds;
  #families = emptyFamilies();
  readonly #known = Object.fromEntries(labelNames.map((name) => [name, new Set<string>()])) as Record<
    LabelName,
    Set<string>
  >;

  constructor(bounds: LabelBounds) {
    this.#bounds = bounds;
  }

  count<Id extends CounterId>(id: Id, labels: CounterLabels<Id>, by = 1): void {
    const series = this.#series(id, labels);
    series[0] = (series[0] ?? 0) + by;
  }

  /** A negative duration (the clock was set back) counts as 0. */
  observe(id: HistogramId, labels: string, durationMs: number): void {
    const series = this.#series(id, labels);
    const ms = durationMs > 0 ? durationMs : 0;
    let at = infinityAt;
    if (ms <= largestBoundMs) {
      at = 0;
      while (ms > (bucketBoundsMs[at] ?? Infinity)) at += 1;
    }
    series[at] = (series[at] ?? 0) + 1;
    series[sumAt] = (series[sumAt] ?? 0) + Math.round(ms * 1000);
  }

  /** Adds other sums. Returns how many series it refused: unknown here, or with other buckets. */
  merge(data: SumsData): number {
    let refused = 0;
    for (const { metric, series: list } of data) {
      if (!isMetricId(metric)) {
        refused += list.length;
        continue;
      }
      for (const { labels, values } of list) {
        if (values.length !== seriesLength(metric) || !hasLabelsOf(metric, labels)) {
          refused += 1;
          continue;
        }
        const series = this.#series(metric, labels);
        for (const [at, value] of values.entries()) series[at] = (series[at] ?? 0) + value;
      }
    }
    return refused;
  }

  isEmpty(): boolean {
    return metricIds.every((id) => this.#families[id].size === 0);
  }

  toData(): SumsData {
    return metricIds
      .filter((id) => this.#families[id].size > 0)
      .map((id) => ({
        metric: id,
        series: Array.from(this.#families[id], ([labels, values]) => ({ labels, values: values.slice() })),
      }));
  }

  /** Returns everything and starts again at 0. Known label values stay: their bound is for a life, not for a batch. */
  take(): SumsData {
    const data = this.toData();
    this.#families = emptyFamilies();
    return data;
  }

  #series(id: MetricId, labels: string): number[] {
    return this.#families[id].get(labels) ?? this.#newSeries(id, labels);
  }

  #newSeries(id: MetricId, labels: string): number[] {
    const family = this.#families[id];
    let bounded = this.#bound(id, labels);
    if (!family.has(bounded) && family.size >= this.#bounds.maxSeries)
      bounded = familyOf(id)
        .labels.map(() => overflowValue)
        .join(keySeparator);
    const existing = family.get(bounded);
    if (existing !== undefined) return existing;
    const made = Array.from({ length: seriesLength(id) }, () => 0);
    family.set(bounded, made);
    return made;
  }

  #bound(id: MetricId, labels: string): string {
    const names = familyOf(id).labels;
    const values = labels.split(keySeparator);
    return names.map((name, at) => this.#boundValue(name, values[at] ?? "")).join(keySeparator);
  }

  #boundValue(name: LabelName, value: string): string {
    const known = this.#known[name];
    if (known.has(value)) return value;
    if (value.length > maxLabelCharacters || known.size >= this.#bounds.maxValues) return overflowValue;
    known.add(value);
    return value;
  }
}

function emptyFamilies(): Record<MetricId, Map<string, number[]>> {
  return Object.fromEntries(metricIds.map((id) => [id, new Map<string, number[]>()])) as Record<
    MetricId,
    Map<string, number[]>
  >;
}

function isMetricId(metric: string): metric is MetricId {
  return Object.hasOwn(metricTable, metric);
}

function hasLabelsOf(id: MetricId, labels: string): boolean {
  return labels.split(keySeparator).length === Math.max(1, familyOf(id).labels.length);
}
