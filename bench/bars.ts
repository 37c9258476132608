/** What must the bench hold against the bare pass-through? The bars of issue 2, router in process. */
import type { Bar } from "./report.ts";
import type { Figures } from "./rounds.ts";

/** @param pass the pass-through, in the same run */
export function barsOf(
  pass: { readonly requests: Figures; readonly streams: Figures },
  requests: Figures,
  streams: Figures,
  hits: Figures,
  guarded: Figures,
): Bar[] {
  const over = (mine: number | null, theirs: number | null): number =>
    mine === null || theirs === null ? Number.NaN : mine / theirs;
  return [
    {
      what: "requests a second, to the pass-through",
      measured: requests.requestsPerSecond / pass.requests.requestsPerSecond,
      bound: 0.5,
      better: "higher",
      unit: "x",
    },
    {
      what: "CPU a request",
      measured: over(requests.cpuMicrosecondsPerRequest, pass.requests.cpuMicrosecondsPerRequest),
      bound: 2,
      better: "lower",
      unit: "x",
    },
    {
      what: "CPU a thousand streamed tokens",
      measured: over(streams.cpuMsPer1000Tokens, pass.streams.cpuMsPer1000Tokens),
      bound: 2.3,
      better: "lower",
      unit: "x",
    },
    {
      what: "CPU a thousand streamed tokens, guard on",
      measured: over(guarded.cpuMsPer1000Tokens, pass.streams.cpuMsPer1000Tokens),
      bound: 2.6,
      better: "lower",
      unit: "x",
    },
    {
      what: "time to first token with 128 streams, more than the pass-through",
      measured: streams.firstTokenP50Ms - pass.streams.firstTokenP50Ms,
      bound: 1,
      better: "lower",
      unit: "ms",
    },
    {
      what: "p99 of a chunk's delay",
      measured: streams.chunkDelayP99Ms / pass.streams.chunkDelayP99Ms,
      bound: 5,
      better: "lower",
      unit: "x",
    },
    {
      what: "an exact-cache hit through the binding, median, to the pass-through",
      measured: hits.p50Ms / pass.requests.p50Ms,
      bound: 1,
      better: "lower",
      unit: "x",
    },
  ];
}
