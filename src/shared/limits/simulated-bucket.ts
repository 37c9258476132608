/** A bucket of quotas and its disk, for tests: it takes what a TokenBucket is told, in simulated time, and can be killed. */
import {
  type Amounts,
  type BucketBatch,
  type BucketOperation,
  type BucketOutcome,
  type ModelUse,
  noAmounts,
} from "./bucket-protocol.ts";
import { KeptBucket } from "./kept-bucket.ts";
import type { LimitRule } from "./level.ts";
import { amounts } from "./simulated-turns.ts";

/** Limits that nothing leaks from: a month's tokens and money, and what runs at once. */
const month = { windowMs: 30 * 86_400_000, calendar: { period: "month", timeZone: "UTC" } } as const;
export const rules: LimitRule[] = [
  { name: "tokens_per_month", unit: "tokens", capacity: 20_000, ...month },
  { name: "concurrent_requests", unit: "slots", capacity: 6, windowMs: 0 },
  { name: "cost_per_month_usd", unit: "microdollars", capacity: 50_000, ...month },
];
export const leaseMs = 660_000;

export class Bucket {
  disk: string | null = null;
  now = Date.UTC(2027, 0, 15);
  writes = 0;
  rules = rules;
  #kept = new KeptBucket(null, this.now);

  /** The object's memory is gone. */
  kill(): void {
    this.#kept = new KeptBucket(this.disk, this.now);
  }

  rest(): void {
    this.#write(this.#kept.rest(this.now));
  }

  do(operation: BucketOperation, acknowledge: BucketBatch["acknowledge"] = "soon"): BucketOutcome {
    const { reply, write } = this.#kept.apply(
      {
        version: 1,
        rules: this.rules,
        leaseMs,
        timeZone: "UTC",
        operations: [operation],
        acknowledge,
      },
      this.now,
    );
    this.#write(write);
    const [outcome] = reply.outcomes;
    if (outcome === undefined) throw new Error("no outcome");
    return outcome;
  }

  admit(id: string, tokens: number, microdollars = 0): BucketOutcome {
    const total = amounts(1, tokens, 1, microdollars);
    return this.do({ type: "reserve", id, total, ttlMs: 7_200_000, lend: false });
  }

  grant(id: string, tokens = 100, microdollars = 0): number {
    const outcome = this.admit(id, tokens, microdollars);
    if (outcome.type !== "granted") throw new Error(outcome.type);
    return outcome.receipt;
  }

  /** Everything up to now is on disk, as within a second of any settlement. */
  commit(): void {
    this.#write(this.#kept.commit(this.now));
  }

  inspect() {
    return this.#kept.inspect(this.rules, this.now);
  }

  remaining(): number[] {
    return this.inspect().limits.map((limit) => limit.remaining);
  }

  /** What would be left of the first limit, were it killed now. */
  leftIfKilled(): number {
    const [limit] = new KeptBucket(this.disk, this.now).inspect(this.rules, this.now).limits;
    return limit?.remaining ?? 0;
  }

  forgetAtMs(): number {
    return this.#kept.forgetAtMs();
  }

  #write(text: string | null): void {
    if (text === null) return;
    this.disk = text;
    this.writes += 1;
  }
}

/** The end of what was reserved. */
export function settle(
  id: string,
  receipt: number | null,
  used: Amounts,
  granted: Amounts = amounts(1, 100, 1),
  models: readonly ModelUse[] = [],
): BucketOperation {
  return { type: "settle", id, receipt, sequence: 1, used, models, held: noAmounts, granted, ended: true };
}
