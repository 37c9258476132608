/**
 * What do an isolate and its shard of the hub say to each other? An isolate numbers its batches and sends again what was not
 * acknowledged, in order; the shard counts each number once, and acknowledges only what is on disk.
 */
import type { SumsData } from "./metric-sums.ts";

export const hubVersion = 1;
/** Shards of the hub. Each takes at most one write a second, whatever the traffic. Fewer later: the sums of the rest would be forgotten. */
export const shardCount = 8;

export function shardName(shard: number): string {
  return `metrics-${shard}`;
}

export interface MetricBatch {
  /** Counts up from 1 over the isolate's life. */
  readonly sequence: number;
  readonly sums: SumsData;
}

export interface MetricDelivery {
  readonly v: typeof hubVersion;
  /** Names the isolate: random, new with each. */
  readonly source: string;
  /** All that was not acknowledged yet, oldest first. */
  readonly batches: readonly MetricBatch[];
  /** `now`: write at once, for someone who waits; `soon`: with the others of this second. */
  readonly acknowledge: "now" | "soon";
}

export type DeliveryOutcome =
  /** On disk, once, up to and including this number. */
  | { readonly result: "kept"; readonly through: number }
  /** More isolates than the shard can tell apart: send it again later. */
  | { readonly result: "full" }
  | { readonly result: "version-unsupported"; readonly supported: number };

export interface HubReading {
  readonly v: typeof hubVersion;
  /** Everything that was ever acknowledged, and nothing that could still be lost. */
  readonly sums: SumsData;
}

/**
 * An isolate gives up a batch whose first sending is longer ago: it is then in doubt whether it was counted. A shard
 * remembers an isolate for twice as long, so that a late copy is never counted a second time.
 */
export const giveUpAfterMs = 300_000;
export const rememberSourceMs = 2 * giveUpAfterMs;
