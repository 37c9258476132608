import { expect, test } from "vitest";
import { LongRun, longRunEveryMs, mostPointsAtOnce, type LongRunPoint } from "./long-run.ts";
import { MetricSums } from "./metric-sums.ts";
import { overflowValue, seriesLength, shardBounds } from "./metric-series.ts";
import { familyOf, metricIds } from "./metric-table.ts";

function shard(before = new MetricSums(shardBounds)) {
  const run = new LongRun("metrics-3", before.toData());
  let reads = 0;
  const take = (nowMs: number) =>
    run.take(() => {
      reads += 1;
      return before.toData();
    }, nowMs);
  return { sums: before, take, reads: () => reads };
}

test("the total of a series that has grown is written once a minute; others are left out", () => {
  const { sums, take, reads } = shard();
  sums.count("cache", "hit", 2);
  sums.count("settlementsLost", "");
  expect(take(1000)).toEqual([
    { indexes: ["edgewise_cache_total"], blobs: ["metrics-3", "hit"], doubles: [2] },
    { indexes: ["edgewise_settlements_lost_total"], blobs: ["metrics-3"], doubles: [1] },
  ]);
  sums.count("cache", "hit");
  sums.count("cache", "miss");
  expect(take(1000 + longRunEveryMs - 1)).toEqual([]);
  expect(reads()).toBe(1);
  expect(take(1000 + longRunEveryMs)).toEqual([
    { indexes: ["edgewise_cache_total"], blobs: ["metrics-3", "hit"], doubles: [3] },
    { indexes: ["edgewise_cache_total"], blobs: ["metrics-3", "miss"], doubles: [1] },
  ]);
  expect(take(1000 + 2 * longRunEveryMs)).toEqual([]);
});

test("a histogram is written in Prometheus' form: the count, the sum in seconds, and the count up to each bound", () => {
  const { sums, take } = shard();
  for (const ms of [0.5, 4, 4, 200_000]) sums.observe("requestDuration", "/v1/models", ms);
  const [point] = take(0);
  expect(point?.blobs).toEqual(["metrics-3", "/v1/models"]);
  expect(point?.doubles).toEqual([4, 200.0085, 1, 1, ...Array.from({ length: 15 }, () => 3), 4]);
});

test("what the shard began with is not told again before it grows", () => {
  const before = new MetricSums(shardBounds);
  before.count("cache", "hit", 7);
  before.count("cache", "miss", 7);
  const { sums, take } = shard(before);
  expect(take(0)).toEqual([]);
  sums.count("cache", "hit");
  expect(take(longRunEveryMs).map(({ doubles }) => doubles)).toEqual([[8]]);
});

test("more than the platform takes at once goes with the calls that follow, each series once", () => {
  const { sums, take } = shard();
  for (let at = 0; at < 2.5 * mostPointsAtOnce; at += 1) sums.count("requests", `/v1\nm${at % 100}\n${at}`);
  const told: LongRunPoint[] = [];
  for (let call = 0; call < 4; call += 1) {
    const points = take(call);
    expect(points.length).toBeLessThanOrEqual(mostPointsAtOnce);
    told.push(...points);
  }
  expect(new Set(told.map(({ blobs }) => blobs.join())).size).toBe(told.length);
  expect(told.reduce((sum, { doubles }) => sum + (doubles[0] ?? 0), 0)).toBe(2.5 * mostPointsAtOnce);
  expect(take(4)).toEqual([]);
});

test("every metric fits into a point: 20 doubles, 20 blobs of 16 KB in all, an index of 96 bytes", () => {
  const bytes = (text: string) => new TextEncoder().encode(text).byteLength;
  for (const id of metricIds) {
    const { sums, take } = shard();
    const { labels, type, name } = familyOf(id);
    const values = Array.from({ length: seriesLength(id) }, () => 1);
    sums.merge([{ metric: id, series: [{ labels: labels.map(() => overflowValue).join("\n"), values }] }]);
    const [point] = take(0);
    expect(point?.doubles.length, name).toBe(type === "counter" ? 1 : 20);
    expect(point?.blobs.length, name).toBe(1 + labels.length);
    expect(bytes(point?.indexes[0] ?? ""), name).toBeLessThanOrEqual(96);
  }
});
