import * as fc from "fast-check";
import { expect, test } from "vitest";
import { countRecord } from "./count-record.ts";
import { exposition } from "./exposition.ts";
import { gatherShards } from "./gather-shards.ts";
import { shardCount } from "./hub-protocol.ts";
import { MetricSums } from "./metric-sums.ts";
import { bucketBoundsMs, isolateBounds } from "./metric-series.ts";
import { shardsMissingMetric } from "./metric-table.ts";
import { parseExposition } from "./parse-exposition-fixture.ts";
import { anyRequestRecord, requestRecord } from "./request-record-fixture.ts";

test("is written as Prometheus reads it, character by character", async () => {
  const sums = new MetricSums(isolateBounds);
  countRecord(sums, requestRecord());
  countRecord(
    sums,
    requestRecord({
      status: 503,
      ending: "refused",
      errorKind: "dependency-unavailable",
      errorComponent: "bucket",
      model: 'odd "model" \\ here',
      firstTokenMs: 1_234,
      durationMs: 90_000.5,
      promptTokens: 0,
      completionTokens: 0,
      screened: "email:2 hate:1",
      guarded: "violence/graphic:3",
    }),
  );
  sums.count("bucketSlow", "user", 2);
  await expect(exposition({ sums, missing: [] })).toMatchFileSnapshot("fixtures/exposition.txt");
});

test("read back, every record is there: counts, tokens, buckets that only rise, sums of the times", () => {
  fc.assert(
    fc.property(fc.array(anyRequestRecord, { maxLength: 40 }), (records) => {
      const sums = new MetricSums(isolateBounds);
      for (const record of records) countRecord(sums, record);
      const parsed = parseExposition(exposition({ sums, missing: [] }));
      const total = (of: (record: (typeof records)[number]) => number) =>
        records.reduce((sum, record) => sum + of(record), 0);
      expect(parsed.sum("edgewise_requests_total")).toBe(records.length);
      expect(parsed.sum("edgewise_requests_total", { model: 'a"quoted\\model' })).toBe(
        total(({ model }) => (model === 'a"quoted\\model' ? 1 : 0)),
      );
      expect(parsed.sum("edgewise_generated_tokens_total")).toBe(total((record) => record.completionTokens));
      expect(parsed.sum("edgewise_prompt_tokens_total")).toBe(total((record) => record.promptTokens));
      expect(parsed.sum("edgewise_request_duration_seconds_count")).toBe(records.length);
      expect(parsed.sum("edgewise_request_duration_seconds_sum")).toBeCloseTo(
        total(({ durationMs }) => Math.max(0, durationMs)) / 1000,
        3,
      );
      expect(parsed.sum("edgewise_time_to_first_token_seconds_count")).toBe(
        total(({ firstTokenMs }) => (firstTokenMs === undefined ? 0 : 1)),
      );
      expect(parsed.sum("edgewise_stage_duration_seconds_count")).toBe(
        total(({ stages }) => Object.keys(stages).length),
      );
      for (const endpoint of new Set(records.map((record) => record.endpoint))) {
        const counts = [...bucketBoundsMs.map((ms) => String(ms / 1000)), "+Inf"].map((le) =>
          parsed.sum("edgewise_request_duration_seconds_bucket", { endpoint, le }),
        );
        expect(counts).toEqual(counts.toSorted((left, right) => left - right));
        expect(counts.at(-1)).toBe(parsed.sum("edgewise_request_duration_seconds_count", { endpoint }));
      }
    }),
  );
});

test("every refusal is counted, and an unknown kind makes no label of its own", () => {
  const sums = new MetricSums(isolateBounds);
  countRecord(sums, requestRecord({ status: 429, ending: "refused", errorKind: "limited" }));
  countRecord(sums, requestRecord({ ending: "stalled" }));
  countRecord(sums, requestRecord({ ending: "stopped" }));
  countRecord(sums, requestRecord({ ending: "refused", errorKind: "of tomorrow" }));
  const parsed = parseExposition(exposition({ sums, missing: [] }));
  expect(parsed.sum("edgewise_errors_total", { component: "limits", class: "limited" })).toBe(1);
  expect(parsed.sum("edgewise_errors_total", { component: "origin", class: "stalled" })).toBe(1);
  expect(parsed.sum("edgewise_errors_total", { component: "other", class: "other" })).toBe(1);
  expect(parsed.sum("edgewise_errors_total")).toBe(3);
});

test("a counter's known values exist from the start, at 0", () => {
  const sums = new MetricSums(isolateBounds);
  sums.count("batches", "expired", 2);
  const parsed = parseExposition(exposition({ sums, missing: [] }));
  const ended = parsed.samples.filter(({ name }) => name === "edgewise_batches_total");
  expect(ended.map(({ labels, value }) => [labels["result"], value])).toEqual([
    ["cancelled", 0],
    ["completed", 0],
    ["expired", 2],
    ["failed", 0],
  ]);
});

test.each([
  { attempts: 1, retry: 0, hedge: 0 },
  { attempts: 3, tried: "a/1: refused after 1 ms; a/2: status after 5 ms", retry: 2, hedge: 0 },
  { attempts: 2, retry: 0, hedge: 1 },
  { attempts: 3, tried: "a/1: stalled after 9 ms", retry: 1, hedge: 1 },
  { attempts: 2, continued: 1, retry: 0, hedge: 0 },
  { attempts: 3, continued: 1, tried: "a/1: refused after 1 ms", retry: 1, hedge: 0 },
  // If a turn's object was lost, its first engine is unknown.
  { attempts: 1, continued: 2, retry: 0, hedge: 0 },
])("replicas beyond the first are counted: $retry retries and $hedge hedges of $attempts", (one) => {
  const { retry, hedge, ...engine } = one;
  const sums = new MetricSums(isolateBounds);
  countRecord(sums, requestRecord({ ...engine, model: "m" }));
  const parsed = parseExposition(exposition({ sums, missing: [] }));
  const counted = (result: string) => parsed.sum("edgewise_extra_attempts_total", { model: "m", result });
  expect([counted("retry"), counted("hedge")]).toEqual([retry, hedge]);
});

test("a shard that fails or is silent is reported, and no sum without it is shown", async () => {
  const counted = new MetricSums(isolateBounds);
  countRecord(counted, requestRecord());
  const reading = { v: 1, sums: counted.toData() } as const;
  const all = await gatherShards(async () => reading, 10);
  expect(parseExposition(exposition(all)).sum("edgewise_requests_total")).toBe(shardCount);

  const some = await gatherShards((shard) => {
    if (shard === 3) return new Promise(() => undefined);
    return shard === 5 ? Promise.reject(new Error("overloaded")) : Promise.resolve(reading);
  }, 10);
  const parsed = parseExposition(exposition(some));
  expect(parsed.samples).toEqual([{ name: shardsMissingMetric.name, labels: {}, value: 2 }]);
  expect(new Set(some.missing.map(({ shard }) => shard))).toEqual(new Set([3, 5]));
});
