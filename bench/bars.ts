/** What must the bench hold against the bare pass-through? The bars of issue 2, router in process. */
import type { Bar } from "./report.ts";
import type { Figures } from "./rounds.ts";

export interface Bare {
  readonly requests: Figures;
  readonly streams: Figures;
}

export interface Measured extends Bare {
  readonly hits: Figures;
}

/**
 * All of one run.
 *
 * @param reading the bare Worker that looks at what passes: what it misses, no Worker of this machine holds
 */
export function barsOf(
  pass: Bare,
  reading: Measured,
  edgewise: Measured & { readonly guarded: Figures },
): Bar[] {
  const bar = (
    what: string,
    bound: number,
    to: Pick<Bar, "better" | "unit">,
    figure: (of: Measured) => number,
  ) => ({ what, bound, ...to, measured: figure(edgewise), reading: figure(reading) });
  return [
    bar(
      "requests a second, to the pass-through",
      0.5,
      { better: "higher", unit: "x" },
      ({ requests }) => requests.requestsPerSecond / pass.requests.requestsPerSecond,
    ),
    bar("CPU a request", 2, lowRatio, ({ requests }) =>
      over(requests.cpuMicrosecondsPerRequest, pass.requests.cpuMicrosecondsPerRequest),
    ),
    bar("CPU a thousand streamed tokens", 2.3, lowRatio, ({ streams }) =>
      over(streams.cpuMsPer1000Tokens, pass.streams.cpuMsPer1000Tokens),
    ),
    {
      ...bar("CPU a thousand streamed tokens, guard on", 2.6, lowRatio, ({ streams }) =>
        over(streams.cpuMsPer1000Tokens, pass.streams.cpuMsPer1000Tokens),
      ),
      measured: over(edgewise.guarded.cpuMsPer1000Tokens, pass.streams.cpuMsPer1000Tokens),
    },
    bar(
      "time to first token with 128 streams, more than the pass-through",
      1,
      { better: "lower", unit: "ms" },
      ({ streams }) => streams.firstTokenP50Ms - pass.streams.firstTokenP50Ms,
    ),
    bar(
      "p99 of a chunk's delay",
      5,
      lowRatio,
      ({ streams }) => streams.chunkDelayP99Ms / pass.streams.chunkDelayP99Ms,
    ),
    bar(
      "an exact-cache hit through the binding, median, to the pass-through",
      1,
      lowRatio,
      ({ hits }) => hits.p50Ms / pass.requests.p50Ms,
    ),
  ];
}

const lowRatio = { better: "lower", unit: "x" } as const;

function over(mine: number | null, theirs: number | null): number {
  return mine === null || theirs === null ? Number.NaN : mine / theirs;
}
