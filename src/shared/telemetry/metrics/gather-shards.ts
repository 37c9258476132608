/** The sum over all shards, which are asked in parallel within a time limit. If a shard does not answer, the sum is unknown. */
import { timedOut, within } from "../../isolate/within.ts";
import { type HubReading, hubVersion, shardCount } from "./hub-protocol.ts";
import { MetricSums } from "./metric-sums.ts";
import { type LabelBounds, shardBounds } from "./metric-series.ts";

export interface GatheredMetrics {
  /** Null if a shard is missing: a partial sum would look like a counter reset, and later like a burst. */
  readonly sums: MetricSums | null;
  readonly missing: readonly { readonly shard: number; readonly detail: string }[];
}

/** Every shard bounds its own labels; together they can't have more than this. */
const gatheredBounds: LabelBounds = {
  maxValues: shardCount * (shardBounds.maxValues + 1),
  maxSeries: shardCount * (shardBounds.maxSeries + 1),
};

export async function gatherShards(
  read: (shard: number) => Promise<HubReading>,
  timeoutMs: number,
): Promise<GatheredMetrics> {
  const missing: { shard: number; detail: string }[] = [];
  const shards = Array.from({ length: shardCount }, (_, shard) => shard);
  const readings = await Promise.all(
    shards.map(async (shard) => {
      try {
        const reading = await within(read(shard), timeoutMs);
        if (reading === timedOut) missing.push({ shard, detail: `no answer in ${timeoutMs} ms` });
        else if (reading.v !== hubVersion) missing.push({ shard, detail: "another version" });
        else return reading.sums;
      } catch (error) {
        missing.push({ shard, detail: String(error) });
      }
      return null;
    }),
  );
  if (missing.length > 0) return { sums: null, missing };
  const sums = new MetricSums(gatheredBounds);
  for (const data of readings) if (data !== null) sums.merge(data);
  return { sums, missing };
}
