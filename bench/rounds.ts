/** One measurement of one target, and what is kept of it. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuNanoseconds } from "./cpu.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import type { Stage, Target } from "./targets.ts";

export interface Figures {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly cpuMicrosecondsPerRequest: number | null;
  /** 0 where nothing streamed, as the next four. */
  readonly cpuMsPer1000Tokens: number | null;
  readonly firstTokenP50Ms: number;
  readonly firstTokenP95Ms: number;
  readonly chunkDelayP50Ms: number;
  readonly chunkDelayP99Ms: number;
  /** Tokens by the usage that the answers told, prompt and answer; the lead-in's too. */
  readonly usageTokens: number;
}

type Order = Omit<LoadOrder, "ports">;

/**
 * A round: `leadIn`, which is not measured, and `order`, which is. Rejects where any request failed: figures of failures are none.
 *
 * The lead-in, since a collection of the heap while nothing of a path is under way throws that path's optimised code away: nobody
 * but the code holds the hidden classes of what a request makes (V8: "embedded weak objects cleared", seen with --log-deopt,
 * up to 180 functions at once). Under steady load some request is always under way. Between the short rounds of a target none is.
 */
export async function measure(
  stage: Stage,
  target: Target,
  order: Order,
  leadIn: Order | null = null,
): Promise<Figures> {
  const leadTokens = leadIn === null ? 0 : (await load(stage, target, leadIn)).usageTokens;
  const before = cpuNanoseconds(target.pids);
  const report = await load(stage, target, order);
  // What a request leaves behind (settlement, log lines) is part of its cost.
  await sleep(120);
  const after = cpuNanoseconds(target.pids);
  const cpu = before === null || after === null || target.pids.length === 0 ? null : after - before;
  return {
    requestsPerSecond: report.requests / (report.elapsedMs / 1000),
    p50Ms: quantile(report.latencyMs, 0.5),
    p95Ms: quantile(report.latencyMs, 0.95),
    p99Ms: quantile(report.latencyMs, 0.99),
    cpuMicrosecondsPerRequest: cpu === null ? null : cpu / 1000 / report.requests,
    cpuMsPer1000Tokens: cpu === null || report.tokens === 0 ? null : cpu / 1000 / report.tokens,
    firstTokenP50Ms: quantile(report.firstTokenMs, 0.5),
    firstTokenP95Ms: quantile(report.firstTokenMs, 0.95),
    chunkDelayP50Ms: quantile(report.chunkDelayMs, 0.5),
    chunkDelayP99Ms: quantile(report.chunkDelayMs, 0.99),
    usageTokens: leadTokens + report.usageTokens,
  };
}

async function load(stage: Stage, target: Target, order: Order): Promise<LoadReport> {
  stage.load.send({ ...order, ports: target.ports } satisfies LoadOrder);
  const [report] = (await once(stage.load, "message")) as [LoadReport];
  if (Object.keys(report.failures).length > 0)
    throw new Error(`${target.name}: ${JSON.stringify(report.failures)}`);
  return report;
}

/** The median of each figure over the rounds; their tokens added up. */
export function summarise(rounds: readonly Figures[]): Figures {
  const median = (pick: (figures: Figures) => number): number => quantile(rounds.map(pick), 0.5);
  const medianOrNull = (pick: (figures: Figures) => number | null): number | null => {
    const known = rounds.map(pick).filter((value) => value !== null);
    return known.length === 0 ? null : quantile(known, 0.5);
  };
  return {
    requestsPerSecond: median((round) => round.requestsPerSecond),
    p50Ms: median((round) => round.p50Ms),
    p95Ms: median((round) => round.p95Ms),
    p99Ms: median((round) => round.p99Ms),
    cpuMicrosecondsPerRequest: medianOrNull((round) => round.cpuMicrosecondsPerRequest),
    cpuMsPer1000Tokens: medianOrNull((round) => round.cpuMsPer1000Tokens),
    firstTokenP50Ms: median((round) => round.firstTokenP50Ms),
    firstTokenP95Ms: median((round) => round.firstTokenP95Ms),
    chunkDelayP50Ms: median((round) => round.chunkDelayP50Ms),
    chunkDelayP99Ms: median((round) => round.chunkDelayP99Ms),
    usageTokens: rounds.reduce((sum, round) => sum + round.usageTokens, 0),
  };
}

/** Nearest rank; 0 where there is nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}
