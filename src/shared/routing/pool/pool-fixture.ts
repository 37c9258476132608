/** What tests of a pool say to it, with what they do not care for filled in. */
import { Pool, type Decision } from "./pool.ts";
import type { AskOutcome, LeaseReport, PoolAsk } from "./pool-protocol.ts";
import type { PollFinding } from "./replica-record.ts";
import { seeded } from "./seeded-fixture.ts";

export function poolOf(replicas: number, slots: number, incarnation = "i"): Pool {
  const pool = new Pool({ cluster: "c", incarnation, random: seeded(1) });
  pool.members.adopt(
    Array.from({ length: replicas }, (_, at) => ({ id: `r${at}`, slots, zone: null, url: null })),
    0,
  );
  return pool;
}

export function poolAsk(number: number, change: Partial<PoolAsk> = {}): PoolAsk {
  return {
    v: 1,
    source: "isolate",
    number,
    report: null,
    tokens: 100,
    model: "m",
    tenant: "t",
    tier: "pro",
    excluded: [],
    maxWaitMs: 10_000,
    ...change,
  };
}

export function leaseReport(sequence: number, change: Partial<LeaseReport> = {}): LeaseReport {
  return {
    v: 1,
    source: "isolate",
    sequence,
    issued: 0,
    open: [],
    asking: [],
    outcomes: [],
    reason: "report",
    ...change,
  };
}

export function outcomesOf(decisions: readonly Decision[]): AskOutcome["result"][] {
  return decisions.map(({ outcome }) => outcome.result);
}

export const well: PollFinding = { isAlive: true, running: 0, waiting: 0, kvUsage: 0.2, workedTokens: null };
