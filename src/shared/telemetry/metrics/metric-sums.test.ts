import * as fc from "fast-check";
import { expect, test } from "vitest";
import { countRecord } from "./count-record.ts";
import { exposition } from "./exposition.ts";
import type { MetricDelivery } from "./hub-protocol.ts";
import { HubState } from "./hub-state.ts";
import { MetricSums, type SumsData } from "./metric-sums.ts";
import { isolateBounds, overflowValue, shardBounds } from "./metric-series.ts";
import { parseExposition } from "./parse-exposition-fixture.ts";
import { anyRequestRecord, requestRecord } from "./request-record-fixture.ts";

function text(data: SumsData): string {
  const sums = new MetricSums(shardBounds);
  expect(sums.merge(data)).toBe(0);
  return exposition({ sums, missing: [] });
}

test("records in any partition into batches, from any isolates, in any order of isolates, with repetitions and lost answers, give the sums of all of them at once", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyRequestRecord, fc.nat(3), fc.boolean()), { maxLength: 60 }),
      fc.infiniteStream(fc.nat(3)),
      fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
      (records, repetitions, order) => {
        const oracle = new MetricSums(isolateBounds);
        const isolates = Array.from({ length: 4 }, () => new MetricSums(isolateBounds));
        const sequences = [0, 0, 0, 0];
        const deliveries: MetricDelivery[] = [];
        const cut = (at: number): void => {
          const sums = isolates[at]?.take() ?? [];
          if (sums.length === 0) return;
          const sequence = (sequences[at] ?? 0) + 1;
          sequences[at] = sequence;
          // Earlier batches are sent again with it, as after a lost acknowledgement.
          const before = deliveries.findLast((one) => one.source === `s${at}`)?.batches ?? [];
          deliveries.push({
            v: 1,
            source: `s${at}`,
            batches: [...before.slice(-1), { sequence, sums }],
            acknowledge: "soon",
          });
        };
        for (const [record, at, cutHere] of records) {
          countRecord(oracle, record);
          countRecord(isolates[at] ?? oracle, record);
          if (cutHere) cut(at);
        }
        for (const at of isolates.keys()) cut(at);
        const hub = new HubState(null);
        for (const at of order) {
          for (const delivery of deliveries.filter(({ source }) => source === `s${at}`)) {
            const { value: times } = repetitions.next();
            for (let time = 0; time <= times; time += 1)
              expect(hub.apply(structuredClone(delivery), 1)).toMatchObject({ ok: true });
          }
        }
        for (const delivery of deliveries) hub.apply(delivery, 2);
        expect(text(hub.reading().sums)).toBe(text(oracle.toData()));
      },
    ),
  );
});

test("times add up to the microsecond, in any order", () => {
  const durations = Array.from({ length: 1_000 }, (_, at) => at * 0.1 + 0.003);
  const forth = new MetricSums(isolateBounds);
  const back = new MetricSums(isolateBounds);
  for (const ms of durations) forth.observe("requestDuration", "/x", ms);
  for (const ms of durations.toReversed()) back.observe("requestDuration", "/x", ms);
  expect(forth.toData()).toEqual(back.toData());
  expect(forth.toData()[0]?.series[0]?.values.at(-1)).toBe(49_953_000);
});

test("a bound is part of its bucket, a clock that ran backwards is no time, and what lies over 120 s is only in +Inf", () => {
  const sums = new MetricSums(isolateBounds);
  for (const ms of [-3, 0, 1, 1.0001, 120_000, 120_001]) sums.observe("stageDuration", "stream", ms);
  const parsed = parseExposition(exposition({ sums, missing: [] }));
  const upTo = (le: string) => parsed.sum("edgewise_stage_duration_seconds_bucket", { le });
  expect([upTo("0.001"), upTo("0.0025"), upTo("60"), upTo("120"), upTo("+Inf")]).toEqual([3, 4, 4, 5, 6]);
  expect(parsed.sum("edgewise_stage_duration_seconds_count")).toBe(6);
});

test("whatever names come, an isolate keeps a bounded number of series, and loses no request", () => {
  const sums = new MetricSums(isolateBounds);
  for (let at = 0; at < 5_000; at += 1)
    countRecord(
      sums,
      requestRecord({ model: `m${at}`, endpoint: `/e${at % 100}`, status: 200 + (at % 300) }),
    );
  const parsed = parseExposition(exposition({ sums, missing: [] }));
  expect(parsed.sum("edgewise_requests_total")).toBe(5_000);
  expect(parsed.sum("edgewise_generated_tokens_total")).toBe(500_000);
  expect(new Set(parsed.samples.map(({ labels }) => labels["model"])).size).toBeLessThanOrEqual(66);
  expect(parsed.samples.filter(({ name }) => name === "edgewise_requests_total").length).toBeLessThanOrEqual(
    isolateBounds.maxSeries + 1,
  );
  expect(parsed.sum("edgewise_generated_tokens_total", { model: overflowValue })).toBeGreaterThan(0);
});

test("a label value that is too long, or would break a key, reads other", () => {
  const sums = new MetricSums(isolateBounds);
  sums.count("generatedTokens", "x".repeat(129), 7);
  sums.count("promptTokens", "hit\nforged", 1);
  const parsed = parseExposition(exposition({ sums, missing: [] }));
  expect(parsed.sum("edgewise_generated_tokens_total", { model: overflowValue })).toBe(7);
  expect(parsed.samples.some(({ labels }) => JSON.stringify(labels).includes("forged"))).toBe(false);
});

test("series of an unknown metric or of other buckets are refused, told, and leave the rest alone", () => {
  const hub = new HubState(null);
  hub.apply(
    {
      v: 1,
      source: "newer",
      acknowledge: "now",
      batches: [
        {
          sequence: 1,
          sums: [
            { metric: "ofTomorrow", series: [{ labels: "a", values: [1] }] },
            { metric: "requestDuration", series: [{ labels: "/x", values: [1, 2, 3] }] },
            { metric: "requests", series: [{ labels: "only-one", values: [1] }] },
            { metric: "cache", series: [{ labels: "hit", values: [5] }] },
          ],
        },
      ],
    },
    1,
  );
  const parsed = parseExposition(text(hub.reading().sums));
  expect(parsed.sum("edgewise_metrics_series_refused_total")).toBe(3);
  expect(parsed.sum("edgewise_cache_total", { result: "hit" })).toBe(5);
  expect(parsed.sum("edgewise_request_duration_seconds_count")).toBe(0);
});
