import * as fc from "fast-check";
import { expect, test } from "vitest";
import { engineAdapter } from "./engine.ts";
import { unknownMetrics } from "./engine-metrics.ts";

const readEngineMetrics = (page: string) => engineAdapter("vllm").readMetrics(page);

test("today's names, several engines added up, the fullest cache", () => {
  const text = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a } b"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 4.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 99.0
vllm:kv_cache_usage_perc{engine="0"} 0.25
vllm:kv_cache_usage_perc{engine="1"} 0.75
vllm:prompt_tokens_total{engine="0"} 1000
vllm:generation_tokens_total{engine="0"} 234
`;
  expect(readEngineMetrics(text)).toEqual({
    running: 7,
    waiting: 2,
    cacheUsage: 0.75,
    workedTokens: 1234,
  });
});

test("the older name of the cache, and a line without labels or end", () => {
  expect(
    readEngineMetrics('vllm:gpu_cache_usage_perc{model_name="m"} 0.5\nvllm:num_requests_running 1'),
  ).toEqual({
    running: 1,
    waiting: null,
    cacheUsage: 0.5,
    workedTokens: null,
  });
});

test.each(["", "not metrics", "vllm:num_requests_running{} NaN\n", "vllm:num_requests_running{} -1\n"])(
  "what is missing or no number is unknown, not idle: %j",
  (text) => {
    expect(readEngineMetrics(text)).toEqual(unknownMetrics);
  },
);

test("any text at all is read without a fault", () => {
  const piece = fc.constantFrom("vllm:num_requests_running", "{", "}", " ", "\n", "1", "e9", '"', "#");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const { running } = readEngineMetrics(pieces.join(""));
      expect(running === null || (Number.isFinite(running) && running >= 0)).toBe(true);
    }),
  );
});
