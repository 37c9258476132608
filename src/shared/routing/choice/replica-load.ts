/**
 * How loaded is a replica now, as far as this isolate knows? Its own requests exactly; those of other isolates by the pool's snapshot, or by a
 * poll of its own where the cluster has no pool, believed less with age. What is missing is unknown: neither idle nor busy.
 */
import { confidence } from "./load.ts";
import type { ReplicaState } from "../router-state.ts";

export interface ReplicaLoad {
  /** Requests there, running and waiting. */
  readonly requests: number;
  /** Tokens of prompts and answers there that are still to be worked off. */
  readonly tokens: number;
  /** Share of the key-value cache in use, 0 to 1; 0 where unknown. */
  readonly cacheUsage: number;
  /** Tokens a second that it works off when busy. */
  readonly throughput: number;
  /** How old the news of other isolates' requests is, in milliseconds; Infinity: there is none. */
  readonly ageMs: number;
}

/** For a replica that was never seen busy: a small GPU's. Only ratios to distances and prices depend on it. */
const usualThroughput = 8000;

export function replicaLoad({ known }: ReplicaState, nowMs: number): ReplicaLoad {
  const { occupancy, polled, pooled } = known;
  if (pooled !== null) {
    const { view, ownRequests, ownTokens } = pooled;
    const ageMs = Math.max(0, nowMs - pooled.atMs);
    const trust = confidence(ageMs);
    return {
      requests: occupancy.requests + trust * Math.max(0, view.running + view.waiting - ownRequests),
      tokens: occupancy.tokens + trust * Math.max(0, view.queuedTokens - ownTokens),
      cacheUsage: trust * (view.kvUsage ?? 0),
      throughput: view.throughput ?? usualThroughput,
      ageMs,
    };
  }
  if (polled !== null) {
    const { running, waiting, cacheUsage } = polled.metrics;
    const ageMs = Math.max(0, nowMs - polled.atMs);
    const trust = confidence(ageMs);
    const others = trust * Math.max(0, (running ?? 0) + (waiting ?? 0) - polled.ownRequests);
    // A poll does not show tokens: each request of other isolates counts as much as one of ours.
    const each = occupancy.requests === 0 ? 0 : occupancy.tokens / occupancy.requests;
    return {
      requests: occupancy.requests + others,
      tokens: occupancy.tokens + others * each,
      cacheUsage: trust * (cacheUsage ?? 0),
      throughput: usualThroughput,
      ageMs,
    };
  }
  const { requests, tokens } = occupancy;
  return { requests, tokens, cacheUsage: 0, throughput: usualThroughput, ageMs: Number.POSITIVE_INFINITY };
}
