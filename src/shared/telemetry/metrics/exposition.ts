/**
 * Writes the sums for Prometheus, in its text format, version 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
import type { GatheredMetrics } from "./gather-shards.ts";
import type { MetricSums, SeriesData } from "./metric-sums.ts";
import { bucketBoundsMs, keySeparator } from "./metric-series.ts";
import {
  type CounterFamily,
  familyOf,
  type HistogramFamily,
  type MetricId,
  metricIds,
  shardsMissingMetric,
} from "./metric-table.ts";

export const expositionContentType = "text/plain; version=0.0.4; charset=utf-8";

export function exposition({ sums, missing }: GatheredMetrics): string {
  const { name, help } = shardsMissingMetric;
  const lines = [...head(name, help, "gauge"), `${name} ${missing.length}`];
  if (sums !== null) appendSums(lines, sums);
  return `${lines.join("\n")}\n`;
}

function appendSums(lines: string[], sums: MetricSums): void {
  const families = new Map(sums.toData().map(({ metric, series }) => [metric, series]));
  for (const id of metricIds) {
    const family = familyOf(id);
    lines.push(...head(family.name, family.help, family.type));
    const series = [...(families.get(id) ?? [])];
    for (const labels of knownLabels(family))
      if (!series.some((one) => one.labels === labels)) series.push({ labels, values: [0] });
    series.sort((left, right) => (left.labels < right.labels ? -1 : 1));
    for (const one of series) appendSeries(lines, id, one);
  }
}

/** The labels of series that exist from the start, at 0. */
function knownLabels(family: CounterFamily | HistogramFamily): readonly string[] {
  if (family.labels.length === 0) return [""];
  return family.type === "counter" ? (family.values ?? []) : [];
}

function head(name: string, help: string, type: string): string[] {
  return [
    `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
    `# TYPE ${name} ${type}`,
  ];
}

function appendSeries(lines: string[], id: MetricId, series: SeriesData): void {
  const { name, type, labels } = familyOf(id);
  const { values } = series;
  const texts = series.labels.split(keySeparator);
  const pairs = labels.map((label, at) => `${label}="${escaped(texts[at] ?? "")}"`);
  if (type === "counter") {
    lines.push(`${name}${braced(pairs)} ${values[0] ?? 0}`);
    return;
  }
  let count = 0;
  for (const [at, boundMs] of bucketBoundsMs.entries()) {
    count += values[at] ?? 0;
    lines.push(`${name}_bucket${braced([...pairs, `le="${boundMs / 1000}"`])} ${count}`);
  }
  count += values[bucketBoundsMs.length] ?? 0;
  lines.push(
    `${name}_bucket${braced([...pairs, 'le="+Inf"'])} ${count}`,
    `${name}_sum${braced(pairs)} ${(values[bucketBoundsMs.length + 1] ?? 0) / 1_000_000}`,
    `${name}_count${braced(pairs)} ${count}`,
  );
}

function braced(pairs: readonly string[]): string {
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
