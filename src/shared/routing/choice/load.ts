/**
 * How busy is a replica? Our own requests are known exactly; everybody else's only by the last poll, in which confidence
 * decays. Missing numbers are unknown, which is not idle and not busy: only our own requests speak then.
 */
import type { EngineMetrics } from "../engines/engine-metrics.ts";

/** What a poll of one replica found, and how much of that was this isolate's own. */
export interface PolledLoad {
  readonly atMs: number;
  readonly metrics: EngineMetrics;
  /** Requests of this isolate that were there when the poll began. */
  readonly ownRequests: number;
}

/** A poll counts half after so long, and nothing once it is three times that old and more: 1/8, then 0. */
const confidenceHalfLifeMs = 10_000;

/** 1 for a poll of now, halving with age, 0 from 30 s on. */
export function confidence(ageMs: number): number {
  return ageMs >= 3 * confidenceHalfLifeMs ? 0 : 2 ** (-Math.max(0, ageMs) / confidenceHalfLifeMs);
}

/** Requests there, running or waiting, over what it runs at once: above 1 they queue. */
export function estimateLoad(
  ownRequests: number,
  slots: number,
  polled: PolledLoad | null,
  nowMs: number,
): number {
  const own = ownRequests / slots;
  if (polled === null) return own;
  const trust = confidence(nowMs - polled.atMs);
  if (trust === 0) return own;
  const { running, waiting, cacheUsage } = polled.metrics;
  const seen = (running ?? 0) + (waiting ?? 0);
  const others = Math.max(0, seen - polled.ownRequests) / slots;
  // A key-value cache that is nearly full preempts requests: it is full before its slots are.
  const pressure = cacheUsage === null ? 0 : Math.max(0, cacheUsage - 0.9) * 5;
  return own + trust * (others + pressure);
}
