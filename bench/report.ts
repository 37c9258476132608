/** The bench's tables and bars, as text. */
import type { Figures } from "./rounds.ts";

export interface Row {
  readonly name: string;
  readonly figures: Figures;
}

export interface Bar {
  readonly what: string;
  readonly measured: number;
  /** The same figure of the bare Worker that reads what passes. */
  readonly reading: number;
  readonly bound: number;
  readonly better: "lower" | "higher";
  readonly unit: "x" | "ms";
}

export function requestTable(rows: readonly Row[], yardstick: Figures): string {
  return table(
    ["requests", "req/s", "p50 ms", "p95 ms", "p99 ms", "CPU us/req", "req/s ratio", "CPU ratio"],
    rows.map(({ name, figures }) => [
      name,
      figures.requestsPerSecond.toFixed(0),
      figures.p50Ms.toFixed(2),
      figures.p95Ms.toFixed(2),
      figures.p99Ms.toFixed(2),
      number(figures.cpuMicrosecondsPerRequest, 0),
      `${(figures.requestsPerSecond / yardstick.requestsPerSecond).toFixed(2)}x`,
      ratio(figures.cpuMicrosecondsPerRequest, yardstick.cpuMicrosecondsPerRequest),
    ]),
  );
}

export function streamTable(rows: readonly Row[], yardstick: Figures): string {
  return table(
    ["streams", "first token p50", "p95 ms", "chunk delay p50", "p99 ms", "CPU ms/1000 tokens", "CPU ratio"],
    rows.map(({ name, figures }) => [
      name,
      figures.firstTokenP50Ms.toFixed(2),
      figures.firstTokenP95Ms.toFixed(2),
      figures.chunkDelayP50Ms.toFixed(2),
      figures.chunkDelayP99Ms.toFixed(2),
      number(figures.cpuMsPer1000Tokens, 1),
      ratio(figures.cpuMsPer1000Tokens, yardstick.cpuMsPer1000Tokens),
    ]),
  );
}

export function holds({ measured, bound, better }: Bar): boolean {
  return better === "lower" ? measured <= bound : measured >= bound;
}

export function barLines(bars: readonly Bar[]): string {
  return bars
    .map((bar) => {
      const sign = bar.better === "lower" ? "at most" : "at least";
      return `${holds(bar) ? "holds " : "MISSED"}  ${bar.what}: ${bar.measured.toFixed(2)}${bar.unit}, ${sign} ${bar.bound}${bar.unit} (a Worker that reads: ${bar.reading.toFixed(2)}${bar.unit})`;
    })
    .join("\n");
}

function number(value: number | null, digits: number): string {
  return value === null ? "-" : value.toFixed(digits);
}

function ratio(value: number | null, yardstick: number | null): string {
  return value === null || yardstick === null ? "-" : `${(value / yardstick).toFixed(2)}x`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}
