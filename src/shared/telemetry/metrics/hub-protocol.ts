/**
 * The protocol between an isolate and its shard of the hub. An isolate numbers its batches and repeats unacknowledged ones in
 * order; the shard counts each number once, and acknowledges only what is on disk.
 */
import type { SumsData } from "./metric-sums.ts";

export const hubVersion = 1;
/** Shards of the hub. Each writes at most once a second, whatever the traffic. Never lower this: the other shards' sums would be lost. */
export const shardCount = 8;

export function shardName(shard: number): string {
  return `metrics-${shard}`;
}

export interface MetricBatch {
  /** Counts from 1 over the isolate's life. */
  readonly sequence: number;
  readonly sums: SumsData;
}

export interface MetricDelivery {
  readonly v: typeof hubVersion;
  /** Identifies the isolate: random, new for each. */
  readonly source: string;
  /** All unacknowledged batches, oldest first. */
  readonly batches: readonly MetricBatch[];
  /** `now`: write at once, for a caller that waits; `soon`: together with the others of this second. */
  readonly acknowledge: "now" | "soon";
}

export type DeliveryOutcome =
  /** Counted once and on disk, up to and including this number. */
  | { readonly result: "kept"; readonly through: number }
  /** More isolates than the shard can distinguish: send it again later. */
  | { readonly result: "full" }
  | { readonly result: "version-unsupported"; readonly supported: number };

export interface HubReading {
  readonly v: typeof hubVersion;
  /** Everything that was ever acknowledged, and nothing that is not on disk. */
  readonly sums: SumsData;
}

/**
 * An isolate gives up a batch that was first sent longer ago than this; whether it was counted is then unknown. A shard
 * remembers an isolate for twice as long, so that a late copy is never counted again.
 */
export const giveUpAfterMs = 300_000;
export const rememberSourceMs = 2 * giveUpAfterMs;
