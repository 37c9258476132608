/** What was each model used for this month? Counts of a bucket, bounded, told by `GET /v1/usage`; no limit reads them. */
import type { ModelUse } from "./bucket-protocol.ts";
import { periodAt } from "./calendar.ts";

export type ModelTally = { -readonly [Name in "requests" | "tokens" | "microdollars"]: ModelUse[Name] };

export interface ModelCounts {
  /** The month in the tenant's time zone. */
  startMs: number;
  endMs: number;
  readonly tallies: Map<string, ModelTally>;
}

/** Models counted one by one; more than a fleet usually has. */
const maxModels = 32;
/** What the rest is counted as. No model id has a blank or brackets. */
export const otherModels = "(other models)";

export function emptyModelCounts(): ModelCounts {
  return { startMs: 0, endMs: 0, tallies: new Map() };
}

/** Adds what is new in `uses`: all of it, or what goes beyond `before`, which is brought up to date. */
export function countModels(
  counts: ModelCounts,
  uses: readonly ModelUse[],
  before: Record<string, ModelTally> | null,
  timeZone: string,
  now: number,
): void {
  if (uses.length === 0) return;
  if (now >= counts.endMs) {
    const { startMs, endMs } = periodAt({ period: "month", timeZone }, now);
    counts.startMs = startMs;
    counts.endMs = endMs;
    counts.tallies.clear();
  }
  for (const use of uses) {
    const seen = before?.[use.model];
    const tally = tallyOf(counts, use.model);
    tally.requests += use.requests - (seen?.requests ?? 0);
    tally.tokens += use.tokens - (seen?.tokens ?? 0);
    tally.microdollars += use.microdollars - (seen?.microdollars ?? 0);
    if (before !== null) before[use.model] = tallyFrom(use);
  }
}

/** Most tokens first. Empty once the month is over. */
export function modelUses(counts: ModelCounts, now: number): ModelUse[] {
  if (now >= counts.endMs) return [];
  return [...counts.tallies]
    .map(([model, tally]) => ({ model, ...tally }))
    .sort((left, right) => right.tokens - left.tokens);
}

function tallyOf({ tallies }: ModelCounts, model: string): ModelTally {
  const name = tallies.has(model) || tallies.size < maxModels ? model : otherModels;
  let tally = tallies.get(name);
  if (tally === undefined) {
    tally = { requests: 0, tokens: 0, microdollars: 0 };
    tallies.set(name, tally);
  }
  return tally;
}

function tallyFrom({ requests, tokens, microdollars }: ModelUse): ModelTally {
  return { requests, tokens, microdollars };
}
