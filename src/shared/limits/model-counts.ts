/** How much was each model used this month? Bounded counts within a bucket, shown by `GET /v1/usage`; no limit reads them. */
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

/** What is new in `uses`: all of it, or what goes beyond `before`, which is brought up to date. */
export function newUses(
  uses: readonly ModelUse[],
  before: Record<string, ModelTally> | null,
): readonly ModelUse[] {
  if (before === null) return uses;
  return uses.map((use) => {
    const { model, requests, tokens, microdollars } = use;
    // A model may be called as what every object has.
    const seen = Object.hasOwn(before, model) ? before[model] : undefined;
    before[model] = { requests, tokens, microdollars };
    if (seen === undefined) return use;
    return {
      model,
      requests: requests - seen.requests,
      tokens: tokens - seen.tokens,
      microdollars: microdollars - seen.microdollars,
    };
  });
}

export function countModels(
  counts: ModelCounts,
  uses: readonly ModelUse[],
  timeZone: string,
  now: number,
): void {
  if (now >= counts.endMs) {
    const { startMs, endMs } = periodAt({ period: "month", timeZone }, now);
    counts.startMs = startMs;
    counts.endMs = endMs;
    counts.tallies.clear();
  }
  for (const use of uses) addUse(counts.tallies, use);
}

/** Adds to the model's tally, or, of a model above the bound, to that of all others. */
export function addUse(tallies: Map<string, ModelTally>, use: ModelUse): void {
  const tally = tallyOf(tallies, use.model);
  tally.requests += use.requests;
  tally.tokens += use.tokens;
  tally.microdollars += use.microdollars;
}

/** Most tokens first. Empty once the month is over. */
export function modelUses(counts: ModelCounts, now: number): ModelUse[] {
  if (now >= counts.endMs) return [];
  return [...counts.tallies]
    .map(([model, tally]) => ({ model, ...tally }))
    .sort((left, right) => right.tokens - left.tokens);
}

function tallyOf(tallies: Map<string, ModelTally>, model: string): ModelTally {
  const name = tallies.has(model) || tallies.size < maxModels ? model : otherModels;
  let tally = tallies.get(name);
  if (tally === undefined) {
    tally = { requests: 0, tokens: 0, microdollars: 0 };
    tallies.set(name, tally);
  }
  return tally;
}
